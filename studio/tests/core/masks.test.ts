/** Masks against pycocotools and anymask (fixtures/make_masks.py), and against plain arrays. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { insidePoint } from "../../src/core/decoding/insidePoint";
import {
  clipped,
  fillHoles,
  intersect,
  iou,
  isHit,
  keepLargest,
  maskArea,
  moved,
  overlap,
  regions,
  removeIslands,
  sameMask,
  subtract,
  tight,
  union,
  windowBox,
} from "../../src/core/masks";
import { maskToPolygons, type Polygon, polygonsToMask, signedArea } from "../../src/core/polygons";
import { decodeRle, encodeRle, RleError, readRuns, writeRuns } from "../../src/core/rle";
import type { WindowMask } from "../../src/core/types";

interface Case {
  readonly rows: readonly string[];
  readonly counts: string;
  readonly area: number;
  readonly box: readonly [number, number, number, number];
  readonly filled: string;
  readonly filled_below_4: string;
  readonly without_below_5: string;
  readonly polygons: readonly Polygon[];
  readonly inside: readonly [number, number] | null;
}

const fixture = JSON.parse(readFileSync(new URL("./fixtures/masks.json", import.meta.url), "utf8")) as {
  masks: readonly Case[];
  long_runs: readonly { size: number; runs: readonly number[]; counts: string }[];
};

const cases = fixture.masks.map((one, i) => ({ ...one, name: `mask ${i}, ${sizeOf(one).join(" x ")}` }));

function sizeOf({ rows }: Case): readonly [number, number] {
  return [rows.length, (rows[0] as string).length];
}

/** The whole picture as one window, not tight. */
function whole(one: Case): WindowMask {
  const [height, width] = sizeOf(one);
  const bits = Uint8Array.from(one.rows.join(""), (character) => (character === "#" ? 1 : 0));
  return { x: 0, y: 0, width, height, bits };
}

describe.each(cases)("$name", (one) => {
  const size = sizeOf(one);
  const mask = tight(whole(one));

  test("RLE, both ways", () => {
    expect(encodeRle(mask, size).counts).toBe(one.counts);
    expect(decodeRle({ size, counts: one.counts })).toEqual(mask);
  });

  test("RLE of its window alone", () => {
    if (one.area === 0) return;
    const window = encodeRle({ ...mask, x: 0, y: 0 }, [mask.height, mask.width]);
    expect(decodeRle(window, [mask.x, mask.y])).toEqual(mask);
  });

  test("area and box", () => {
    expect(maskArea(mask)).toBe(one.area);
    if (one.area > 0) expect(windowBox(mask)).toEqual(one.box);
  });

  test("holes and islands", () => {
    expect(encodeRle(fillHoles(mask, size), size).counts).toBe(one.filled);
    expect(encodeRle(fillHoles(mask, size, 4), size).counts).toBe(one.filled_below_4);
    expect(encodeRle(removeIslands(mask, 5), size).counts).toBe(one.without_below_5);
  });

  test("polygons, and back", () => {
    const polygons = maskToPolygons(mask);
    expect(polygons.map(shape)).toEqual(one.polygons.map(shape));
    expect(polygonsToMask(polygons, size)).toEqual(mask);
    for (const { exterior, holes } of polygons) {
      expect(signedArea(exterior)).toBeGreaterThan(0);
      for (const hole of holes) expect(signedArea(hole)).toBeLessThan(0);
    }
  });

  test("the place deepest inside", () => {
    const found = insidePoint(mask);
    if (one.inside === null) expect(found).toBeNull();
    else expect(found).toEqual(one.inside.map((side) => side + 0.5));
  });

  test("a place is hit if its pixel is set", () => {
    one.rows.forEach((row, y) => {
      for (let x = 0; x < row.length; x++) {
        expect(isHit(mask, [x + 0.5, y + 0.5])).toBe(row[x] === "#");
      }
    });
  });

  test("regions are apart and make the mask up", () => {
    const parts = regions(mask);
    expect(parts.reduce((sum, part) => sum + maskArea(part), 0)).toBe(one.area);
    expect(
      sameMask(parts.reduce(union, tight({ ...mask, bits: new Uint8Array(mask.bits.length) })), mask),
    ).toBe(true);
    if (parts.length > 0) expect(maskArea(keepLargest(mask))).toBe(Math.max(...parts.map(maskArea)));
  });
});

