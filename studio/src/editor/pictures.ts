/** The pictures before and after the one that is open, in the gallery's order. */

import { url } from "../api/http";
import * as server from "../api/server";
import type { Id } from "../core/types";

export class Pictures {
  #project: Id | null = null;
  #ids: readonly Id[] = [];

  /** The neighbour of a picture; null at the end. Throws ApiError. */
  async beside(project: Id, image: Id, by: 1 | -1): Promise<Id | null> {
    if (project !== this.#project || !this.#ids.includes(image)) {
      this.#ids = await server.getImageIds(project);
      this.#project = project;
    }
    const at = this.#ids.indexOf(image);
    return at === -1 ? null : (this.#ids[at + by] ?? null);
  }

  /** The list is old: pictures came or went. */
  forget(): void {
    this.#project = null;
  }

  /** Lets the browser have the next picture before it is asked for; the server prepares its embedding by itself. */
  async prefetch(project: Id, image: Id): Promise<void> {
    const next = await this.beside(project, image, 1).catch(() => null);
    if (next !== null) new Image().src = url(`/images/${next}/file`);
  }
}
