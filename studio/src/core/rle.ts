/**
 * COCO's compressed run-length encoding, both ways.
 *
 * Runs go down the columns and start with the zeros; counts are text, 5 bits a character from the lowest, from the
 * third run on as the difference to the run two before (`maskApi.c` of the COCO API). Reading is strict: whatever does
 * not cover the picture exactly is refused.
 */

import type { Rle, WindowMask } from "./types";

/** A text that is no RLE, or one of another size. */
export class RleError extends Error {
  override readonly name = "RleError";
}

const EMPTY: WindowMask = { x: 0, y: 0, width: 0, height: 0, bits: new Uint8Array(0) };

/** The lengths of the runs, zeros first. Throws RleError unless they cover `pixels` pixels exactly. */
export function readRuns(counts: string, pixels: number): number[] {
  const runs: number[] = [];
  let total = 0;
  let at = 0;
  while (at < counts.length) {
    let value = 0;
    let shift = 1; // a power of two: bit operations end at 32 bits, differences need 33
    let code: number;
    do {
      code = counts.charCodeAt(at++) - 48;
      if (!(code >= 0 && code < 64) || shift > 2 ** 30) throw damaged(counts);
      value += (code & 31) * shift;
      shift *= 32;
    } while (code & 32);
    if (code & 16) value -= shift;
    if (runs.length > 2) value += runs[runs.length - 2] as number;
    total += value;
    if (value < 0 || total > pixels) throw damaged(counts);
    runs.push(value);
  }
  if (runs.length === 0 || total !== pixels) throw damaged(counts);
  return runs;
}

/** Runs as text. `runs`: zeros first, whole numbers >= 0. */
export function writeRuns(runs: readonly number[]): string {
  const codes: number[] = [];
  for (let i = 0; i < runs.length; i++) {
    let value = (runs[i] as number) - (i > 2 ? (runs[i - 2] as number) : 0);
    for (;;) {
      const bits = ((value % 32) + 32) % 32;
      value = Math.floor(value / 32);
      const more = bits & 16 ? value !== -1 : value !== 0;
      codes.push(bits + (more ? 32 : 0) + 48);
      if (!more) break;
    }
  }
  return fromCodes(codes);
}

/**
 * The mask behind an RLE, in its tight window. `offset`: x, y in the picture of the RLE's own upper left corner, where
 * the RLE is of a window only. Throws RleError.
 */
export function decodeRle(rle: Rle, offset: readonly [x: number, y: number] = [0, 0]): WindowMask {
  const [height, width] = rle.size;
  checkSize(height, width);
  const runs = readRuns(rle.counts, height * width);
  const bounds = boundsOf(runs, height);
  if (bounds === null) return EMPTY;
  const { left, right, top, bottom } = bounds;
  const windowWidth = right - left;
  const bits = new Uint8Array(windowWidth * (bottom - top));
  forEachColumnPart(runs, height, (column, from, to) => {
    let index = (from - top) * windowWidth + column - left;
    for (let row = from; row < to; row++, index += windowWidth) bits[index] = 1;
  });
  return { x: offset[0] + left, y: offset[1] + top, width: windowWidth, height: bottom - top, bits };
}

/** The mask as the RLE of a picture of `size` [height, width]. Throws RleError if it reaches beyond. */
export function encodeRle(mask: WindowMask, size: readonly [height: number, width: number]): Rle {
  const [height, width] = size;
  checkSize(height, width);
  if (mask.x < 0 || mask.y < 0 || mask.x + mask.width > width || mask.y + mask.height > height) {
    throw new RleError(
      `a mask at ${mask.x}, ${mask.y} of ${mask.width} x ${mask.height} pixels reaches beyond the picture of ${width} x ${height}`,
    );
  }
  return { size: [height, width], counts: writeRuns(runsOf(mask, height, width)) };
}

function runsOf(mask: WindowMask, height: number, width: number): number[] {
  const runs: number[] = [];
  let run = mask.x * height; // zeros before the first column of the window
  let value = 0;
  const below = height - mask.y - mask.height;
  for (let column = 0; column < mask.width; column++) {
    if (mask.y > 0) {
      if (value === 1) {
        runs.push(run);
        run = 0;
        value = 0;
      }
      run += mask.y;
    }
    for (let row = 0, index = column; row < mask.height; row++, index += mask.width) {
      if ((mask.bits[index] as number) !== value) {
        runs.push(run);
        run = 0;
        value = 1 - value;
      }
      run++;
    }
    if (below > 0) {
      if (value === 1) {
        runs.push(run);
        run = 0;
        value = 0;
      }
      run += below;
    }
  }
  const after = (width - mask.x - mask.width) * height;
  if (after > 0) {
    if (value === 1) {
      runs.push(run);
      run = 0;
    }
    run += after;
  }
  runs.push(run);
  return runs;
}

interface Bounds {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function boundsOf(runs: readonly number[], height: number): Bounds | null {
  const bounds: Bounds = { left: Number.POSITIVE_INFINITY, right: 0, top: height, bottom: 0 };
  let at = 0;
  for (let i = 0; i < runs.length; i++) {
    const length = runs[i] as number;
    if (i % 2 === 1 && length > 0) widen(bounds, at, at + length, height);
    at += length;
  }
  return bounds.right === 0 ? null : bounds;
}

function widen(bounds: Bounds, start: number, stop: number, height: number): void {
  const first = Math.floor(start / height);
  const last = Math.floor((stop - 1) / height);
  bounds.left = Math.min(bounds.left, first);
  bounds.right = Math.max(bounds.right, last + 1);
  bounds.top = Math.min(bounds.top, first === last ? start - first * height : 0);
  bounds.bottom = Math.max(bounds.bottom, first === last ? stop - last * height : height);
}

function forEachColumnPart(
  runs: readonly number[],
  height: number,
  visit: (column: number, from: number, to: number) => void,
): void {
  let at = 0;
  for (let i = 0; i < runs.length; i++) {
    const stop = at + (runs[i] as number);
    if (i % 2 === 1) {
      while (at < stop) {
        const column = Math.floor(at / height);
        const end = Math.min(stop, (column + 1) * height);
        visit(column, at - column * height, end - column * height);
        at = end;
      }
    }
    at = stop;
  }
}

function fromCodes(codes: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < codes.length; i += 4096) parts.push(String.fromCharCode(...codes.slice(i, i + 4096)));
  return parts.join("");
}

function checkSize(height: number, width: number): void {
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0)) {
    throw new RleError(`an RLE has size [height, width] in whole pixels; this one has [${height}, ${width}]`);
  }
}

function damaged(counts: string): RleError {
  const shown = counts.length > 40 ? `${counts.slice(0, 40)}...` : counts;
  return new RleError(
    `the RLE "${shown}" does not cover its picture exactly: it is damaged, or of another size`,
  );
}
