/**
 * Masks as windows of the picture: sets of pixels that cost what they cover.
 *
 * Every function returns a new, tight window (its first and last row and column hold a set pixel); windows that come in
 * need not be tight. Regions touch along edges or corners (8-connected), as in Segment Anything's post-processing.
 */

import { regionsOf } from "./regions";
import type { BoxXYXY, ImageXY, WindowMask } from "./types";

type Size = readonly [height: number, width: number];

export const EMPTY_MASK: WindowMask = Object.freeze({
  x: 0,
  y: 0,
  width: 0,
  height: 0,
  bits: new Uint8Array(0),
});

/** Whether no pixel is set. */
export function isEmpty(mask: WindowMask): boolean {
  return !mask.bits.includes(1);
}

/** Number of set pixels. */
export function maskArea(mask: WindowMask): number {
  let area = 0;
  for (const bit of mask.bits) area += bit;
  return area;
}

/** The window as a box: for a tight window, the smallest box round the mask. */
export function windowBox(mask: WindowMask): BoxXYXY {
  return [mask.x, mask.y, mask.x + mask.width, mask.y + mask.height];
}

/** Whether the pixel under a place is set. */
export function isHit(mask: WindowMask, at: ImageXY): boolean {
  const column = Math.floor(at[0]) - mask.x;
  const row = Math.floor(at[1]) - mask.y;
  if (column < 0 || row < 0 || column >= mask.width || row >= mask.height) return false;
  return mask.bits[row * mask.width + column] === 1;
}

/** The mask without empty rows and columns at its sides. */
export function tight(mask: WindowMask): WindowMask {
  const { width, height, bits } = mask;
  let top = 0;
  let bottom = height;
  while (top < bottom && !rowHas(mask, top)) top++;
  if (top === bottom) return EMPTY_MASK;
  while (!rowHas(mask, bottom - 1)) bottom--;
  let left = width;
  let right = 0;
  for (let row = top; row < bottom; row++) {
    const start = row * width;
    const first = bits.indexOf(1, start) - start;
    if (first < 0 || first >= width) continue;
    if (first < left) left = first;
    const last = bits.subarray(start, start + width).lastIndexOf(1);
    if (last + 1 > right) right = last + 1;
  }
  return window(mask, left, top, right, bottom);
}

/** Pixels set in either. */
export function union(one: WindowMask, other: WindowMask): WindowMask {
  if (one.bits.length === 0) return tight(other);
  if (other.bits.length === 0) return tight(one);
  const joint = blank(
    Math.min(one.x, other.x),
    Math.min(one.y, other.y),
    Math.max(one.x + one.width, other.x + other.width),
    Math.max(one.y + one.height, other.y + other.height),
  );
  for (const mask of [one, other])
    eachCommonRow(joint, mask, (to, from, count) => orRow(joint.bits, mask.bits, to, from, count));
  return tight(joint);
}

/** Pixels set in all of many; `unionAll([])` is empty. */
export function unionAll(masks: readonly WindowMask[]): WindowMask {
  return masks.reduce(union, EMPTY_MASK);
}

/** Pixels of the first that are not set in the second. */
export function subtract(one: WindowMask, other: WindowMask): WindowMask {
  const rest = { ...one, bits: one.bits.slice() };
  eachCommonRow(rest, other, (to, from, count) => {
    for (let i = 0; i < count; i++) if (other.bits[from + i] === 1) rest.bits[to + i] = 0;
  });
  return tight(rest);
}

/** Pixels set in both. */
export function intersect(one: WindowMask, other: WindowMask): WindowMask {
  const both = { ...one, bits: new Uint8Array(one.bits.length) };
  eachCommonRow(both, other, (to, from, count) => {
    for (let i = 0; i < count; i++)
      both.bits[to + i] = (one.bits[to + i] as number) & (other.bits[from + i] as number);
  });
  return tight(both);
}

/** Number of pixels set in both. */
export function overlap(one: WindowMask, other: WindowMask): number {
  let count = 0;
  eachCommonRow(one, other, (a, b, length) => {
    for (let i = 0; i < length; i++) count += (one.bits[a + i] as number) & (other.bits[b + i] as number);
  });
  return count;
}

/** Intersection over union, 0 to 1; 1 if both are empty. */
export function iou(one: WindowMask, other: WindowMask): number {
  const both = overlap(one, other);
  const either = maskArea(one) + maskArea(other) - both;
  return either === 0 ? 1 : both / either;
}

/** Whether the same pixels are set. */
export function sameMask(one: WindowMask, other: WindowMask): boolean {
  if (one === other) return true;
  const area = maskArea(one);
  return area === maskArea(other) && area === overlap(one, other);
}

