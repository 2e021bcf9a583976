/** Fewer vertices, and what they cost (Douglas and Peucker, 1973). */

import { iou } from "./masks";
import { type Polygon, polygonsToMask, type Ring, vertexCount } from "./polygons";
import type { ImageXY } from "./types";

export interface Simplified {
  readonly polygons: readonly Polygon[];
  /** Of the filled result with the filled original, 0 to 1. */
  readonly iou: number;
  /** No vertex that was left out lies farther from the outline, pixels. */
  readonly maxDeviation: number;
  readonly vertices: number;
}

interface Reduced {
  readonly ring: Ring;
  readonly deviation: number;
}

const MOST_HALVINGS = 6;

/**
 * Vertices left out so that no outline moves by more than `tolerance` pixels. An outline that would cross itself or
 * another of its polygon keeps more of them. Tolerance 0 only drops vertices on straight lines.
 */
export function simplify(
  polygons: readonly Polygon[],
  tolerance: number,
  size: readonly [height: number, width: number],
): Simplified {
  const results = polygons.map((polygon) => simplified(polygon, tolerance));
  const after = results.map(({ polygon }) => polygon);
  return {
    polygons: after,
    iou: iou(polygonsToMask(polygons, size), polygonsToMask(after, size)),
    maxDeviation: Math.max(0, ...results.map(({ deviation }) => deviation)),
    vertices: vertexCount(after),
  };
}

function simplified(polygon: Polygon, tolerance: number): { polygon: Polygon; deviation: number } {
  let allowed = tolerance;
  for (let attempt = 0; attempt <= MOST_HALVINGS; attempt++, allowed /= 2) {
    const [exterior, ...holes] = [polygon.exterior, ...polygon.holes].map((ring) => reduced(ring, allowed));
    const rings = [exterior as Reduced, ...holes];
    if (crosses(rings.map(({ ring }) => ring))) continue;
    return {
      polygon: { exterior: (exterior as Reduced).ring, holes: holes.map(({ ring }) => ring) },
      deviation: Math.max(...rings.map(({ deviation }) => deviation)),
    };
  }
  return { polygon, deviation: 0 };
}

/** A ring with fewer vertices, three at least: where less would be left, the tolerance is halved. */
function reduced(ring: Ring, tolerance: number): Reduced {
  let allowed = tolerance;
  for (let attempt = 0; attempt <= MOST_HALVINGS; attempt++, allowed /= 2) {
    const result = reducedRing(ring, allowed);
    if (result.ring.length >= 3) return result;
  }
  return { ring, deviation: 0 };
}

/** A closed ring is cut at its first vertex and the one farthest from it; both halves are lines with fixed ends. */
function reducedRing(ring: Ring, tolerance: number): Reduced {
  const first = ring[0] as ImageXY;
  let far = 0;
  ring.forEach((vertex, i) => {
    if (distance(vertex, first) > distance(ring[far] as ImageXY, first)) far = i;
  });
  const there = reducedLine(ring.slice(0, far + 1), tolerance);
  const back = reducedLine([...ring.slice(far), first], tolerance);
  return {
    ring: [...there.ring.slice(0, -1), ...back.ring.slice(0, -1)],
    deviation: Math.max(there.deviation, back.deviation),
  };
}

function reducedLine(line: Ring, tolerance: number): Reduced {
  const keep = new Uint8Array(line.length);
  keep[0] = keep[line.length - 1] = 1;
  let deviation = 0;
  const parts: [number, number][] = [[0, line.length - 1]];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const [from, to] = part;
    let worst = from;
    let most = 0;
    for (let i = from + 1; i < to; i++) {
      const off = offSegment(line[i] as ImageXY, line[from] as ImageXY, line[to] as ImageXY);
      if (off > most) [worst, most] = [i, off];
    }
    if (most > tolerance) {
      keep[worst] = 1;
      parts.push([from, worst], [worst, to]);
    } else {
      deviation = Math.max(deviation, most);
    }
  }
  return { ring: line.filter((_, i) => keep[i] === 1), deviation };
}

/** Distance of a place from a segment. */
export function offSegment(at: ImageXY, from: ImageXY, to: ImageXY): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const square = dx * dx + dy * dy;
  if (square === 0) return distance(at, from);
  const share = Math.min(Math.max(((at[0] - from[0]) * dx + (at[1] - from[1]) * dy) / square, 0), 1);
  return Math.hypot(at[0] - from[0] - share * dx, at[1] - from[1] - share * dy);
}

interface Edge {
  readonly a: ImageXY;
  readonly b: ImageXY;
  readonly left: number;
  readonly right: number;
}

/** Whether edges cross that are no neighbours; outlines that only touch at a vertex do not cross. */
function crosses(rings: readonly Ring[]): boolean {
  const edges = rings.flatMap((ring) =>
    ring.map((a, i): Edge => {
      const b = ring[(i + 1) % ring.length] as ImageXY;
      return { a, b, left: Math.min(a[0], b[0]), right: Math.max(a[0], b[0]) };
    }),
  );
  edges.sort((one, other) => one.left - other.left);
  for (let i = 0; i < edges.length; i++) {
    const one = edges[i] as Edge;
    for (let j = i + 1; j < edges.length && (edges[j] as Edge).left <= one.right; j++) {
      if (cross(one, edges[j] as Edge)) return true;
    }
  }
  return false;
}

function cross({ a, b }: Edge, { a: c, b: d }: Edge): boolean {
  const side = (p: ImageXY, q: ImageXY, r: ImageXY) =>
    Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

function distance(one: ImageXY, other: ImageXY): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1]);
}
