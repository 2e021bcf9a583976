/**
 * Masks as polygons along the pixels' edges, with holes and several parts, and back without losing a pixel.
 *
 * Vertices are pixel corners: the pixel in column 3, row 5 is the square (3, 5) to (4, 6). So areas equal pixel counts,
 * and filling the polygons (a pixel is inside if its centre is, even-odd rule) gives the same mask again. Pixels that
 * touch by a corner only are different parts.
 */

import { clipped, EMPTY_MASK, tight } from "./masks";
import { outlinesOf } from "./outline";
import { regionsOf } from "./regions";
import type { ImageXY, WindowMask } from "./types";

/** Vertices of an outline, not closed: the last joins the first. */
export type Ring = readonly ImageXY[];

/** One part of a mask. */
export interface Polygon {
  readonly exterior: Ring;
  readonly holes: readonly Ring[];
}

/** The parts of a mask as polygons, sorted by the topmost, then leftmost corner. */
export function maskToPolygons(mask: WindowMask): Polygon[] {
  const { labels } = regionsOf(mask, 1, "edges");
  const exteriors = new Map<number, Ring>();
  const holes = new Map<number, Ring[]>();
  for (const { ring, pixel } of tracedRings(mask)) {
    const part = labels[pixel] as number;
    if (signedArea(ring) > 0) exteriors.set(part, ring);
    else holes.set(part, [...(holes.get(part) ?? []), ring]);
  }
  return [...exteriors].map(([part, exterior]) => ({ exterior, holes: holes.get(part) ?? [] }));
}

/** The pixels whose centres lie inside one of the polygons (even-odd within each), cut to the picture. */
export function polygonsToMask(
  polygons: readonly Polygon[],
  size: readonly [height: number, width: number],
): WindowMask {
  const rings = polygons.map((polygon) => [polygon.exterior, ...polygon.holes]);
  const window = boundsOf(rings.flat(2), size);
  if (window === null) return EMPTY_MASK;
  for (const polygon of rings) fill(window, polygon);
  return clipped(tight(window), size);
}

/** Area, positive if inside lies to the right of the way round (clockwise as drawn on a screen). */
export function signedArea(ring: Ring): number {
  let twice = 0;
  for (let i = 0; i < ring.length; i++) {
    const [x0, y0] = ring[i] as ImageXY;
    const [x1, y1] = ring[(i + 1) % ring.length] as ImageXY;
    twice += x0 * y1 - x1 * y0;
  }
  return twice / 2;
}

/** Number of vertices of all outlines. */
export function vertexCount(polygons: readonly Polygon[]): number {
  return polygons.reduce((sum, { exterior, holes }) => sum + [exterior, ...holes].flat().length, 0);
}

interface Traced {
  readonly ring: Ring;
  /** Index of a pixel of the part that the outline belongs to. */
  readonly pixel: number;
}

function tracedRings(mask: WindowMask): Traced[] {
  const found = outlinesOf(mask).flatMap((outline) =>
    split(cornersOf(outline)).map((loop) => placed(loop, mask)),
  );
  return found.sort((a, b) => byTopmost(a.ring[0] as ImageXY, b.ring[0] as ImageXY));
}

function cornersOf(outline: Int32Array): ImageXY[] {
  return Array.from({ length: outline.length / 2 }, (_, i) => [
    outline[2 * i] as number,
    outline[2 * i + 1] as number,
  ]);
}

/** Cuts a ring that meets itself at a corner into simple ones: an outline and a hole that touches it. */
function split(ring: readonly ImageXY[]): ImageXY[][] {
  const loops: ImageXY[][] = [];
  const path: ImageXY[] = [];
  const place = new Map<string, number>();
  for (const corner of ring) {
    const key = `${corner[0]},${corner[1]}`;
    const at = place.get(key);
    if (at !== undefined) {
      const loop = path.splice(at);
      for (const [x, y] of loop) place.delete(`${x},${y}`);
      loops.push(loop);
    }
    place.set(key, path.length);
    path.push(corner);
  }
  return [...loops, path];
}

/** From the topmost, then leftmost corner. */
function placed(loop: readonly ImageXY[], mask: WindowMask): Traced {
  let first = 0;
  for (let i = 1; i < loop.length; i++) {
    if (byTopmost(loop[i] as ImageXY, loop[first] as ImageXY) < 0) first = i;
  }
  const turned = [...loop.slice(first), ...loop.slice(0, first)];
  const [x, y] = turned[0] as ImageXY;
  // The pixel below right of an outline's first corner is set; for a hole the one above right is.
  const row = y - mask.y - (signedArea(turned) > 0 ? 0 : 1);
  return { ring: turned, pixel: row * mask.width + x - mask.x };
}

function byTopmost(a: ImageXY, b: ImageXY): number {
  return a[1] - b[1] || a[0] - b[0];
}

function boundsOf(
  vertices: readonly ImageXY[],
  size: readonly [height: number, width: number],
): WindowMask | null {
  let [x0, y0, x1, y1] = [size[1], size[0], 0, 0];
  for (const [x, y] of vertices) {
    x0 = Math.min(x0, Math.floor(x));
    y0 = Math.min(y0, Math.floor(y));
    x1 = Math.max(x1, Math.ceil(x));
    y1 = Math.max(y1, Math.ceil(y));
  }
  x0 = Math.max(x0, 0);
  y0 = Math.max(y0, 0);
  x1 = Math.min(x1, size[1]);
  y1 = Math.min(y1, size[0]);
  if (x0 >= x1 || y0 >= y1) return null;
  return { x: x0, y: y0, width: x1 - x0, height: y1 - y0, bits: new Uint8Array((x1 - x0) * (y1 - y0)) };
}

/** Sets the window's pixels whose centres are inside the rings. */
function fill(window: WindowMask, rings: readonly Ring[]): void {
  const crossings: number[][] = Array.from({ length: window.height }, () => []);
  for (const ring of rings) addCrossings(crossings, ring, window.y);
  crossings.forEach((xs, row) => {
    xs.sort((a, b) => a - b);
    for (let i = 0; i + 1 < xs.length; i += 2) {
      const first = Math.max(0, Math.ceil((xs[i] as number) - 0.5) - window.x);
      const stop = Math.min(window.width, Math.ceil((xs[i + 1] as number) - 0.5) - window.x);
      if (first < stop) window.bits.fill(1, row * window.width + first, row * window.width + stop);
    }
  });
}

/** Where a ring crosses the centre lines of rows; an edge covers those from its upper end, inclusive, to its lower one. */
function addCrossings(crossings: number[][], ring: Ring, top: number): void {
  for (let i = 0; i < ring.length; i++) {
    const a = ring[i] as ImageXY;
    const b = ring[(i + 1) % ring.length] as ImageXY;
    const [upper, lower] = a[1] <= b[1] ? [a, b] : [b, a];
    const first = Math.max(Math.ceil(upper[1] - 0.5) - top, 0);
    const stop = Math.min(Math.ceil(lower[1] - 0.5) - top, crossings.length);
    for (let row = first; row < stop; row++) {
      const share = (row + top + 0.5 - upper[1]) / (lower[1] - upper[1]);
      (crossings[row] as number[]).push(upper[0] + (lower[0] - upper[0]) * share);
    }
  }
}
