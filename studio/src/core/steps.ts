/**
 * The steps of undo as plain values that outlive the page: masks as RLE, and the rows that were the objects' heads.
 *
 * Steps are only good on top of the very state they were made in. After a reload those of objects that have another
 * head by then (another person's, or another browser's) are forgotten.
 */

import { type Diff, type Document, forgetObject } from "./document";
import { maskArea } from "./masks";
import { decodeRle, encodeRle } from "./rle";
import type { Id, MaskObject, Rle } from "./types";

type StoredObject = Omit<MaskObject, "mask" | "area"> & { readonly rle: Rle };

interface StoredDiff {
  readonly name: string;
  readonly changes: readonly (readonly [Id, StoredObject | null, StoredObject | null])[];
}

export interface StoredSteps {
  readonly past: readonly StoredDiff[];
  readonly future: readonly StoredDiff[];
  /** Of every object that a step changes. */
  readonly heads: readonly (readonly [object: Id, row: Id])[];
}

/** Steps that are kept over a reload. */
const KEPT = 100;

type Size = readonly [height: number, width: number];

function stored(object: MaskObject | null, size: Size): StoredObject | null {
  if (!object) return null;
  const { mask, area: _area, ...rest } = object;
  return { ...rest, rle: encodeRle(mask, size) };
}

function restored(object: StoredObject | null): MaskObject | null {
  if (!object) return null;
  const { rle, ...rest } = object;
  const mask = decodeRle(rle);
  return { ...rest, mask, area: maskArea(mask) };
}

// A step is written with every later one: what it looks like is worked out once.
const written = new WeakMap<Diff, StoredDiff>();

function storedDiff(diff: Diff, size: Size): StoredDiff {
  const known = written.get(diff);
  if (known) return known;
  const changes = [...diff.changes].map(
    ([id, { before, after }]) => [id, stored(before, size), stored(after, size)] as const,
  );
  const result = { name: diff.name, changes };
  written.set(diff, result);
  return result;
}

function restoredDiff({ name, changes }: StoredDiff): Diff {
  return {
    name,
    changes: new Map(
      changes.map(([id, before, after]) => [id, { before: restored(before), after: restored(after) }]),
    ),
  };
}

/** The document's steps, the last ones at least. `size`: of the picture. */
export function storeSteps(document: Document, size: Size): StoredSteps {
  const past = document.past.slice(-KEPT);
  const future = document.future.slice(-KEPT);
  const touched = new Set([...past, ...future].flatMap((step) => [...step.changes.keys()]));
  return {
    past: past.map((step) => storedDiff(step, size)),
    future: future.map((step) => storedDiff(step, size)),
    heads: [...touched].flatMap((id) => {
      const head = document.heads.get(id);
      return head === undefined ? [] : [[id, head] as const];
    }),
  };
}

/** The document with the steps of an earlier page, as far as they still fit. Throws RleError for damaged ones. */
export function withSteps(document: Document, steps: StoredSteps): Document {
  let next: Document = {
    ...document,
    past: steps.past.map(restoredDiff),
    future: steps.future.map(restoredDiff),
  };
  for (const [object, head] of steps.heads)
    if (document.heads.get(object) !== head) next = forgetObject(next, object);
  return next;
}
