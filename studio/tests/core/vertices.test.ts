/** Fewer vertices, and reshaping by hand. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { iou, maskArea, sameMask, subtract, tight, union } from "../../src/core/masks";
import { maskToPolygons, type Polygon, polygonsToMask, vertexCount } from "../../src/core/polygons";
import { offSegment, simplify } from "../../src/core/simplify";
import type { ImageXY, WindowMask } from "../../src/core/types";
import {
  edgeAt,
  editablePolygons,
  reshaped,
  vertexAt,
  vertexDeleted,
  vertexInserted,
  vertexMoved,
  verticesOf,
} from "../../src/core/vertices";
import { block, random } from "./make";

const { masks } = JSON.parse(readFileSync(new URL("./fixtures/masks.json", import.meta.url), "utf8")) as {
  masks: readonly { rows: readonly string[] }[];
};
/** The blobs, larger than the other masks. */
const blobs = masks
  .filter(({ rows }) => rows.length > 40)
  .map(({ rows }): WindowMask => {
    const bits = Uint8Array.from(rows.join(""), (character) => (character === "#" ? 1 : 0));
    return tight({ x: 0, y: 0, width: (rows[0] as string).length, height: rows.length, bits });
  });
const SIZE = [45, 60] as const;

/** How far each old vertex is from the new outline, at most. */
function offOutline(before: readonly Polygon[], after: readonly Polygon[]): number {
  const edges = after.flatMap(({ exterior, holes }) =>
    [exterior, ...holes].flatMap((ring) =>
      ring.map((from, i) => [from, ring[(i + 1) % ring.length] as ImageXY] as const),
    ),
  );
  const off = verticesOf(before).map((at) =>
    Math.min(...edges.map(([from, to]) => offSegment(at, from, to))),
  );
  return Math.max(...off);
}

describe("simplify", () => {
  test("there are masks to simplify", () => expect(blobs.length).toBe(6));

  test.each(blobs.map((mask, i) => [i, mask] as const))("blob %i", (_i, mask) => {
    const exact = maskToPolygons(mask);
    let fewer = vertexCount(exact);
    for (const tolerance of [0, 0.5, 1, 2, 4]) {
      const { polygons, vertices, maxDeviation, iou: kept } = simplify(exact, tolerance, SIZE);
      expect(vertices).toBe(vertexCount(polygons));
      expect(vertices).toBeLessThanOrEqual(fewer);
      fewer = vertices;
      expect(maxDeviation).toBeLessThanOrEqual(tolerance);
      expect(offOutline(exact, polygons)).toBeLessThanOrEqual(maxDeviation + 1e-9);
      expect(kept).toBeCloseTo(iou(mask, polygonsToMask(polygons, SIZE)), 12);
      if (tolerance === 0) expect(kept).toBe(1);
    }
    expect(fewer).toBeLessThan(vertexCount(exact) / 2);
  });

  test("what is smaller than the tolerance stays", () => {
    const square = maskToPolygons(block(3, 3, 2, 2));
    expect(simplify(square, 10, SIZE).polygons).toEqual(square);
  });

  test("outlines do not cross each other", () => {
    // A ring one pixel wide: at this tolerance its hole would reach beyond its outline.
    const ring = subtract(block(5, 5, 30, 30), block(6, 6, 28, 28));
    const { polygons, iou: kept } = simplify(maskToPolygons(ring), 8, SIZE);
    expect(polygons[0]?.holes).toHaveLength(1);
    expect(kept).toBeGreaterThan(0.9);
  });
});

describe("vertices", () => {
  const square = maskToPolygons(block(10, 10, 20, 20));

  test("the nearest within reach is found, and the nearest edge", () => {
    expect(vertexAt(square, [29, 12], 3)).toMatchObject({ index: 1, ref: { vertex: 1 } });
    expect(vertexAt(square, [25, 15], 3)).toBeNull();
    expect(edgeAt(square, [20, 11], 3)).toMatchObject({ vertex: 0 });
    expect(edgeAt(square, [20, 20], 3)).toBeNull();
  });

  test("moved, inserted, deleted; the original stays", () => {
    const ref = { polygon: 0, ring: 0, vertex: 2 };
    expect(verticesOf(vertexMoved(square, ref, [40, 40]))[2]).toEqual([40, 40]);
    expect(verticesOf(vertexInserted(square, ref, [20, 35]))).toHaveLength(5);
    expect(verticesOf(vertexDeleted(square, ref))).toHaveLength(3);
    expect(verticesOf(square)).toHaveLength(4);
  });

  test("an outline keeps three; a hole of three goes whole", () => {
    const triangle: Polygon = {
      exterior: [
        [0, 0],
        [30, 0],
        [0, 30],
      ],
      holes: [
        [
          [2, 2],
          [2, 8],
          [8, 2],
        ],
      ],
    };
    expect(vertexDeleted([triangle], { polygon: 0, ring: 0, vertex: 0 })).toEqual([triangle]);
    expect(vertexDeleted([triangle], { polygon: 0, ring: 1, vertex: 0 })).toEqual([
      { ...triangle, holes: [] },
    ]);
  });
});

describe("reshaping", () => {
  test.each(blobs.map((mask, i) => [i, mask] as const))(
    "blob %i: far from the vertex nothing changes",
    (i, mask) => {
      const next = random(i + 1);
      const before = editablePolygons(mask, 1.5, SIZE);
      const vertices = verticesOf(before);
      const from = vertices[Math.floor(next() * vertices.length)] as ImageXY;
      const ref = vertexAt(before, from, 0.1)?.ref;
      if (ref === undefined) throw new Error("the vertex is not found again");
      const to: ImageXY = [Math.min(60, from[0] + 4 * next()), Math.max(0, from[1] - 4 * next())];
      const after = vertexMoved(before, ref, to);
      const result = reshaped(mask, before, after, SIZE);
      const differs = union(subtract(result, mask), subtract(mask, result));
      const between = union(
        subtract(polygonsToMask(after, SIZE), polygonsToMask(before, SIZE)),
        subtract(polygonsToMask(before, SIZE), polygonsToMask(after, SIZE)),
      );
      expect(maskArea(subtract(differs, between))).toBe(0);
      expect(sameMask(reshaped(mask, before, before, SIZE), mask)).toBe(true);
    },
  );

  test("a mask of very many corners gets few enough vertices to take hold of, one of very many parts none", () => {
    const next = random(5);
    const wavy = Uint8Array.from({ length: 90 * 90 }, (_, i) => {
      const [x, y] = [(i % 90) - 45, Math.floor(i / 90) - 45];
      return Math.hypot(x, y) < 38 + 5 * next() ? 1 : 0;
    });
    const frayed = { x: 0, y: 0, width: 90, height: 90, bits: wavy };
    expect(vertexCount(maskToPolygons(frayed))).toBeGreaterThan(500);
    const polygons = editablePolygons(frayed, 0.5, [90, 90]);
    expect(vertexCount(polygons)).toBeLessThanOrEqual(400);
    expect(iou(polygonsToMask(polygons, [90, 90]), frayed)).toBeGreaterThan(0.85);
    const bits = Uint8Array.from({ length: 90 * 90 }, () => (next() < 0.2 ? 1 : 0));
    expect(editablePolygons({ ...frayed, bits }, 1, [90, 90])).toEqual([]);
  });
});