/** The mask moved by whole pixels, cut to the picture. */
export function moved(mask: WindowMask, dx: number, dy: number, size: Size): WindowMask {
  return clipped({ ...mask, x: mask.x + Math.round(dx), y: mask.y + Math.round(dy) }, size);
}

/** What of the mask lies in the picture. */
export function clipped(mask: WindowMask, size: Size): WindowMask {
  const left = Math.max(0, -mask.x);
  const top = Math.max(0, -mask.y);
  const right = Math.min(mask.width, size[1] - mask.x);
  const bottom = Math.min(mask.height, size[0] - mask.y);
  return left < right && top < bottom ? tight(window(mask, left, top, right, bottom)) : EMPTY_MASK;
}

/** The mask without regions of fewer than `minArea` pixels; if all are smaller, the largest stays. */
export function removeIslands(mask: WindowMask, minArea: number): WindowMask {
  const { labels, areas } = regionsOf(mask, 1, "corners");
  if (areas.length === 0) return EMPTY_MASK;
  const keep = areas.map((area) => area >= minArea);
  if (!keep.includes(true)) keep[areas.indexOf(Math.max(...areas))] = true;
  const bits = mask.bits.map((_, i) =>
    (labels[i] as number) > 0 && keep[(labels[i] as number) - 1] ? 1 : 0,
  );
  return tight({ ...mask, bits });
}

/** The largest region alone, the topmost of several equally large. */
export function keepLargest(mask: WindowMask): WindowMask {
  return removeIslands(mask, Number.POSITIVE_INFINITY);
}

/** Each region as a mask, in reading order of their first pixels. */
export function regions(mask: WindowMask): WindowMask[] {
  const { labels, areas } = regionsOf(mask, 1, "corners");
  return areas.map((_, region) =>
    tight({ ...mask, bits: mask.bits.map((_, i) => (labels[i] === region + 1 ? 1 : 0)) }),
  );
}

/**
 * The mask with holes filled: regions of the background that do not touch the picture's border, or, with `maxArea`, those
 * of fewer pixels than that.
 */
export function fillHoles(mask: WindowMask, size: Size, maxArea = Number.POSITIVE_INFINITY): WindowMask {
  const inside = clipped(mask, size);
  if (inside.bits.length === 0) return inside;
  // One pixel more on every side joins all background that goes on outside, and at the picture's border is no hole.
  const around = blank(inside.x - 1, inside.y - 1, inside.x + inside.width + 1, inside.y + inside.height + 1);
  eachCommonRow(around, inside, (to, from, count) => orRow(around.bits, inside.bits, to, from, count));
  const { labels, areas } = regionsOf(around, 0, "corners");
  const outside = labels[0] as number;
  const bits = around.bits.map((bit, i) => {
    const region = labels[i] as number;
    return bit === 1 || (region !== outside && (areas[region - 1] as number) < maxArea) ? 1 : 0;
  });
  return tight({ ...around, bits });
}

function rowHas(mask: WindowMask, row: number): boolean {
  const start = row * mask.width;
  const found = mask.bits.indexOf(1, start);
  return found >= 0 && found < start + mask.width;
}

function blank(x0: number, y0: number, x1: number, y1: number): WindowMask {
  return { x: x0, y: y0, width: x1 - x0, height: y1 - y0, bits: new Uint8Array((x1 - x0) * (y1 - y0)) };
}

/** The part of a window between these of its own columns and rows. */
function window(mask: WindowMask, left: number, top: number, right: number, bottom: number): WindowMask {
  if (left === 0 && top === 0 && right === mask.width && bottom === mask.height) return mask;
  const part = blank(mask.x + left, mask.y + top, mask.x + right, mask.y + bottom);
  for (let row = 0; row < part.height; row++) {
    const from = (row + top) * mask.width + left;
    part.bits.set(mask.bits.subarray(from, from + part.width), row * part.width);
  }
  return part;
}

/** Calls back for each row of the pixels in both windows, with the index of its first pixel in either and their number. */
function eachCommonRow(
  one: WindowMask,
  other: WindowMask,
  visit: (one: number, other: number, count: number) => void,
): void {
  const left = Math.max(one.x, other.x);
  const count = Math.min(one.x + one.width, other.x + other.width) - left;
  if (count <= 0) return;
  const bottom = Math.min(one.y + one.height, other.y + other.height);
  for (let y = Math.max(one.y, other.y); y < bottom; y++) {
    visit((y - one.y) * one.width + left - one.x, (y - other.y) * other.width + left - other.x, count);
  }
}

function orRow(to: Uint8Array, from: Uint8Array, toIndex: number, fromIndex: number, count: number): void {
  for (let i = 0; i < count; i++)
    to[toIndex + i] = (to[toIndex + i] as number) | (from[fromIndex + i] as number);
}