/** A polygon in one order, however its parts were found: vertices from the first corner, holes sorted. */
function shape({ exterior, holes }: Polygon): unknown {
  const key = (ring: Polygon["exterior"]) => JSON.stringify([...ring].map((at) => [...at]).sort());
  return { exterior: key(exterior), holes: holes.map(key).sort() };
}

describe("sets of pixels", () => {
  const pairs = cases.flatMap((one, i) =>
    cases.slice(i + 1).flatMap((other) => (sameSize(one, other) ? [[one, other] as const] : [])),
  );

  test("there are pairs to compare", () => {
    expect(pairs.length).toBeGreaterThan(50);
  });

  test.each(pairs)("$0.name and $1.name", (one, other) => {
    const [a, b] = [whole(one), whole(other)];
    const pixels = (rule: (p: number, q: number) => number) =>
      tight({ ...a, bits: a.bits.map((p, i) => rule(p, b.bits[i] as number)) });
    const [tightA, tightB] = [tight(a), tight(b)];
    expect(union(tightA, tightB)).toEqual(pixels((p, q) => p | q));
    expect(intersect(tightA, tightB)).toEqual(pixels((p, q) => p & q));
    expect(subtract(tightA, tightB)).toEqual(pixels((p, q) => p & ~q & 1));
    const both = maskArea(pixels((p, q) => p & q));
    const either = maskArea(pixels((p, q) => p | q));
    expect(overlap(tightA, tightB)).toBe(both);
    expect(iou(tightA, tightB)).toBeCloseTo(either === 0 ? 1 : both / either, 12);
    expect(sameMask(tightA, tightB)).toBe(a.bits.join() === b.bits.join());
  });

  test("inputs are left as they are", () => {
    const a = whole(cases[7] as Case);
    const before = a.bits.slice();
    union(a, a);
    subtract(a, a);
    intersect(a, a);
    fillHoles(a, sizeOf(cases[7] as Case));
    removeIslands(a, 3);
    expect(a.bits).toEqual(before);
  });

  test("a mask moved over the border is cut", () => {
    const mask = { x: 1, y: 1, width: 2, height: 2, bits: new Uint8Array([1, 1, 1, 1]) };
    expect(moved(mask, 2, -2, [4, 4])).toEqual({
      x: 3,
      y: 0,
      width: 1,
      height: 1,
      bits: new Uint8Array([1]),
    });
    expect(maskArea(moved(mask, 9, 0, [4, 4]))).toBe(0);
    expect(clipped(mask, [4, 4])).toEqual(mask);
  });
});

function sameSize(one: Case, other: Case): boolean {
  return sizeOf(one).join() === sizeOf(other).join();
}

describe("runs", () => {
  test.each(fixture.long_runs)("of a picture of $size pixels a side", ({ size, runs, counts }) => {
    expect(readRuns(counts, size * size)).toEqual(runs);
    expect(writeRuns(runs)).toBe(counts);
  });

  test.each([
    ["nothing", "", 4],
    ["too few pixels", writeRuns([1, 2]), 4],
    ["too many pixels", writeRuns([1, 4]), 4],
    ["characters of no RLE", "1 2", 4],
    ["characters beyond it", "1~", 4],
    ["no end", "o", 4],
    ["a negative run", writeRuns([3, 4, -1]), 6],
    ["a number without end", "o".repeat(40), 4],
  ])("%s is refused", (_what, counts, pixels) => {
    expect(() => readRuns(counts, pixels)).toThrow(RleError);
  });

  test("a size that is none, and a mask beyond the picture, are refused", () => {
    expect(() => decodeRle({ size: [0, 3], counts: "3" })).toThrow(RleError);
    const mask = { x: 3, y: 0, width: 2, height: 1, bits: new Uint8Array([1, 1]) };
    expect(() => encodeRle(mask, [4, 4])).toThrow(RleError);
  });
});
