/** The document of the open picture and all that keeps it: rows on their way to the server, and the steps of undo. */

import * as server from "../api/server";
import * as documents from "../core/document";
import { headsAndObjects, objectOf, rowsOf, stateOf } from "../core/rows";
import { SaveQueue } from "../core/save";
import { type StoredSteps, storeSteps, withSteps } from "../core/steps";
import type { Id, MaskObject, MaskRow } from "../core/types";
import { BrowserJournal, StepsShelf } from "../state/journal";
import type { Host } from "./host";

/** Steps are written so long after the last change. */
const STEPS_MILLISECONDS = 300;

export class Book {
  #document = documents.EMPTY;
  #queue: SaveQueue | null = null;
  #shelf: StepsShelf | null = null;
  #user: Id | null = null;
  /** Rows that this page made. */
  readonly #mine = new Set<Id>();
  #stepsTimer: ReturnType<typeof setTimeout> | null = null;
  /** Settles when it is known whose work this is. */
  readonly #signedIn: Promise<void>;
  #settle: () => void = () => undefined;

  constructor(
    private readonly host: Host,
    /** Called after the document changed; `byHand`: by a step of this page, not by another person. */
    private readonly changed: (byHand: boolean) => void,
  ) {
    this.#signedIn = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // A page that is left in these moments would forget its last step, and undo one before it.
    globalThis.addEventListener?.("pagehide", () => this.#writeSteps());
  }

  get document(): documents.Document {
    return this.#document;
  }

  object(id: Id): MaskObject | undefined {
    return this.#document.objects.get(id);
  }

  /** Whose work this is; what an earlier page of theirs did not save is sent now. */
  async signIn(user: Id): Promise<void> {
    if (this.#user === user) {
      this.#queue?.retry();
      return;
    }
    this.#user = user;
    this.#shelf = new StepsShelf(user);
    this.#queue = new SaveQueue(server.sendRows, new BrowserJournal(user), {
      status: (save) => this.host.set({ save }),
      saved: () => undefined,
      conflict: (head, mine) => this.#conflict(head, mine),
    });
    void this.#shelf.tidy();
    await this.#queue.restore().catch(() => []);
    this.#settle();
  }

  /** The steps of undo of earlier visits to a picture; settles once it is known who asks. */
  async steps(image: Id): Promise<StoredSteps | null> {
    await this.#signedIn;
    return this.#shelf?.get(image) ?? null;
  }

  /** Opens a picture's document: the server's rows, and on top of them those that are not saved yet. */
  open(image: Id, rows: readonly MaskRow[], steps: StoredSteps | null): void {
    const waiting = (this.#queue?.waiting ?? []).filter((row) => row.image_id === image);
    const { objects, heads } = headsAndObjects([...rows, ...waiting]);
    const document = documents.open(objects, heads);
    this.#document = steps ? withSteps(document, steps) : document;
  }

  close(): void {
    this.#writeSteps();
    this.#document = documents.EMPTY;
  }

  /** Does a change as one step, and saves it. */
  perform(diff: documents.Diff): void {
    if (diff.changes.size === 0) return;
    this.#document = documents.perform(this.#document, diff);
    this.#keep(diff);
  }

  undo(): void {
    this.#travel(documents.undo(this.#document));
  }

  redo(): void {
    this.#travel(documents.redo(this.#document));
  }

  #travel(result: { document: documents.Document; diff: documents.Diff } | null): void {
    if (!result) return;
    this.#document = result.document;
    this.#keep(result.diff);
  }

  #keep(diff: documents.Diff): void {
    const { image } = this.host.state;
    if (!image) return;
    const { rows, document } = rowsOf(image, this.#document, diff);
    this.#document = document;
    for (const row of rows) this.#mine.add(row.id);
    this.#queue?.add(rows);
    this.#stepsTimer ??= setTimeout(() => this.#writeSteps(), STEPS_MILLISECONDS);
    this.changed(true);
  }

  #writeSteps(): void {
    if (this.#stepsTimer === null) return;
    clearTimeout(this.#stepsTimer);
    this.#stepsTimer = null;
    const { image } = this.host.state;
    if (image) void this.#shelf?.put(image.id, storeSteps(this.#document, [image.height, image.width]));
  }

  /** Nothing is kept of a picture that is no more. */
  async forget(image: Id): Promise<void> {
    await Promise.all([this.#queue?.forget(image), this.#shelf?.remove(image)]);
  }

  /** Tries now what could not be saved; whether everything is saved by the end. */
  async save(): Promise<boolean> {
    this.#queue?.retry();
    return this.saved();
  }

  /** Settles when nothing waits any more (true), or when the server does not take it now (false). */
  async saved(): Promise<boolean> {
    return (await this.#queue?.done()) ?? true;
  }

  get isSaved(): boolean {
    return (this.#queue?.waiting.length ?? 0) === 0;
  }

  /** Whether a row is one of this page's own, or on top of its object already. */
  knows(object: Id, row: Id): boolean {
    return this.#mine.has(row) || this.#document.heads.get(object) === row;
  }

  /** Rows of others. Objects with unsaved changes are left as they are: saving them will tell of the conflict. */
  receive(rows: readonly MaskRow[]): void {
    const waiting = new Set(this.#queue?.waiting.map((row) => row.object_id));
    for (const row of rows) {
      if (waiting.has(row.object_id) || this.#document.heads.get(row.object_id) === row.id) continue;
      this.#document = documents.receive(this.#document, row.object_id, objectOf(row), row.id);
    }
    this.changed(false);
  }

  #conflict(head: MaskRow, mine: readonly MaskRow[]): void {
    const last = mine.at(-1);
    if (!last) return;
    if (head.image_id !== this.host.state.image?.id) {
      this.host.say(
        "warning",
        "Somebody else changed an object in another picture. Theirs was kept, not yours.",
      );
      return;
    }
    const theirs = objectOf(head);
    this.#document = documents.receive(this.#document, head.object_id, theirs, head.id);
    const conflict = { object: head.object_id, mine: last.deleted ? null : stateOf(last), theirs };
    const others = this.host.state.conflicts.filter(({ object }) => object !== head.object_id);
    this.host.set({ conflicts: [...others, conflict] });
    this.changed(false);
  }

  resolve(object: Id, keep: "mine" | "theirs"): void {
    const { conflicts } = this.host.state;
    const conflict = conflicts.find((one) => one.object === object);
    if (!conflict) return;
    this.host.set({ conflicts: conflicts.filter((one) => one !== conflict) });
    if (keep === "theirs") return;
    const { mine } = conflict;
    this.perform(documents.diffOf(this.#document, "Keep mine", mine ? [mine] : [], mine ? [] : [object]));
  }
}
