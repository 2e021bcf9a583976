/** A mask of the picture as the logits that a decoder takes as a prompt (`anymask.core.mask_prompt`). */

import type { WindowMask } from "../types";
import { type Frame, scaleOf } from "./frame";
import type { Logits } from "./upscale";

/** Logit of a cell wholly on or off the object. */
const SURE = 20;

/**
 * Logits over the model's input: 20 (2 c - 1) for a cell of whose part of the picture the mask covers the share c; -20 in
 * the padding. Shares are exact: a cell's borders may cut through pixels.
 */
export function maskToLogits(mask: WindowMask, frame: Frame, side: number): Logits {
  const [scaleX, scaleY] = scaleOf(frame);
  const cell = frame.inputSize / side;
  const edges = (scale: number, size: number) =>
    Float64Array.from({ length: side + 1 }, (_, i) => Math.min((i * cell) / scale, size));
  const xs = edges(scaleX, frame.imageWidth);
  const ys = edges(scaleY, frame.imageHeight);
  const covered = coverage(mask, xs, ys);
  const values = new Float32Array(side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const height = (ys[row + 1] as number) - (ys[row] as number);
      const width = (xs[column + 1] as number) - (xs[column] as number);
      const at = row * side + column;
      const share = width * height > 1e-9 ? (covered[at] as number) / (width * height) : 0;
      values[at] = SURE * (2 * Math.min(Math.max(share, 0), 1) - 1);
    }
  }
  return { side, values };
}

/** The mask's area in each cell of a grid; cells are cut out of pixels, too. */
function coverage(mask: WindowMask, xs: Float64Array, ys: Float64Array): Float64Array {
  const columns = xs.length - 1;
  const areas = new Float64Array(columns * (ys.length - 1));
  const across = new Float64Array(mask.height * columns); // of each row of pixels, in each column of cells
  for (let y = 0; y < mask.height; y++) addRow(mask, y, xs, across, columns);
  for (let row = 0; row + 1 < ys.length; row++) {
    eachPart(ys[row] as number, ys[row + 1] as number, mask.y, mask.height, (y, share) => {
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        areas[at] = (areas[at] as number) + share * (across[y * columns + column] as number);
      }
    });
  }
  return areas;
}

function addRow(mask: WindowMask, y: number, xs: Float64Array, across: Float64Array, columns: number): void {
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    eachPart(xs[column] as number, xs[column + 1] as number, mask.x, mask.width, (x, share) => {
      sum += share * (mask.bits[y * mask.width + x] as number);
    });
    across[y * columns + column] = sum;
  }
}

/** The pixels of a window that lie between two places, each with the share of it that does. */
function eachPart(
  from: number,
  to: number,
  start: number,
  length: number,
  visit: (pixel: number, share: number) => void,
): void {
  const first = Math.max(Math.floor(from), start);
  const stop = Math.min(Math.ceil(to), start + length);
  for (let pixel = first; pixel < stop; pixel++) {
    visit(pixel - start, Math.min(pixel + 1, to) - Math.max(pixel, from));
  }
}
