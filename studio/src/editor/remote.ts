/** What others do to the picture that is open, as the server's events tell it. */

import type { ServerEvent } from "../api/events";
import * as server from "../api/server";
import type { Id, MaskRow } from "../core/types";

/** Changes that come close together are fetched together. */
const GATHER_MILLISECONDS = 120;
/** More changed objects than this, and all heads are fetched at once. */
const SINGLY = 4;

export interface RemoteTarget {
  /** The picture that is open. */
  image(): Id | null;
  /** Whether a row is one of this page's own, or known already. */
  knows(object: Id, row: Id): boolean;
  receive(rows: readonly MaskRow[]): void;
}

export class Remote {
  #objects = new Set<Id>();
  #all = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** The stream was broken: what happened meanwhile is not known. */
  #blind = false;

  constructor(private readonly target: RemoteTarget) {}

  heed({ kind, detail }: ServerEvent): void {
    if (kind === "mask" && detail["image_id"] === this.target.image()) {
      const [object, row] = [String(detail["object_id"]), String(detail["id"])];
      // A save of many objects is told by the first of them alone.
      if (!this.target.knows(object, row)) this.#fetch(detail["more"] ? null : object);
    } else if (kind === "broken") this.#blind = true;
    else if (kind === "reset" || (kind === "open" && this.#blind)) {
      this.#blind = false;
      this.#fetch(null);
    }
  }

  #fetch(object: Id | null): void {
    if (object === null) this.#all = true;
    else this.#objects.add(object);
    this.#timer ??= setTimeout(() => void this.#gathered(), GATHER_MILLISECONDS);
  }

  async #gathered(): Promise<void> {
    this.#timer = null;
    const image = this.target.image();
    const [objects, all] = [[...this.#objects], this.#all || this.#objects.size > SINGLY];
    this.#objects.clear();
    this.#all = false;
    if (image === null) return;
    try {
      const rows = all
        ? await server.getHeads(image)
        : (await Promise.all(objects.map((object) => server.getHistory(object)))).flatMap(
            (rows) => rows.at(-1) ?? [],
          );
      if (this.target.image() === image) this.target.receive(rows);
    } catch {
      this.#blind = true; // asked again when the stream is open again; a save on an old head is a conflict until then
    }
  }
}
