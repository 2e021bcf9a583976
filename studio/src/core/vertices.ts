/**
 * Reshaping a mask by its vertices. The mask stays a mask: only the pixels change that lie between the outline before and
 * after, so that taking hold of a simplified outline loses nothing elsewhere.
 */

import { subtract, union } from "./masks";
import { maskToPolygons, type Polygon, polygonsToMask, type Ring, vertexCount } from "./polygons";
import { offSegment, simplify } from "./simplify";
import type { ImageXY, WindowMask } from "./types";

type Size = readonly [height: number, width: number];

/** A vertex, or the edge that begins at it. */
export interface VertexRef {
  readonly polygon: number;
  /** 0: the outline, else a hole. */
  readonly ring: number;
  readonly vertex: number;
}

/** More vertices than a person can take hold of. */
const MOST_VERTICES = 400;

/**
 * The mask's polygons with few enough vertices, none farther than `tolerance` from the outline if that is possible; none at
 * all for a mask of so many parts that even triangles would be too many.
 */
export function editablePolygons(mask: WindowMask, tolerance: number, size: Size): readonly Polygon[] {
  const exact = maskToPolygons(mask);
  for (let allowed = tolerance; ; allowed *= 2) {
    const { polygons } = simplify(exact, allowed, size);
    if (vertexCount(polygons) <= MOST_VERTICES) return polygons;
    if (allowed > Math.max(...size)) return [];
  }
}

/** All vertices in the order of `refs`. */
export function verticesOf(polygons: readonly Polygon[]): readonly ImageXY[] {
  return polygons.flatMap(ringsOf).flat();
}

/** The nearest vertex within `reach` pixels, and its place in `verticesOf`. */
export function vertexAt(
  polygons: readonly Polygon[],
  at: ImageXY,
  reach: number,
): { readonly ref: VertexRef; readonly index: number } | null {
  let found: { ref: VertexRef; index: number } | null = null;
  let nearest = reach;
  let index = 0;
  for (const { ref, from } of edges(polygons)) {
    const off = Math.hypot(at[0] - from[0], at[1] - from[1]);
    if (off <= nearest) {
      nearest = off;
      found = { ref, index };
    }
    index++;
  }
  return found;
}

/** The nearest edge within `reach` pixels, by the vertex that it begins at. */
export function edgeAt(polygons: readonly Polygon[], at: ImageXY, reach: number): VertexRef | null {
  let found: VertexRef | null = null;
  let nearest = reach;
  for (const { ref, from, to } of edges(polygons)) {
    const off = offSegment(at, from, to);
    if (off > nearest) continue;
    nearest = off;
    found = ref;
  }
  return found;
}

/** With a vertex at another place. */
export function vertexMoved(polygons: readonly Polygon[], ref: VertexRef, to: ImageXY): readonly Polygon[] {
  return withRing(polygons, ref, (ring) => ring.map((vertex, i) => (i === ref.vertex ? to : vertex)));
}

/** With a vertex more, after that of `edge`. */
export function vertexInserted(
  polygons: readonly Polygon[],
  edge: VertexRef,
  at: ImageXY,
): readonly Polygon[] {
  return withRing(polygons, edge, (ring) => ring.toSpliced(edge.vertex + 1, 0, at));
}

/** Without a vertex. A hole of three goes whole; of an outline three stay. */
export function vertexDeleted(polygons: readonly Polygon[], ref: VertexRef): readonly Polygon[] {
  const ring = ringsOf(polygons[ref.polygon] as Polygon)[ref.ring] as Ring;
  if (ring.length > 3) return withRing(polygons, ref, (old) => old.toSpliced(ref.vertex, 1));
  if (ref.ring === 0) return polygons;
  return polygons.map((polygon, i) =>
    i === ref.polygon ? { ...polygon, holes: polygon.holes.toSpliced(ref.ring - 1, 1) } : polygon,
  );
}

/** The mask after its outline `before` became `after`. */
export function reshaped(
  mask: WindowMask,
  before: readonly Polygon[],
  after: readonly Polygon[],
  size: Size,
): WindowMask {
  const [old, now] = [polygonsToMask(before, size), polygonsToMask(after, size)];
  return subtract(union(mask, subtract(now, old)), subtract(old, now));
}

function ringsOf(polygon: Polygon): readonly Ring[] {
  return [polygon.exterior, ...polygon.holes];
}

interface EdgeOf {
  readonly ref: VertexRef;
  readonly from: ImageXY;
  readonly to: ImageXY;
}

function* edges(polygons: readonly Polygon[]): Generator<EdgeOf> {
  for (const [polygon, one] of polygons.entries()) {
    for (const [ring, vertices] of ringsOf(one).entries()) {
      for (const [vertex, from] of vertices.entries()) {
        yield {
          ref: { polygon, ring, vertex },
          from,
          to: vertices[(vertex + 1) % vertices.length] as ImageXY,
        };
      }
    }
  }
}

function withRing(
  polygons: readonly Polygon[],
  ref: VertexRef,
  change: (ring: Ring) => Ring,
): readonly Polygon[] {
  return polygons.map((polygon, i) => {
    if (i !== ref.polygon) return polygon;
    const [exterior, ...holes] = ringsOf(polygon).map((ring, j) => (j === ref.ring ? change(ring) : ring));
    return { exterior: exterior as Ring, holes };
  });
}
