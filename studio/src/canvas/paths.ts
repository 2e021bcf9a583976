/** Masks as paths of the canvas, made once for every mask. */

import { outlinesOf } from "../core/outline";
import type { WindowMask } from "../core/types";

const paths = new WeakMap<WindowMask, Path2D>();

/** The mask's outline in pixels of the picture; fill it by the even-odd rule. */
export function pathOf(mask: WindowMask): Path2D {
  const known = paths.get(mask);
  if (known) return known;
  const path = new Path2D();
  for (const outline of outlinesOf(mask)) {
    path.moveTo(outline[0] as number, outline[1] as number);
    for (let i = 2; i < outline.length; i += 2) path.lineTo(outline[i] as number, outline[i + 1] as number);
    path.closePath();
  }
  paths.set(mask, path);
  return path;
}
