/** Small values for tests. */

import type { MaskObject, WindowMask } from "../../src/core/types";

/** A mask drawn with letters: # is set. Its window is the drawing's frame. */
export function drawn(x: number, y: number, ...rows: string[]): WindowMask {
  const width = rows[0]?.length ?? 0;
  const bits = Uint8Array.from(rows.join(""), (letter) => (letter === "#" ? 1 : 0));
  return { x, y, width, height: rows.length, bits };
}

export function block(x: number, y: number, width: number, height: number): WindowMask {
  return { x, y, width, height, bits: new Uint8Array(width * height).fill(1) };
}

export function object(id: string, change: Partial<MaskObject> = {}): MaskObject {
  const mask = change.mask ?? block(0, 0, 2, 2);
  return {
    id,
    mask,
    area: mask.bits.reduce((sum, bit) => sum + bit, 0),
    label: null,
    attributes: {},
    locked: false,
    position: 1024,
    source: "click",
    score: 0.9,
    stability: null,
    prompts: [],
    seconds: 1,
    author: null,
    model: null,
    ...change,
  };
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}
