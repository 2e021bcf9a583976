/** The outlines of a mask along the borders of its pixels. */

import type { WindowMask } from "./types";

/** Steps right, down, left, up. */
const DX = [1, 0, -1, 0] as const;
const DY = [0, 1, 0, -1] as const;

/**
 * All closed outlines, outer ones and holes, each as x0, y0, x1, y1, ... in pixels of the picture, corners only. The
 * object lies on the right hand side when the numbers are followed (y points down), so outer outlines run clockwise.
 * Filled by the even-odd or the non-zero rule they give the mask back.
 */
export function outlinesOf(mask: WindowMask): Int32Array[] {
  const { width, height, bits } = mask;
  const seen = new Uint8Array(width * height); // upper edges that have been followed
  const outlines: Int32Array[] = [];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (bits[at] === 1 && (y === 0 || bits[at - width] === 0) && seen[at] === 0)
        outlines.push(follow(mask, seen, x, y));
    }
  }
  return outlines;
}

function follow(mask: WindowMask, seen: Uint8Array, startX: number, startY: number): Int32Array {
  const { width, height, bits } = mask;
  const isSet = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && bits[y * width + x] === 1;
  const corners: number[] = [mask.x + startX, mask.y + startY];
  let [x, y, direction] = [startX, startY, 0];
  for (;;) {
    if (direction === 0) seen[y * width + x] = 1;
    x += DX[direction] as number;
    y += DY[direction] as number;
    // The two pixels ahead of the corner (x, y), to the right and to the left of the way.
    const right = isSet(x - (direction === 1 || direction === 2 ? 1 : 0), y - (direction >= 2 ? 1 : 0));
    const left = isSet(
      x - (direction === 2 || direction === 3 ? 1 : 0),
      y - (direction === 0 || direction === 3 ? 1 : 0),
    );
    // Right first: pixels that touch at a corner alone belong to outlines of their own.
    const turn = !right ? 1 : left ? 3 : 0;
    if (x === startX && y === startY && (direction + turn) % 4 === 0) break;
    if (turn !== 0) corners.push(mask.x + x, mask.y + y);
    direction = (direction + turn) % 4;
  }
  return Int32Array.from(corners);
}
