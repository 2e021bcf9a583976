/**
 * From a decoder's low-resolution logits to the picture's pixels, inside the mask's own window only
 * (`anymask.core.upscale`).
 *
 * Segment Anything upscales twice, both times bilinearly with half-pixel centres: to the square input, whose padding is cut
 * off, and from there to the picture. Both together are one short weighted sum per axis.
 */

import { EMPTY_MASK, tight } from "../masks";
import type { WindowMask } from "../types";
import type { Frame } from "./frame";

/** Square logits over the model's input, row by row. */
export interface Logits {
  readonly side: number;
  readonly values: Float32Array;
}

/** How the pixels along one axis read the cells: pixel i is the sum over t of weights[t * size + i] * cell[first[i] + t]. */
interface Axis {
  readonly size: number;
  readonly taps: number;
  readonly first: Int32Array;
  readonly weights: Float32Array;
}

interface Window {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
}

/** The pixels whose upscaled logit is above the threshold. */
export function upscaledMask(logits: Logits, frame: Frame, threshold = 0): WindowMask {
  const window = windowAbove(logits, frame, threshold);
  if (window === null) return EMPTY_MASK;
  const width = window.x1 - window.x0;
  const bits = new Uint8Array(width * (window.y1 - window.y0));
  eachRow(logits, frame, window, (row, y) => {
    const start = (y - window.y0) * width;
    for (let x = 0; x < width; x++) if ((row[x] as number) > threshold) bits[start + x] = 1;
  });
  return tight({ x: window.x0, y: window.y0, width, height: window.y1 - window.y0, bits });
}

/** Of a higher window only so many rows are counted, evenly spaced: enough for a ratio of areas. */
const MOST_ROWS = 512;

/** Number of pixels whose upscaled logit is above the threshold; of large masks, about. */
export function areaAbove(logits: Logits, frame: Frame, threshold: number): number {
  const window = windowAbove(logits, frame, threshold);
  if (window === null) return 0;
  const every = Math.ceil((window.y1 - window.y0) / MOST_ROWS);
  let area = 0;
  eachRow(
    logits,
    frame,
    window,
    (row) => {
      for (const value of row) if (value > threshold) area += every;
    },
    every,
  );
  return area;
}

/** How little the mask depends on the threshold: the IoU of those at +1 and -1, 0 to 1; 0 if both are empty. */
export function stabilityOf(logits: Logits, frame: Frame): number {
  const loose = areaAbove(logits, frame, -1);
  return loose === 0 ? 0 : areaAbove(logits, frame, 1) / loose;
}

/** The window of all pixels that read a cell above the threshold; null if there are none. */
function windowAbove({ side, values }: Logits, frame: Frame, threshold: number): Window | null {
  let [left, right, top, bottom] = [side, -1, side, -1];
  for (let row = 0, at = 0; row < side; row++) {
    for (let column = 0; column < side; column++, at++) {
      if (!((values[at] as number) > threshold - ROUNDING)) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = row;
    }
  }
  const columns = readersOf(columnAxis(side, frame), left, right);
  const rows = readersOf(rowAxis(side, frame), top, bottom);
  return columns === null || rows === null
    ? null
    : { x0: columns[0], x1: columns[1], y0: rows[0], y1: rows[1] };
}

/** Weights add up to 1 only to rounding: cells this close to a threshold count. */
const ROUNDING = 2e-5;

/** Calls back with the logits of every `every`-th row of a window; the array is the same each time. */
function eachRow(
  { side, values }: Logits,
  frame: Frame,
  window: Window,
  visit: (row: Float32Array, y: number) => void,
  every = 1,
): void {
  const rows = rowAxis(side, frame);
  const width = window.x1 - window.x0;
  const across = new Map<number, Float32Array>();
  const row = new Float32Array(width);
  for (let y = window.y0 + Math.floor(every / 2); y < window.y1; y += every) {
    const first = rows.first[y] as number;
    for (const known of across.keys()) if (known < first) across.delete(known);
    row.fill(0);
    for (let tap = 0; tap < rows.taps; tap++) {
      const weight = rows.weights[tap * rows.size + y] as number;
      if (weight === 0) continue;
      const cells = across.get(first + tap) ?? readAcross(values, side, first + tap, frame, window);
      across.set(first + tap, cells);
      for (let x = 0; x < width; x++) row[x] = (row[x] as number) + weight * (cells[x] as number);
    }
    visit(row, y);
  }
}

