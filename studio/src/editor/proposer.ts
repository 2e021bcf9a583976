/** Masks that are offered and not made yet: by everything mode, from the previous picture, by words. */

import { ApiError } from "../api/http";
import * as server from "../api/server";
import { newId } from "../core/ids";
import type { Proposal } from "../core/tools/tool";
import type { Attributes, Candidate, Id, MaskSource } from "../core/types";
import { counted, type Host, messageOf } from "./host";

/** A long run of everything mode answers "busy" after a while and goes on; it is asked for so often. */
const PATIENCE = 30;

/** What a proposal brings along for the object that it becomes. */
export interface Given {
  readonly label: Id | null;
  readonly attributes: Attributes;
}

type Settings = Readonly<Record<string, unknown>>;

export class Proposer {
  #given = new Map<Id, Given>();
  /** How often filters were asked for. */
  #filtered = 0;

  constructor(
    private readonly host: Host,
    /** Called after the proposals changed. */
    private readonly offered: () => void,
  ) {}

  given(proposal: Id | undefined): Given | undefined {
    return proposal === undefined ? undefined : this.#given.get(proposal);
  }

  /** Proposals that have become objects, or were given up. */
  take(ids: ReadonlySet<Id>): void {
    for (const id of ids) this.#given.delete(id);
    this.host.set({ proposals: this.host.state.proposals.filter(({ id }) => !ids.has(id)) });
  }

  clear(): void {
    this.#given.clear();
    this.host.set({ proposals: [], everything: null });
    this.offered();
  }

  async everything(preset: string | null, settings: Settings): Promise<boolean> {
    const { image, everything } = this.host.state;
    if (!image || everything?.running) return false;
    this.host.set({ everything: { run: null, running: true, decoded: 0, settings }, proposals: [] });
    const { signal } = this.host;
    const result = await this.#tried("Everything mode", () =>
      patiently(() => server.runEverything(image.id, preset, settings, signal), signal),
    );
    if (!result) {
      if (!signal.aborted) this.host.set({ everything: null });
      return false;
    }
    this.#showEverything(result);
    return true;
  }

  async filter(settings: Settings): Promise<void> {
    const run = this.host.state.everything?.run;
    if (!run) return;
    this.#filtered += 1;
    const turn = this.#filtered;
    const result = await this.#tried("Everything mode", () =>
      server.filterEverything(run, settings, this.host.signal),
    );
    // A slider asks again before it is answered: the last position counts, whatever comes last.
    const isLast = turn === this.#filtered && this.host.state.everything?.run === run;
    if (result && isLast) this.#showEverything(result);
  }

  async propagate(source: Id): Promise<void> {
    const { image } = this.host.state;
    if (!image) return;
    const result = await this.#tried("Taking masks over", () =>
      server.propagate(image.id, source, this.host.signal),
    );
    if (!result) return;
    const { found, lost } = result;
    this.#offer(
      found.map((one) => [one, { label: one.label, attributes: one.attributes }]),
      "propagate",
    );
    if (found.length + lost === 0) this.host.say("info", "The previous picture has no masks.");
    else if (lost > 0)
      this.host.say("info", `${counted(lost, "object")} of the previous picture could not be found here.`);
  }

  async find(words: string): Promise<void> {
    const { image, labels } = this.host.state;
    const texts = words
      .split(",")
      .map((text) => text.trim())
      .filter((text) => text !== "");
    if (!image || texts.length === 0) return;
    const found = await this.#tried("The search", () => server.find(image.id, texts, this.host.signal));
    if (!found) return;
    const idOf = new Map(labels.map(({ name, id }) => [name.toLowerCase(), id]));
    const label = (text: string | null) => (text === null ? null : (idOf.get(text.toLowerCase()) ?? null));
    this.#offer(
      found.map((one) => [one, { label: label(one.text), attributes: {} }]),
      "text",
    );
    if (found.length === 0) this.host.say("info", `Nothing like “${words}” was found.`);
  }

  #showEverything({ run, settings, decoded, candidates }: server.EverythingResult): void {
    this.host.set({ everything: { run, running: false, decoded, settings } });
    this.#offer(
      candidates.map((candidate) => [candidate, null]),
      "everything",
    );
  }

  #offer(found: readonly (readonly [Candidate, Given | null])[], source: MaskSource): void {
    this.#given.clear();
    const proposals = found.map(([{ mask, area, score, stability }, given]): Proposal => {
      const id = newId();
      if (given) this.#given.set(id, given);
      return { id, mask, area, score, stability, source };
    });
    this.host.set({ proposals });
    this.offered();
  }

  /** null: it failed, which the person is told, or the picture was left. */
  async #tried<T>(what: string, ask: () => Promise<T>): Promise<T | null> {
    const { signal } = this.host;
    this.host.set({ asking: this.host.state.asking + 1 });
    try {
      const result = await ask();
      return signal.aborted ? null : result;
    } catch (error) {
      if (!signal.aborted) this.host.say("error", `${what} failed: ${messageOf(error)}`);
      return null;
    } finally {
      if (!signal.aborted) this.host.set({ asking: this.host.state.asking - 1 });
    }
  }
}

/** Asks again while the server says that it is still busy with it. */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const busy = error instanceof ApiError && error.status === 503;
      if (!busy || signal.aborted || attempt === PATIENCE) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * (error.retryAfter ?? 1)));
    }
  }
}
