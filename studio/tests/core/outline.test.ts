import { describe, expect, test } from "vitest";
import { tight } from "../../src/core/masks";
import { outlinesOf } from "../../src/core/outline";
import type { WindowMask } from "../../src/core/types";
import { block, drawn, random } from "./make";

/** Filled by the even-odd rule: a pixel is inside if a ray to the left of its centre crosses an odd number of edges. */
function filled(outlines: readonly Int32Array[], { x, y, width, height }: WindowMask): number[] {
  const bits: number[] = [];
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) {
      let crossings = 0;
      for (const outline of outlines) {
        for (let i = 0; i < outline.length; i += 2) {
          const [x0, y0] = [outline[i] as number, outline[i + 1] as number];
          const [x1, y1] = [
            outline[(i + 2) % outline.length] as number,
            outline[(i + 3) % outline.length] as number,
          ];
          if (x0 === x1 && x0 <= column && Math.min(y0, y1) <= row && row < Math.max(y0, y1)) crossings++;
        }
      }
      bits.push(crossings % 2);
    }
  }
  return bits;
}

function signedArea(outline: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < outline.length; i += 2) {
    const j = (i + 2) % outline.length;
    sum +=
      (outline[i] as number) * (outline[j + 1] as number) -
      (outline[j] as number) * (outline[i + 1] as number);
  }
  return sum / 2;
}

test("a block has four corners, in pixels of the picture", () => {
  expect(outlinesOf(block(3, 5, 4, 2)).map((outline) => [...outline])).toEqual([[3, 5, 7, 5, 7, 7, 3, 7]]);
});

test("nothing has no outline", () => {
  expect(outlinesOf(block(0, 0, 0, 0))).toEqual([]);
  expect(outlinesOf(drawn(0, 0, "..", ".."))).toEqual([]);
});

test("a hole is an outline that runs the other way", () => {
  const ring = outlinesOf(drawn(0, 0, "###", "#.#", "###"));
  expect(ring.map(signedArea)).toEqual([9, -1]);
});

test("pixels that touch at a corner have outlines of their own", () => {
  expect(outlinesOf(drawn(0, 0, "#.", ".#")).map(signedArea)).toEqual([1, 1]);
});

describe.each([1, 2, 3, 4, 5, 6])("any mask (seed %i)", (seed) => {
  const chance = random(seed);
  const [width, height] = [1 + Math.floor(chance() * 24), 1 + Math.floor(chance() * 24)];
  const density = chance();
  const bits = Uint8Array.from({ length: width * height }, () => (chance() < density ? 1 : 0));
  const mask = { x: 7, y: 3, width, height, bits };

  test("its outlines filled are the mask", () => {
    expect(filled(outlinesOf(mask), mask)).toEqual([...bits]);
  });

  test("their areas add up to its area", () => {
    const area = outlinesOf(mask).reduce((sum, outline) => sum + signedArea(outline), 0);
    expect(area).toBe(bits.reduce((sum, bit) => sum + bit, 0));
  });

  test("every corner is a turn", () => {
    for (const outline of outlinesOf(tight(mask))) {
      for (let i = 0; i < outline.length; i += 2) {
        const horizontal = (a: number, b: number) =>
          outline[(a + 1) % outline.length] === outline[(b + 1) % outline.length];
        expect(horizontal(i, i + 2)).not.toBe(horizontal(i + 2, i + 4));
      }
    }
  });
});
