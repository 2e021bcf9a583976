/** What a round brush paints: pixels whose centres lie within the radius of the line that the brush was led along. */

import { EMPTY_MASK, tight } from "./masks";
import type { BoxXYXY, ImageXY, WindowMask } from "./types";

/** What is allocated around a stroke beyond what it covers, so that it is not copied at every step. */
const ROOM = 64;

/**
 * A stroke being painted. It grows in place (a long stroke would else be copied at every move); `version` tells. Two
 * places in a row are joined, however fast the hand was.
 */
export class PaintStroke {
  private window: WindowMask = EMPTY_MASK;
  private last: ImageXY | null = null;
  private painted = 0;

  /** size: [height, width] of the picture; what lies outside is not painted. */
  constructor(private readonly size: readonly [height: number, width: number]) {}

  /** Rises with every change. */
  get version(): number {
    return this.painted;
  }

  /** Everything painted so far. Its `bits` go on changing: for drawing only. */
  get current(): WindowMask {
    return this.window;
  }

  /** Leads the brush on to a place; the box of pixels that may have changed, or null if the picture has none there. */
  to(at: ImageXY, radius: number): BoxXYXY | null {
    const from = this.last ?? at;
    this.last = at;
    const reach = Math.max(radius, 0.5);
    const box = this.pixelsWithin(from, at, reach);
    if (box === null) return null;
    this.makeRoom(box);
    this.fill(from, at, reach, box);
    this.painted++;
    return box;
  }

  /** The painted pixels as a mask. */
  mask(): WindowMask {
    return tight({ ...this.window, bits: this.window.bits.slice() });
  }

  private pixelsWithin(from: ImageXY, to: ImageXY, radius: number): BoxXYXY | null {
    const x0 = Math.max(0, Math.floor(Math.min(from[0], to[0]) - radius));
    const y0 = Math.max(0, Math.floor(Math.min(from[1], to[1]) - radius));
    const x1 = Math.min(this.size[1], Math.ceil(Math.max(from[0], to[0]) + radius));
    const y1 = Math.min(this.size[0], Math.ceil(Math.max(from[1], to[1]) + radius));
    return x0 < x1 && y0 < y1 ? [x0, y0, x1, y1] : null;
  }

  private makeRoom(box: BoxXYXY): void {
    const old = this.window;
    const holds = old.bits.length > 0;
    const right = old.x + old.width;
    const bottom = old.y + old.height;
    if (holds && box[0] >= old.x && box[1] >= old.y && box[2] <= right && box[3] <= bottom) return;
    const x0 = Math.max(0, Math.min(box[0] - ROOM, holds ? old.x : box[0]));
    const y0 = Math.max(0, Math.min(box[1] - ROOM, holds ? old.y : box[1]));
    const x1 = Math.min(this.size[1], Math.max(box[2] + ROOM, right));
    const y1 = Math.min(this.size[0], Math.max(box[3] + ROOM, bottom));
    const bits = new Uint8Array((x1 - x0) * (y1 - y0));
    for (let row = 0; row < old.height; row++) {
      bits.set(
        old.bits.subarray(row * old.width, (row + 1) * old.width),
        (row + old.y - y0) * (x1 - x0) + old.x - x0,
      );
    }
    this.window = { x: x0, y: y0, width: x1 - x0, height: y1 - y0, bits };
  }

  private fill(from: ImageXY, to: ImageXY, radius: number, box: BoxXYXY): void {
    const { x, y, width, bits } = this.window;
    for (let row = box[1]; row < box[3]; row++) {
      const span = capsuleSpan(from, to, radius, row + 0.5);
      if (span === null) continue;
      const first = Math.max(box[0], Math.ceil(span[0] - 0.5));
      const stop = Math.min(box[2], Math.floor(span[1] - 0.5) + 1);
      if (first < stop) bits.fill(1, (row - y) * width + first - x, (row - y) * width + stop - x);
    }
  }
}

/** Where the line at height y cuts the points within `radius` of a segment: from x to x, or null. The shape is convex. */
function capsuleSpan(a: ImageXY, b: ImageXY, radius: number, y: number): [number, number] | null {
  let left = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  for (const end of [a, b]) {
    const half = radius ** 2 - (y - end[1]) ** 2;
    if (half < 0) continue;
    left = Math.min(left, end[0] - Math.sqrt(half));
    right = Math.max(right, end[0] + Math.sqrt(half));
  }
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const length = Math.hypot(dx, dy);
  if (length > 0 && dy !== 0) {
    // The two long sides, parallel to the segment at the radius.
    for (const side of [-1, 1]) {
      const offsetX = (-dy / length) * radius * side;
      const offsetY = (dx / length) * radius * side;
      const share = (y - a[1] - offsetY) / dy;
      if (share < 0 || share > 1) continue;
      const x = a[0] + offsetX + share * dx;
      left = Math.min(left, x);
      right = Math.max(right, x);
    }
  }
  return left <= right ? [left, right] : null;
}