/** One row of cells as the window's columns read it. */
function readAcross(
  values: Float32Array,
  side: number,
  row: number,
  frame: Frame,
  window: Window,
): Float32Array {
  const axis = columnAxis(side, frame);
  const out = new Float32Array(window.x1 - window.x0);
  for (let x = window.x0; x < window.x1; x++) {
    const at = row * side + (axis.first[x] as number);
    let sum = 0;
    for (let tap = 0; tap < axis.taps; tap++) {
      sum += (axis.weights[tap * axis.size + x] as number) * (values[at + tap] as number);
    }
    out[x - window.x0] = sum;
  }
  return out;
}

/** The range of pixels that read a cell from `from` to `to`. */
function readersOf(axis: Axis, from: number, to: number): readonly [number, number] | null {
  let start = 0;
  while (start < axis.size && (axis.first[start] as number) + axis.taps - 1 < from) start++;
  let stop = axis.size;
  while (stop > start && (axis.first[stop - 1] as number) > to) stop--;
  return start < stop ? [start, stop] : null;
}

function columnAxis(side: number, frame: Frame): Axis {
  return axisOf(side, frame.inputSize, frame.resizedWidth, frame.imageWidth);
}

function rowAxis(side: number, frame: Frame): Axis {
  return axisOf(side, frame.inputSize, frame.resizedHeight, frame.imageHeight);
}

const known = new Map<string, Axis>();
const MOST_KNOWN = 32;

function axisOf(low: number, inputSize: number, resized: number, image: number): Axis {
  const key = `${low} ${inputSize} ${resized} ${image}`;
  let axis = known.get(key);
  if (axis === undefined) {
    if (known.size >= MOST_KNOWN) known.clear();
    axis = composed(low, inputSize, resized, image);
    known.set(key, axis);
  }
  return axis;
}

/** low -> inputSize, cut to `resized`, -> image, as one step. */
function composed(low: number, inputSize: number, resized: number, image: number): Axis {
  const outer = bilinear(resized, image);
  const inner = bilinear(low, inputSize);
  const shares: (readonly [cell: number, share: number])[][] = [];
  let taps = 1;
  for (let i = 0; i < image; i++) {
    const parts = [
      [outer.near[i] as number, 1 - (outer.fraction[i] as number)],
      [outer.far[i] as number, outer.fraction[i] as number],
    ] as const;
    const read = parts.flatMap(([at, share]) => [
      [inner.near[at] as number, share * (1 - (inner.fraction[at] as number))] as const,
      [inner.far[at] as number, share * (inner.fraction[at] as number)] as const,
    ]);
    const cells = read.map(([cell]) => cell);
    taps = Math.max(taps, Math.max(...cells) - Math.min(...cells) + 1);
    shares.push(read);
  }
  const first = new Int32Array(image);
  const weights = new Float64Array(taps * image);
  shares.forEach((read, i) => {
    // At the far end, earlier cells are read with weight 0, and none beyond the array.
    first[i] = Math.min(Math.min(...read.map(([cell]) => cell)), low - taps);
    for (const [cell, share] of read) {
      const at = (cell - (first[i] as number)) * image + i;
      weights[at] = (weights[at] as number) + share;
    }
  });
  return { size: image, taps, first, weights: Float32Array.from(weights) };
}

/** Neighbours and the share of the far one, as torch's interpolate (align_corners=False) has them. */
function bilinear(sizeIn: number, sizeOut: number): { near: number[]; far: number[]; fraction: number[] } {
  const scale = Math.fround(Math.fround(sizeIn) / Math.fround(sizeOut));
  const near: number[] = [];
  const far: number[] = [];
  const fraction: number[] = [];
  for (let i = 0; i < sizeOut; i++) {
    const position = Math.max(Math.fround((i + 0.5) * scale - 0.5), 0);
    const low = Math.min(Math.trunc(position), sizeIn - 1);
    near.push(low);
    far.push(Math.min(low + 1, sizeIn - 1));
    fraction.push(Math.min(Math.max(Math.fround(position - low), 0), 1));
  }
  return { near, far, fraction };
}
