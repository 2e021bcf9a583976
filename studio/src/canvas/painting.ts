/** How masks are drawn, here and in the worker. */

import { outlinesOf } from "../core/outline";
import type { WindowMask } from "../core/types";

export type Context2D = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export interface Look {
  /** Opacity of the fills, 0 to 1. */
  readonly fill: number;
  readonly outlines: boolean;
}

const OUTLINE = 1.25;
const OUTLINE_OPACITY = 0.9;
/** CSS pixels: smaller masks are shown as a dot, and without an outline. */
const DOT = 2;
const OUTLINED = 8;
const DOT_OPACITY = 0.6;

const paths = new WeakMap<WindowMask, Path2D>();

/** The mask's outline in pixels of the picture, made once for every mask; fill it by the even-odd rule. */
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

/** Fill and outline of one mask; the context maps pixels of the picture, `scale` is CSS pixels each. */
export function drawMask(to: Context2D, mask: WindowMask, colour: string, look: Look, scale: number): void {
  if (mask.width === 0) return;
  const size = Math.max(mask.width, mask.height) * scale;
  to.fillStyle = to.strokeStyle = colour;
  to.globalAlpha = look.fill;
  if (size < DOT) {
    to.globalAlpha = Math.max(look.fill, DOT_OPACITY);
    to.fillRect(mask.x, mask.y, mask.width, mask.height);
  } else {
    const path = pathOf(mask);
    if (look.fill > 0) to.fill(path, "evenodd");
    if (look.outlines && size >= OUTLINED) {
      to.globalAlpha = OUTLINE_OPACITY;
      to.lineWidth = OUTLINE / scale;
      to.stroke(path);
    }
  }
  to.globalAlpha = 1;
}
