/** Changes of the document as rows for the server. */

import { type Diff, type Document, withHeads } from "./document";
import { newId } from "./ids";
import { maskArea } from "./masks";
import { decodeRle, encodeRle } from "./rle";
import type { Id, KeptPrompt, MaskObject, MaskRow } from "./types";

/** Steps of `position` between neighbours, so that another object fits between them. */
export const POSITION_STEP = 1024;

/** The row that makes `object` (null: nothing) the state of the object that was `before`, on top of the row `parent`. */
function rowOf(
  image: { readonly id: Id; readonly width: number; readonly height: number },
  state: MaskObject,
  deleted: boolean,
  parent: Id | null,
): MaskRow {
  return {
    id: newId(),
    image_id: image.id,
    object_id: state.id,
    parent_id: parent,
    author_id: null,
    created: null,
    rle: encodeRle(state.mask, [image.height, image.width]),
    label_id: state.label,
    attributes: state.attributes,
    position: state.position,
    deleted,
    locked: state.locked,
    source: state.source,
    score: state.score,
    stability: state.stability,
    model_sha256: state.model,
    prompts: state.prompts,
    seconds: state.seconds,
  };
}

/** The rows of a diff that has been done to `document`, and the document with these rows as heads. */
export function rowsOf(
  image: { readonly id: Id; readonly width: number; readonly height: number },
  document: Document,
  diff: Diff,
): { rows: MaskRow[]; document: Document } {
  const rows: MaskRow[] = [];
  for (const [id, { before, after }] of diff.changes) {
    const state = after ?? before;
    if (state) rows.push(rowOf(image, state, after === null, document.heads.get(id) ?? null));
  }
  return {
    rows,
    document: withHeads(
      document,
      rows.map((row) => [row.object_id, row.id] as const),
    ),
  };
}

/** The object whose present state `row` is; null if it is gone. Throws RleError. */
export function objectOf(row: MaskRow): MaskObject | null {
  return row.deleted ? null : stateOf(row);
}

/** The object as `row` holds it, also if the row says that it is gone. Throws RleError. */
export function stateOf(row: MaskRow): MaskObject {
  const mask = decodeRle(row.rle);
  return {
    id: row.object_id,
    mask,
    area: maskArea(mask),
    label: row.label_id,
    attributes: row.attributes,
    locked: row.locked,
    position: row.position,
    source: row.source,
    score: row.score,
    stability: row.stability,
    prompts: row.prompts as readonly KeptPrompt[],
    seconds: row.seconds,
    author: row.author_id,
    model: row.model_sha256,
  };
}

/** The document of the server's heads, with rows on top that are not saved yet. */
export function headsAndObjects(rows: Iterable<MaskRow>): { objects: MaskObject[]; heads: Map<Id, Id> } {
  const last = new Map<Id, MaskRow>();
  for (const row of rows) last.set(row.object_id, row);
  const objects: MaskObject[] = [];
  const heads = new Map<Id, Id>();
  for (const [id, row] of last) {
    heads.set(id, row.id);
    const object = objectOf(row);
    if (object) objects.push(object);
  }
  return { objects, heads };
}
