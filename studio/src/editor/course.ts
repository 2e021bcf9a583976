/** The way from picture to picture: neighbours in the gallery, the queue of tasks. */

import type { Id } from "../core/types";
import type { Book } from "./book";
import { type Host, messageOf } from "./host";
import { Pictures } from "./pictures";
import { Tasks } from "./tasks";

/** Shows the page of a picture, null: of the project's gallery. */
export type Go = (project: Id, image: Id | null, review: boolean) => void;

export class Course {
  readonly pictures = new Pictures();
  readonly #tasks: Tasks;
  #review = false;

  constructor(
    private readonly host: Host,
    private readonly book: Book,
    private readonly go: Go,
  ) {
    this.#tasks = new Tasks(host);
  }

  touch(): void {
    this.#tasks.touch();
  }

  /** A picture was opened. One that is done stays done until somebody changes something. */
  arrive(review: boolean): void {
    this.#review = review;
    const state = this.host.state.image?.state;
    if (review || state === "new" || state === "in_progress") void this.claim();
  }

  leave(): void {
    this.#tasks.leave();
  }

  /** Takes the task of the open picture, unless it is held already. */
  async claim(): Promise<void> {
    const { project, image } = this.host.state;
    if (project && image) await this.#tasks.claim(project, image.id, this.#kind);
  }

  get #kind(): "label" | "review" {
    return this.#review ? "review" : "label";
  }

  async beside(by: 1 | -1): Promise<void> {
    const { project, image } = this.host.state;
    if (!project || !image) return;
    try {
      const id = await this.pictures.beside(project, image.id, by);
      if (id !== null) this.go(project, id, this.#review);
      else this.host.say("info", by === 1 ? "This is the last picture." : "This is the first picture.");
    } catch (error) {
      this.host.say("error", messageOf(error));
    }
  }

  /** Ends the task of this picture and goes to the next one of the queue. */
  async end(how: "finish" | "skip"): Promise<void> {
    const { project, image } = this.host.state;
    if (!project || !image) return;
    try {
      if (!(await this.book.saved())) {
        this.host.say("error", "Not everything is saved yet. Try again when the server answers.");
        return;
      }
      await this.claim();
      await this.#tasks.end(how);
      const next = await this.#tasks.next(project, this.#kind);
      if (next === null) this.host.say("info", "All pictures are done.");
      this.go(project, next, this.#review && next !== null);
    } catch (error) {
      this.host.say("error", messageOf(error));
    }
  }
}
