/**
 * The objects of one picture. They are changed by diffs alone, and undo is the reversed diff.
 *
 * Every value here is immutable; functions give new ones. The document also knows which row of the server (saved or
 * still waiting) holds each object's present state, because a change becomes a new row whose parent is that one:
 * undoing, too, only ever adds rows.
 */

import type { Id, MaskObject } from "./types";

export interface Change {
  /** null: the object was not there. */
  readonly before: MaskObject | null;
  /** null: the object is gone. */
  readonly after: MaskObject | null;
}

/** What one step of a person's work changed. */
export interface Diff {
  readonly name: string;
  readonly changes: ReadonlyMap<Id, Change>;
}

export interface Document {
  readonly objects: ReadonlyMap<Id, MaskObject>;
  /** The row that holds each object's state; objects that are gone keep theirs. */
  readonly heads: ReadonlyMap<Id, Id>;
  readonly past: readonly Diff[];
  readonly future: readonly Diff[];
}

/** Steps that can be taken back; older ones are forgotten. */
export const DEPTH = 500;

export const EMPTY: Document = { objects: new Map(), heads: new Map(), past: [], future: [] };

/** The document of `objects`, whose rows are `heads`, with the steps of earlier visits. */
export function open(
  objects: Iterable<MaskObject>,
  heads: ReadonlyMap<Id, Id>,
  steps: { past: readonly Diff[]; future: readonly Diff[] } = { past: [], future: [] },
): Document {
  return {
    objects: new Map([...objects].map((object) => [object.id, object])),
    heads,
    past: steps.past,
    future: steps.future,
  };
}

export function reverse(diff: Diff): Diff {
  const changes = new Map<Id, Change>();
  for (const [id, change] of diff.changes) changes.set(id, { before: change.after, after: change.before });
  return { name: diff.name, changes };
}

/** One diff that does what `first` and then `second` do; changes that cancel out are left away. */
export function join(first: Diff, second: Diff): Diff {
  const changes = new Map(first.changes);
  for (const [id, change] of second.changes) {
    const earlier = changes.get(id);
    const joined = { before: earlier ? earlier.before : change.before, after: change.after };
    if (joined.before === joined.after) changes.delete(id);
    else changes.set(id, joined);
  }
  return { name: second.name, changes };
}

/** The diff that puts `objects` in place of those with the same ids, and takes the ids of `removed` away. */
export function diffOf(
  document: Document,
  name: string,
  objects: Iterable<MaskObject>,
  removed: Iterable<Id> = [],
): Diff {
  const changes = new Map<Id, Change>();
  for (const object of objects) {
    const before = document.objects.get(object.id) ?? null;
    if (before !== object) changes.set(object.id, { before, after: object });
  }
  for (const id of removed) {
    const before = document.objects.get(id);
    if (before) changes.set(id, { before, after: null });
  }
  return { name, changes };
}

function applied(objects: ReadonlyMap<Id, MaskObject>, diff: Diff): ReadonlyMap<Id, MaskObject> {
  const next = new Map(objects);
  for (const [id, { after }] of diff.changes) {
    if (after) next.set(id, after);
    else next.delete(id);
  }
  return next;
}

/** `diff` done as a step of its own; what had been undone can no longer be redone. */
export function perform(document: Document, diff: Diff): Document {
  if (diff.changes.size === 0) return document;
  return {
    ...document,
    objects: applied(document.objects, diff),
    past: [...document.past, diff].slice(-DEPTH),
    future: [],
  };
}

/** The last step taken back, and the diff that did it; null if there is none or another's change is in its way. */
export function undo(document: Document): { document: Document; diff: Diff } | null {
  const step = document.past.at(-1);
  if (!step) return null;
  const diff = reverse(step);
  return {
    diff,
    document: {
      ...document,
      objects: applied(document.objects, diff),
      past: document.past.slice(0, -1),
      future: [...document.future, step],
    },
  };
}

/** The last step taken back, done again. */
export function redo(document: Document): { document: Document; diff: Diff } | null {
  const step = document.future.at(-1);
  if (!step) return null;
  return {
    diff: step,
    document: {
      ...document,
      objects: applied(document.objects, step),
      past: [...document.past, step],
      future: document.future.slice(0, -1),
    },
  };
}

/** The document after `rows` became the heads of their objects. */
export function withHeads(document: Document, rows: Iterable<readonly [object: Id, row: Id]>): Document {
  const heads = new Map(document.heads);
  for (const [object, row] of rows) heads.set(object, row);
  return { ...document, heads };
}

function touches(diff: Diff, object: Id): boolean {
  return diff.changes.has(object);
}

function without(diff: Diff, object: Id): Diff {
  const changes = new Map(diff.changes);
  changes.delete(object);
  return { ...diff, changes };
}

function forget(steps: readonly Diff[], object: Id): readonly Diff[] {
  if (!steps.some((step) => touches(step, object))) return steps;
  return steps
    .map((step) => (touches(step, object) ? without(step, object) : step))
    .filter((step) => step.changes.size > 0);
}

/**
 * The document after another person changed an object to `after` (null: deleted) with the row `head`. It is no step;
 * one's own steps on that object can no longer be taken back, because that would take the other's work back, too.
 */
export function receive(document: Document, object: Id, after: MaskObject | null, head: Id): Document {
  const objects = new Map(document.objects);
  if (after) objects.set(object, after);
  else objects.delete(object);
  return forgetObject({ ...document, objects, heads: new Map(document.heads).set(object, head) }, object);
}

/** The document without the steps' changes of one object: they can no longer be taken back or done again. */
export function forgetObject(document: Document, object: Id): Document {
  return { ...document, past: forget(document.past, object), future: forget(document.future, object) };
}

const sortedOf = new WeakMap<ReadonlyMap<Id, MaskObject>, readonly MaskObject[]>();

/** The objects from the lowest to the topmost; equal positions by id, so that every page draws alike. */
export function inOrder(document: Document): readonly MaskObject[] {
  const known = sortedOf.get(document.objects);
  if (known) return known;
  const sorted = [...document.objects.values()].sort(
    (a, b) => a.position - b.position || (a.id < b.id ? -1 : 1),
  );
  sortedOf.set(document.objects, sorted);
  return sorted;
}

/** The highest position; 0 without objects. */
export function topPosition(document: Document): number {
  return inOrder(document).at(-1)?.position ?? 0;
}
