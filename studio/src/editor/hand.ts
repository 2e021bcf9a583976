/** The tool in hand: takes the stage's events, asks the model, and makes objects of what comes out. */

import { type AskOptions, type Picture, type Predictor, Superseded } from "../api/predictor";
import { ActiveTime } from "../core/activity";
import * as documents from "../core/document";
import { newId } from "../core/ids";
import { isEmpty, maskArea } from "../core/masks";
import { POSITION_STEP } from "../core/rows";
import type { Effect, Made, ToolEvent, ToolName, ToolView } from "../core/tools/tool";
import { type Surroundings, Toolbox } from "../core/tools/toolbox";
import type { BoxXYXY, Id, MaskObject } from "../core/types";
import type { Book } from "./book";
import { type Host, messageOf } from "./host";
import type { Proposer } from "./proposer";

/** Effects that are about the view or others' work, not about masks. */
export interface HandTarget {
  select(ids: Iterable<Id>): void;
  focus(box: BoxXYXY): void;
  review(object: Id, verdict: "accepted" | "rejected" | "comment", comment: string): void;
  /** The tool looks different now. */
  changed(): void;
}

export class Hand {
  #toolbox: Toolbox;
  /** Time that goes into the masks that are made, and into the prompts that are recorded. */
  readonly #sinceMask = new ActiveTime();
  readonly #sincePrompt = new ActiveTime();

  constructor(
    private readonly host: Host,
    private readonly book: Book,
    private readonly proposer: Proposer,
    private readonly predictor: Predictor,
    private readonly target: HandTarget,
  ) {
    this.#toolbox = new Toolbox("click", () => this.#surroundings());
  }

  get tool(): ToolName {
    return this.#toolbox.name;
  }

  get busy(): boolean {
    return this.#toolbox.busy;
  }

  view(): ToolView {
    return this.#toolbox.view();
  }

  /** Another picture: nothing is in hand, and answers to what was asked about the last one go unheard. */
  begin(): void {
    this.#toolbox = new Toolbox(this.#toolbox.name, () => this.#surroundings());
    this.#sinceMask.take();
    this.#sincePrompt.take();
  }

  use(tool: ToolName): void {
    this.#toolbox.use(tool);
  }

  send(event: ToolEvent): void {
    this.#sinceMask.touch();
    this.#sincePrompt.touch();
    for (const effect of this.#toolbox.send(event)) this.#perform(effect);
    this.target.changed();
  }

  #surroundings(): Surroundings {
    const { image, view, proposals, brush, hoverPreview } = this.host.state;
    const selection = [...view.selection];
    const only = selection.length === 1 ? this.book.object(selection[0] as Id) : undefined;
    const isShown = ({ id, locked }: MaskObject) => !locked && !view.hidden.has(id);
    return {
      size: image ? [image.height, image.width] : [1, 1],
      target: only && !only.locked ? only : null,
      selection,
      objects: view.allHidden ? [] : documents.inOrder(this.book.document).filter(isShown),
      proposals,
      brushRadius: brush / 2,
      hover: hoverPreview,
      snap: { lasso: true, polygon: false },
      tolerance: 1,
    };
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "predict":
      case "predictBoxes":
        void this.#ask(effect);
        break;
      case "commit":
        this.commit(effect.made, effect.select);
        break;
      case "select":
        this.target.select(effect.ids);
        break;
      case "focus":
        this.target.focus(effect.box);
        break;
      case "review":
        this.target.review(effect.object, effect.verdict, effect.comment);
        break;
      case "say":
        this.host.say("info", effect.text);
        break;
    }
  }

  async #ask(question: Extract<Effect, { type: "predict" | "predictBoxes" }>): Promise<void> {
    const { image } = this.host.state;
    const { signal } = this.host;
    const toolbox = this.#toolbox;
    if (!image) return;
    const isHover = question.type === "predict" && question.hover;
    if (!isHover) this.host.set({ asking: this.host.state.asking + 1 });
    let event: ToolEvent = { type: "failed", request: question.request };
    try {
      event = await this.#answer(image, question, signal);
      if (!this.host.state.embedded && !signal.aborted) this.host.set({ embedded: true });
    } catch (error) {
      if (!isHover && !signal.aborted && !(error instanceof Superseded))
        this.host.say("error", `The model did not answer: ${messageOf(error)}`);
    }
    if (signal.aborted) return;
    if (!isHover) this.host.set({ asking: this.host.state.asking - 1 });
    if (toolbox === this.#toolbox) this.send(event);
  }

  async #answer(
    picture: Picture,
    question: Extract<Effect, { type: "predict" | "predictBoxes" }>,
    signal: AbortSignal,
  ): Promise<ToolEvent> {
    const { request } = question;
    if (question.type === "predictBoxes") {
      const options = { seconds: this.#sincePrompt.take(), signal };
      const predictions = await this.predictor.predictBoxes(picture, question.boxes, options);
      return { type: "replies", request, predictions };
    }
    const options: AskOptions = question.hover
      ? { hover: request, signal }
      : { seconds: this.#sincePrompt.take(), signal };
    return {
      type: "reply",
      request,
      prediction: await this.predictor.predict(picture, question.prompt, options),
    };
  }

  /** Masks become objects, or new states of objects, as one step. */
  commit(made: readonly Made[], select: boolean): void {
    const { document } = this.book;
    const seconds = this.#sinceMask.take() / Math.max(made.length, 1);
    let position = documents.topPosition(document);
    const objects = made.map((one) => {
      const before = one.object === null ? undefined : document.objects.get(one.object);
      if (before) return { ...before, ...madeOf(one), seconds: before.seconds + seconds };
      position += POSITION_STEP;
      return this.#newObject(one, position, seconds);
    });
    const gone = objects.filter(({ mask }) => isEmpty(mask)).map(({ id }) => id);
    const there = objects.filter(({ mask }) => !isEmpty(mask));
    this.book.perform(documents.diffOf(document, nameOf(made), there, gone));
    const taken = new Set(made.flatMap(({ proposal }) => proposal ?? []));
    if (taken.size > 0) this.proposer.take(taken);
    if (select) this.target.select(there.map(({ id }) => id));
  }

  #newObject(one: Made, position: number, seconds: number): MaskObject {
    const { label, attributes } = this.proposer.given(one.proposal) ?? {
      label: this.host.state.label,
      attributes: {},
    };
    const fresh = { id: newId(), locked: false, author: null, model: null };
    return { ...madeOf(one), ...fresh, label, attributes, position, seconds };
  }
}

function madeOf({ mask, source, score, stability, prompts }: Made) {
  return { mask, area: maskArea(mask), source, score, stability, prompts };
}

function nameOf(made: readonly Made[]): string {
  if (made.length > 1) return `${made.length} masks`;
  return made[0]?.object ? "Change mask" : "New mask";
}
