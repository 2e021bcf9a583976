/** How deep pixels lie inside a mask, and the deepest of them (`anymask.core.masks.inside_point`). */

import type { ImageXY, WindowMask } from "../types";

/**
 * The centre of the set pixel farthest from the nearest pixel that is not set, those beyond the window among them; of
 * several, the first in reading order. null if the mask is empty.
 */
export function insidePoint(mask: WindowMask): ImageXY | null {
  const depths = squaredDepths(mask);
  const deepest = depths.reduce((most, depth) => Math.max(most, depth), 0);
  const at = deepest === 0 ? -1 : depths.indexOf(deepest);
  return at < 0 ? null : [mask.x + (at % mask.width) + 0.5, mask.y + Math.floor(at / mask.width) + 0.5];
}

/**
 * The square of each pixel's distance from the nearest that is not set, those beyond the window among them; 0 for pixels
 * that are not set.
 *
 * Distances between pixel centres, exact: down the columns first, then along the rows as the lower envelope of parabolas
 * (Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, 2012).
 */
export function squaredDepths(mask: WindowMask): Float64Array {
  const { width, height } = mask;
  const down = columnDistances(mask);
  const depths = new Float64Array(width * height);
  const squares = new Float64Array(width + 2);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) squares[x + 1] = (down[y * width + x] as number) ** 2;
    depths.set(envelope(squares).subarray(1, width + 1), y * width);
  }
  return depths;
}

/** Pixels from each pixel to the nearest in its column that is not set; 0 for those. */
function columnDistances({ width, height, bits }: WindowMask): Int32Array {
  const down = new Int32Array(width * height);
  for (let x = 0; x < width; x++) {
    let distance = 0;
    for (let y = 0; y < height; y++) {
      distance = bits[y * width + x] === 1 ? distance + 1 : 0;
      down[y * width + x] = distance;
    }
    distance = 0;
    for (let y = height - 1; y >= 0; y--) {
      distance = bits[y * width + x] === 1 ? distance + 1 : 0;
      down[y * width + x] = Math.min(down[y * width + x] as number, distance);
    }
  }
  return down;
}

/** min over q of (p - q)^2 + values[q], for all p. */
function envelope(values: Float64Array): Float64Array {
  const count = values.length;
  const at = new Int32Array(count);
  const from = new Float64Array(count + 1);
  let last = 0;
  from[0] = Number.NEGATIVE_INFINITY;
  from[1] = Number.POSITIVE_INFINITY;
  for (let q = 1; q < count; q++) {
    let meets = crossing(values, at[last] as number, q);
    while (meets <= (from[last] as number)) meets = crossing(values, at[--last] as number, q);
    at[++last] = q;
    from[last] = meets;
    from[last + 1] = Number.POSITIVE_INFINITY;
  }
  const out = new Float64Array(count);
  for (let p = 0, k = 0; p < count; p++) {
    while ((from[k + 1] as number) < p) k++;
    const q = at[k] as number;
    out[p] = (p - q) ** 2 + (values[q] as number);
  }
  return out;
}

function crossing(values: Float64Array, p: number, q: number): number {
  return ((values[q] as number) + q * q - (values[p] as number) - p * p) / (2 * (q - p));
}
