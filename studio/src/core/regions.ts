/** Connected regions of a window's pixels. */

import type { WindowMask } from "./types";

export interface Regions {
  /** 0 where the pixel has another value, else the number of its region, from 1 in reading order. */
  readonly labels: Int32Array;
  /** Pixels of each region. */
  readonly areas: readonly number[];
}

/**
 * The regions of the pixels that have this value. `touching`: whether pixels that share an edge are of one region, or also
 * those that share a corner.
 */
export function regionsOf(mask: WindowMask, value: 0 | 1, touching: "edges" | "corners"): Regions {
  const { width, height, bits } = mask;
  const labels = new Int32Array(bits.length);
  const areas: number[] = [];
  const stack: number[] = [];
  const corners = touching === "corners";
  for (let start = 0; start < bits.length; start++) {
    if (bits[start] !== value || labels[start] !== 0) continue;
    const label = areas.length + 1;
    let area = 0;
    labels[start] = label;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      area++;
      const column = at % width;
      const row = (at - column) / width;
      for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
          const next = y * width + x;
          if (bits[next] !== value || labels[next] !== 0) continue;
          if (!corners && x !== column && y !== row) continue;
          labels[next] = label;
          stack.push(next);
        }
      }
    }
    areas.push(area);
  }
  return { labels, areas };
}
