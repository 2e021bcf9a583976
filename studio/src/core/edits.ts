/** What can be done to objects without a model, as diffs. A text in place of a diff says why nothing was done. */

import { type Diff, type Document, diffOf, inOrder, topPosition } from "./document";
import { newId } from "./ids";
import { intersect, isEmpty, maskArea, moved, regions, subtract, unionAll } from "./masks";
import { POSITION_STEP } from "./rows";
import type { Id, MaskObject, WindowMask } from "./types";

export type Combination = "union" | "subtract" | "intersect";

/** Where a duplicate lies beside what it was made of, pixels of the picture. */
const DUPLICATE_SHIFT = 10;

/** The object with a mask that a person made by hand. */
export function withMask(object: MaskObject, mask: WindowMask): MaskObject {
  return { ...object, mask, area: maskArea(mask), source: "edit" };
}

/** Objects as `change` makes them (null or an empty mask: gone). Locked ones stay as they are, unless `locked`. */
export function changed(
  document: Document,
  name: string,
  ids: Iterable<Id>,
  change: (object: MaskObject) => MaskObject | null,
  locked = false,
): Diff {
  const after: MaskObject[] = [];
  const gone: Id[] = [];
  for (const id of ids) {
    const object = document.objects.get(id);
    if (!object || (object.locked && !locked)) continue;
    const next = change(object);
    if (next === null || isEmpty(next.mask)) gone.push(id);
    else after.push(next);
  }
  return diffOf(document, name, after, gone);
}

/** Copies beside their originals, on top of everything; `size` of the picture is [height, width]. */
export function duplicated(document: Document, ids: Iterable<Id>, size: readonly [number, number]): Diff {
  let position = topPosition(document);
  const copies: MaskObject[] = [];
  for (const id of ids) {
    const object = document.objects.get(id);
    if (!object) continue;
    const mask = moved(object.mask, DUPLICATE_SHIFT, DUPLICATE_SHIFT, size);
    if (isEmpty(mask)) continue;
    position += POSITION_STEP;
    copies.push({ ...withMask(object, mask), id: newId(), position, locked: false, seconds: 0 });
  }
  return diffOf(document, "Duplicate", copies);
}

/** Another label; attributes belong to a label, and go with the old one. */
export function relabelled(document: Document, ids: Iterable<Id>, label: Id | null): Diff {
  return changed(document, "Label", ids, (object) =>
    object.label === label ? object : { ...object, label, attributes: {} },
  );
}

/** The object drawn one place, or all places, higher or lower. */
export function reordered(document: Document, id: Id, where: "up" | "down" | "top" | "bottom"): Diff {
  const order = [...inOrder(document)];
  const from = order.findIndex((object) => object.id === id);
  const to = { up: from + 1, down: from - 1, top: order.length - 1, bottom: 0 }[where];
  if (from === -1 || to < 0 || to >= order.length || to === from) return diffOf(document, "Order", []);
  order.splice(to, 0, ...order.splice(from, 1));
  return diffOf(document, "Order", placed(order, to));
}

/** The object at `index` between its neighbours' positions, or all with new positions where there is no room. */
function placed(order: readonly MaskObject[], index: number): readonly MaskObject[] {
  const below = order[index - 1]?.position ?? 0;
  const above = order[index + 1]?.position ?? below + 2 * POSITION_STEP;
  const position = Math.floor((below + above) / 2);
  if (position > below && position < above) return [{ ...(order[index] as MaskObject), position }];
  return order.map((object, place) => {
    const next = (place + 1) * POSITION_STEP;
    return object.position === next ? object : { ...object, position: next };
  });
}

/**
 * The first object made of several. What was subtracted stays an object of its own; the parts of a union or of an
 * intersection become one object.
 */
export function combined(document: Document, ids: readonly Id[], operation: Combination): Diff | string {
  const objects = ids.flatMap((id) => document.objects.get(id) ?? []);
  const [first, ...rest] = objects;
  if (!first || rest.length === 0) return "Select two objects or more.";
  if (objects.some((object) => object.locked)) return "One of the objects is locked. Unlock it first.";
  const mask = combinedMask(
    first.mask,
    rest.map((object) => object.mask),
    operation,
  );
  if (isEmpty(mask)) return "Nothing would be left.";
  const gone = operation === "subtract" ? [] : rest.map((object) => object.id);
  return diffOf(document, NAMES[operation], [withMask(first, mask)], gone);
}

const NAMES = { union: "Unite", subtract: "Subtract", intersect: "Intersect" } as const;

function combinedMask(first: WindowMask, others: readonly WindowMask[], operation: Combination): WindowMask {
  if (operation === "union") return unionAll([first, ...others]);
  if (operation === "subtract") return subtract(first, unionAll(others));
  return others.reduce(intersect, first);
}

/** Every connected part an object of its own; the largest one keeps the object. */
export function split(document: Document, ids: Iterable<Id>): Diff | string {
  let position = topPosition(document);
  const after: MaskObject[] = [];
  for (const id of ids) {
    const object = document.objects.get(id);
    if (!object || object.locked) continue;
    const parts = [...regions(object.mask)].sort((a, b) => maskArea(b) - maskArea(a));
    if (parts.length < 2) continue;
    for (const [index, part] of parts.entries()) {
      const one = withMask(object, part);
      if (index > 0) position += POSITION_STEP;
      after.push(index === 0 ? one : { ...one, id: newId(), position, seconds: 0 });
    }
  }
  return after.length === 0 ? "It is one part already." : diffOf(document, "Split", after);
}
