/**
 * The queue of rows that are not saved yet.
 *
 * A row waits in the journal (on this machine) until the server acknowledged it, so that neither a reload nor a
 * restarted server loses work. Rows go out in the order in which they were made, for one picture at a time. They carry
 * their own ids: sending one twice is harmless.
 */

import type { Id, MaskRow } from "./types";

export interface SaveStatus {
  /** waiting: not sent yet or to be sent again; offline: the server does not answer; refused: it will not take a row. */
  readonly state: "saved" | "saving" | "waiting" | "offline" | "signed_out" | "refused";
  readonly waiting: number;
  readonly detail: string | null;
}

export type SendOutcome =
  | { readonly kind: "saved"; readonly rows: readonly MaskRow[] }
  /** Another row replaced the parent of one of the rows; nothing was saved. `head` is the object's present row. */
  | { readonly kind: "conflict"; readonly head: MaskRow }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "signed_out" }
  /** No answer, or one that says "later"; `seconds`: when, if the server said so. */
  | { readonly kind: "unavailable"; readonly detail: string; readonly seconds?: number };

/** Sends rows of one picture, all or none. */
export type Send = (image: Id, rows: readonly MaskRow[]) => Promise<SendOutcome>;

/** Where rows wait over reloads. `all` gives them in the order in which they were added. */
export interface Journal {
  add(rows: readonly MaskRow[]): Promise<void>;
  remove(ids: readonly Id[]): Promise<void>;
  all(): Promise<readonly MaskRow[]>;
}

export interface SaveEvents {
  status(status: SaveStatus): void;
  saved(rows: readonly MaskRow[]): void;
  /** `mine`: the rows of that object that were given up, oldest first. */
  conflict(head: MaskRow, mine: readonly MaskRow[]): void;
}

const FIRST_RETRY = 0.5;
const LONGEST_RETRY = 20;
const BATCH = 200;

/** Seconds before the next try after `failures` in a row; doubled each time, up to half of it by chance. */
export function retryDelay(failures: number, chance: number): number {
  const longest = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** (failures - 1));
  return longest * (0.5 + 0.5 * chance);
}

export class SaveQueue {
  #rows: MaskRow[] = [];
  #refused: MaskRow[] = [];
  #sending = false;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #state: SaveStatus["state"] = "saved";
  #detail: string | null = null;
  #batch = BATCH;
  #waiters: ((saved: boolean) => void)[] = [];
  #written: Promise<void> = Promise.resolve();

  constructor(
    private readonly send: Send,
    private readonly journal: Journal,
    private readonly events: SaveEvents,
  ) {}

  /** Rows that an earlier page left behind are taken up; gives them. */
  async restore(): Promise<readonly MaskRow[]> {
    const known = new Set(this.#rows.map((row) => row.id));
    const rows = (await this.journal.all()).filter((row) => !known.has(row.id));
    if (rows.length === 0) return [];
    this.#rows.unshift(...rows);
    this.#tell("waiting");
    void this.#flush();
    return rows;
  }

  /** Saves `rows`; comes back at once. */
  add(rows: readonly MaskRow[]): void {
    if (rows.length === 0) return;
    this.#rows.push(...rows);
    // Not awaited before sending: the journal is for what the server has not got, and both may be slow. A full or
    // forbidden disk must not keep the rows from the server.
    this.#written = Promise.all([this.#written, this.journal.add(rows)]).then(
      () => undefined,
      () => undefined,
    );
    if (this.#state === "saved") this.#tell("waiting");
    if (this.#timer === null) void this.#flush();
  }

  /** The rows that wait, oldest first. */
  get waiting(): readonly MaskRow[] {
    return [...this.#refused, ...this.#rows];
  }

  /** Tries again now: the network is back, somebody signed in, or a person pressed Save. */
  retry(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#rows.unshift(...this.#refused.splice(0));
    void this.#flush();
  }

  /** Gives up what waits for a picture that is no more. */
  async forget(image: Id): Promise<void> {
    const gone = this.waiting.filter((row) => row.image_id === image);
    if (gone.length === 0) return;
    this.#refused = this.#refused.filter((row) => row.image_id !== image);
    await this.#drop(gone);
    if (this.waiting.length === 0 && !this.#sending) this.#tell("saved");
  }

  /** Settles when nothing waits any more (true), or when the server does not take it now (false). */
  done(): Promise<boolean> {
    if (this.waiting.length === 0 && !this.#sending) return Promise.resolve(true);
    if (!this.#sending) return Promise.resolve(false);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#rows.length > 0) {
        this.#tell("saving");
        const batch = this.#nextBatch();
        const first = batch[0];
        if (first === undefined) break;
        if (!(await this.#deliver(first.image_id, batch))) return;
      }
      this.#batch = BATCH;
      this.#tell(
        this.#refused.length > 0 ? "refused" : "saved",
        this.#refused.length > 0 ? this.#detail : null,
      );
    } finally {
      this.#sending = false;
      for (const resolve of this.#waiters.splice(0)) resolve(this.waiting.length === 0);
    }
  }

  #nextBatch(): MaskRow[] {
    const image = this.#rows[0]?.image_id;
    const other = this.#rows.findIndex((row) => row.image_id !== image);
    return this.#rows.slice(0, Math.min(other === -1 ? this.#rows.length : other, this.#batch));
  }

  /** Whether to go on at once. */
  async #deliver(image: Id, batch: readonly MaskRow[]): Promise<boolean> {
    const outcome = await this.send(image, batch);
    if (outcome.kind !== "unavailable") this.#failures = 0;
    switch (outcome.kind) {
      case "saved":
        await this.#drop(batch);
        this.events.saved(outcome.rows);
        return true;
      case "conflict":
        if (!batch.some((row) => row.object_id === outcome.head.object_id))
          await this.#refuse(batch, "the server names a conflict with an object that was not sent");
        else await this.#giveUp(outcome.head);
        return true;
      case "refused":
        await this.#refuse(batch, outcome.detail);
        return true;
      case "signed_out":
        this.#tell("signed_out");
        return false;
      case "unavailable":
        this.#later(outcome.detail, outcome.seconds);
        return false;
    }
  }

  async #drop(rows: readonly MaskRow[]): Promise<void> {
    const ids = new Set(rows.map((row) => row.id));
    this.#rows = this.#rows.filter((row) => !ids.has(row.id));
    await this.#written; // else the journal could add a row after it was removed
    await this.journal.remove([...ids]).catch(() => undefined);
  }

  async #giveUp(head: MaskRow): Promise<void> {
    const mine = this.#rows.filter((row) => row.object_id === head.object_id);
    await this.#drop(mine);
    this.events.conflict(head, mine);
  }

  /** Halves find out which row the server will not take; it is kept, with later ones of its object; the others go on. */
  async #refuse(batch: readonly MaskRow[], detail: string): Promise<void> {
    if (batch.length > 1) {
      this.#batch = Math.ceil(batch.length / 2);
      return;
    }
    this.#batch = BATCH;
    this.#detail = detail;
    const objects = new Set(batch.map((row) => row.object_id));
    this.#refused.push(...this.#rows.filter((row) => objects.has(row.object_id)));
    this.#rows = this.#rows.filter((row) => !objects.has(row.object_id));
  }

  #later(detail: string, seconds: number | undefined): void {
    this.#failures += 1;
    this.#tell("offline", detail);
    const delay = seconds ?? retryDelay(this.#failures, Math.random());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#flush();
    }, delay * 1000);
  }

  #tell(state: SaveStatus["state"], detail: string | null = null): void {
    this.#state = state;
    this.events.status({ state, waiting: this.waiting.length, detail });
  }
}
