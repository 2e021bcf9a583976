/** The task behind the picture that is open: its lease is held while the page works on it. */

import { ApiError } from "../api/http";
import * as server from "../api/server";
import { ActiveTime } from "../core/activity";
import type { Id } from "../core/types";
import type { Host } from "./host";

type Kind = "label" | "review";

/** The lease is for ten minutes. */
const RENEW_SECONDS = 180;

export class Tasks {
  readonly #time = new ActiveTime();
  #token: string | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  /** The picture whose task somebody else holds, as the person has been told. */
  #held: Id | null = null;

  constructor(private readonly host: Host) {}

  touch(): void {
    this.#time.touch();
  }

  /** Takes the task of the open picture; if somebody else has it, the person is told, and may go on all the same. */
  async claim(project: Id, image: Id, kind: Kind): Promise<void> {
    if (this.host.state.task?.image === image || this.#held === image) return;
    const { signal } = this.host;
    try {
      const task = await server.nextTask(project, kind, image);
      if (signal.aborted && task?.lease_token) await server.tellTask(task.id, "release", task.lease_token, 0);
      else if (task) this.#hold(task);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || signal.aborted) return;
      this.#held = image;
      this.host.say(
        "warning",
        "Somebody else works on this picture. Your changes may get in the way of theirs.",
      );
    }
  }

  /** The next picture of the queue, or null if nothing is left to do. Throws ApiError. */
  async next(project: Id, kind: Kind): Promise<Id | null> {
    return (await server.nextTask(project, kind))?.image_id ?? null;
  }

  /** Ends the task. Throws ApiError. */
  async end(how: "finish" | "skip"): Promise<void> {
    const { task } = this.host.state;
    const token = this.#token;
    if (!task || !token) return;
    await server.tellTask(task.id, how, token, this.#time.take());
    this.#drop();
  }

  /** The picture is left: others may have it. */
  leave(): void {
    const { task } = this.host.state;
    const token = this.#token;
    this.#held = null;
    this.#drop();
    // If this gets lost, the lease ends by itself.
    if (task && token) server.tellTask(task.id, "release", token, this.#time.take()).catch(() => undefined);
  }

  #hold(task: server.WireTask): void {
    this.#token = task.lease_token;
    this.#time.take();
    this.host.set({
      task: { id: task.id, kind: task.kind, image: task.image_id, lease_until: task.lease_until ?? "" },
    });
    this.#timer ??= setInterval(() => void this.#renew(), RENEW_SECONDS * 1000);
  }

  #drop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#token = null;
    this.host.set({ task: null });
  }

  async #renew(): Promise<void> {
    const { task } = this.host.state;
    if (!task || !this.#token) return;
    try {
      await server.tellTask(task.id, "renew", this.#token, this.#time.take());
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) return;
      this.#drop();
      this.host.say(
        "warning",
        "Somebody else has taken this picture over. Your changes may get in the way of theirs.",
      );
    }
  }
}
