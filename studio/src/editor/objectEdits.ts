/** What panels and keys do with objects, without the model. */

import * as server from "../api/server";
import { type Diff, diffOf } from "../core/document";
import * as edits from "../core/edits";
import { fillHoles, keepLargest } from "../core/masks";
import { stateOf } from "../core/rows";
import type { Id, MaskObject, MaskRow, WindowMask } from "../core/types";
import type { Book } from "./book";
import type { Host } from "./host";

export class ObjectEdits {
  constructor(
    private readonly host: Host,
    private readonly book: Book,
    private readonly select: (ids: Iterable<Id>) => void,
  ) {}

  toggleLocked(id: Id): void {
    const locks = !this.book.object(id)?.locked;
    this.#change(locks ? "Lock" : "Unlock", [id], (object) => ({ ...object, locked: !object.locked }), true);
  }

  remove(ids: Iterable<Id>): void {
    this.#change("Delete", ids, () => null);
  }

  duplicate(ids: Iterable<Id>): void {
    const { image } = this.host.state;
    if (!image) return;
    const diff = edits.duplicated(this.book.document, ids, [image.height, image.width]);
    this.book.perform(diff);
    this.select(diff.changes.keys());
  }

  relabel(ids: Iterable<Id>, label: Id | null): void {
    this.book.perform(edits.relabelled(this.book.document, ids, label));
  }

  setAttributes(id: Id, attributes: MaskObject["attributes"]): void {
    this.#change("Attributes", [id], (object) => ({ ...object, attributes }));
  }

  reorder(id: Id, where: "up" | "down" | "top" | "bottom"): void {
    this.book.perform(edits.reordered(this.book.document, id, where));
  }

  combine(ids: readonly Id[], operation: edits.Combination): void {
    if (this.#attempt(edits.combined(this.book.document, ids, operation))) this.select(ids.slice(0, 1));
  }

  split(ids: Iterable<Id>): void {
    this.#attempt(edits.split(this.book.document, ids));
  }

  fillHoles(ids: Iterable<Id>): void {
    const { image } = this.host.state;
    if (image) this.#remask("Fill holes", ids, (mask) => fillHoles(mask, [image.height, image.width]));
  }

  removeIslands(ids: Iterable<Id>): void {
    this.#remask("Remove islands", ids, keepLargest);
  }

  async simplify(
    id: Id,
    tolerance: number,
    apply: boolean,
  ): Promise<{ vertices: number; error: number } | null> {
    const { image } = this.host.state;
    const object = this.book.object(id);
    if (!image || !object) return null;
    const { mask, vertices, error } = await server.simplify(image.id, object.mask, tolerance);
    if (apply && this.book.object(id) === object) this.#remask("Simplify", [id], () => mask);
    return { vertices, error };
  }

  bringBack(row: MaskRow): void {
    const present = this.book.object(row.object_id);
    if (!present || present.locked || row.deleted) return;
    const { label, attributes, position, locked } = present;
    const before = { ...stateOf(row), label, attributes, position, locked };
    this.book.perform(diffOf(this.book.document, "Bring back", [before]));
  }

  #change(
    name: string,
    ids: Iterable<Id>,
    change: (object: MaskObject) => MaskObject | null,
    locked = false,
  ): void {
    this.book.perform(edits.changed(this.book.document, name, ids, change, locked));
  }

  #remask(name: string, ids: Iterable<Id>, remask: (mask: WindowMask) => WindowMask): void {
    this.#change(name, ids, (object) => edits.withMask(object, remask(object.mask)));
  }

  /** Does what was worked out, or says why it was not. */
  #attempt(result: Diff | string): boolean {
    if (typeof result === "string") this.host.say("info", result);
    else this.book.perform(result);
    return typeof result !== "string";
  }
}
