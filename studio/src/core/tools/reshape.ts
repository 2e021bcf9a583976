/** The vertices of the one selected object, for the select tool. */

import type { Polygon } from "../polygons";
import type { ImageXY, MaskObject, WindowMask } from "../types";
import {
  edgeAt,
  editablePolygons,
  reshaped,
  type VertexRef,
  vertexAt,
  vertexDeleted,
  vertexInserted,
  vertexMoved,
} from "../vertices";
import { type Pointer, type ToolContext, within } from "./tool";

/** Screen pixels within which a vertex, or an edge, is taken hold of. */
const VERTEX_REACH = 8;
const EDGE_REACH = 5;
/** Smaller objects, in screen pixels, are moved and not reshaped: all of them would be edge. */
const LEAST_SIDE = 48;

/** A vertex in hand: `before` the outline with it, `after` as it has been dragged. */
export interface Reshaping {
  readonly object: MaskObject;
  readonly before: readonly Polygon[];
  readonly after: readonly Polygon[];
  readonly ref: VertexRef;
}

const outlines = new WeakMap<WindowMask, { tolerance: number; polygons: readonly Polygon[] }>();

/** The outline that can be taken hold of; none if no object may be changed. */
export function outlineOf(context: ToolContext): readonly Polygon[] {
  const mask = context.target?.mask;
  if (mask === undefined) return [];
  const known = outlines.get(mask);
  if (known?.tolerance === context.tolerance) return known.polygons;
  const polygons = editablePolygons(mask, context.tolerance, context.size);
  outlines.set(mask, { tolerance: context.tolerance, polygons });
  return polygons;
}

/** What a press takes hold of: a vertex, or a new one where the outline is pressed. null: neither. */
export function takenHold(pointer: Pointer, context: ToolContext): Reshaping | null {
  const { target: object } = context;
  if (object === null || Math.max(object.mask.width, object.mask.height) * pointer.scale < LEAST_SIDE)
    return null;
  const before = outlineOf(context);
  const hit = vertexAt(before, pointer.at, VERTEX_REACH / pointer.scale);
  if (hit !== null) return { object, before, after: before, ref: hit.ref };
  const edge = edgeAt(before, pointer.at, EDGE_REACH / pointer.scale);
  if (edge === null) return null;
  const ref = { ...edge, vertex: edge.vertex + 1 };
  return { object, before, after: vertexInserted(before, edge, pointer.at), ref };
}

export function draggedTo(reshaping: Reshaping, at: ImageXY, context: ToolContext): Reshaping {
  return { ...reshaping, after: vertexMoved(reshaping.after, reshaping.ref, within(at, context.size)) };
}

/** Whether a press took hold of a vertex that is there, and not of an edge. */
export function isVertex(reshaping: Reshaping): boolean {
  return reshaping.after === reshaping.before;
}

/** The place of a vertex in `verticesOf(outlineOf(context))`, null if it is not there any more. */
export function indexOf(ref: VertexRef, context: ToolContext): number | null {
  const outline = outlineOf(context);
  const rings = (polygon: Polygon | undefined) => (polygon ? [polygon.exterior, ...polygon.holes] : []);
  if (rings(outline[ref.polygon])[ref.ring]?.[ref.vertex] === undefined) return null;
  const before = outline.slice(0, ref.polygon).flatMap(rings).flat().length;
  return before + rings(outline[ref.polygon]).slice(0, ref.ring).flat().length + ref.vertex;
}

export function maskAfter({ object, before, after }: Reshaping, context: ToolContext): WindowMask {
  return reshaped(object.mask, before, after, context.size);
}

/** The mask without a vertex. */
export function maskWithout(ref: VertexRef, object: MaskObject, context: ToolContext): WindowMask {
  const before = outlineOf(context);
  return reshaped(object.mask, before, vertexDeleted(before, ref), context.size);
}
