/**
 * The browser's decoder where it is wanted and works, the server's else. Any failure of the browser's goes unseen: the server
 * is asked in its place, and the next picture gets a new worker.
 */

import type { BoxXYXY, Id, Prediction, Prompt, WindowMask } from "../../core/types";
import { ApiError } from "../http";
import { type AskOptions, type Picture, type Predictor, Superseded } from "../predictor";
import { BrowserPredictor } from "./browserPredictor";

/** Where prompts are answered. "auto": in the browser, unless the server runs on the same machine. */
export type DecoderPlace = "auto" | "browser" | "server";

/** The server, which also tells the model that it embedded a picture with, and writes down what others answered. */
export interface EmbeddingPredictor extends Predictor {
  embed(picture: Picture, signal?: AbortSignal): Promise<{ readonly model_sha256: string }>;
  record(picture: Picture, prompt: Prompt, answer: Answer, options: AskOptions): Promise<void>;
}

/** Of an answer, what is written down. */
export interface Answer {
  readonly id: string;
  readonly model_sha256: string;
  readonly milliseconds: number;
}

/** After so many failures the server alone is asked, until the page is opened anew. */
const MOST_FAILURES = 3;
const MOST_KEPT = 64;

type Answers = "browser" | "server";

interface Known {
  readonly by: Answers;
  readonly masks: readonly WindowMask[];
}

export interface ChoosingOptions {
  readonly place: () => DecoderPlace;
  /** Whether the server runs on this machine. */
  readonly isLocal: boolean;
  readonly makeBrowser?: (model: string) => BrowserPredictor;
  /** Is told after every answer. */
  readonly answered?: (by: Answers) => void;
}

export class ChoosingPredictor implements Predictor {
  private browser: BrowserPredictor | null = null;
  private failures = 0;
  /** Answers that may be refined, by whoever is asked next. */
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly server: EmbeddingPredictor,
    private readonly options: ChoosingOptions,
  ) {}

  /** Who would answer about a picture now. */
  answers(picture: Id): Answers {
    return this.wantsBrowser() && this.browser?.has(picture) ? "browser" : "server";
  }

  /** Settles when the server is ready; the browser's decoder gets ready meanwhile. */
  async prepare(picture: Picture, signal?: AbortSignal): Promise<void> {
    const { model_sha256: model } = await this.server.embed(picture, signal);
    if (this.wantsBrowser()) void this.prepareBrowser(model, picture, signal);
  }

  async predict(picture: Picture, prompt: Prompt, options: AskOptions = {}): Promise<Prediction> {
    const { browser } = this;
    if (this.answers(picture.id) === "browser" && browser !== null) {
      const asked = this.translated(prompt, "browser");
      const prediction = await browser
        .predict(picture, asked, options)
        .catch((error) => this.gaveUp(browser, error));
      if (prediction !== null) {
        this.record(browser, picture, asked, prediction, options);
        return this.keep(prediction, "browser");
      }
    }
    return this.keep(await this.askServer(picture, this.translated(prompt, "server"), options), "server");
  }

  async predictBoxes(
    picture: Picture,
    boxes: readonly BoxXYXY[],
    options: AskOptions = {},
  ): Promise<readonly Prediction[]> {
    const { browser } = this;
    if (this.answers(picture.id) === "browser" && browser !== null) {
      const predictions = await browser
        .predictBoxes(picture, boxes)
        .catch((error) => this.gaveUp(browser, error));
      if (predictions !== null) {
        predictions.forEach((prediction, i) => {
          this.record(browser, picture, { box: boxes[i] as BoxXYXY }, prediction, options);
          this.keep(prediction, "browser");
        });
        return predictions;
      }
    }
    return this.server.predictBoxes(picture, boxes, options);
  }

  private wantsBrowser(): boolean {
    const place = this.options.place();
    const wanted = place === "browser" || (place === "auto" && !this.options.isLocal);
    return wanted && this.failures < MOST_FAILURES;
  }

  private async prepareBrowser(model: string, picture: Picture, signal?: AbortSignal): Promise<void> {
    if (this.browser?.model !== model) {
      this.browser?.close();
      this.browser = (this.options.makeBrowser ?? browserPredictor)(model);
    }
    const { browser } = this;
    await browser.prepare(picture, signal).catch((error) => {
      if (!signal?.aborted) this.gaveUp(browser, error);
    });
  }

  /** A prompt that cannot be meant is the server's to refuse; all else is a failure of the worker. */
  private gaveUp(browser: BrowserPredictor, error: unknown): null {
    const isPrompt =
      error instanceof Error && (error.name === "PromptError" || error.name === "UnknownPrediction");
    if (isPrompt || this.browser !== browser) return null;
    this.failures++;
    browser.close();
    this.browser = null;
    return null;
  }

  /** Models learn from these prompts, too. That one is not written down must not disturb anybody. */
  private record(
    browser: BrowserPredictor,
    picture: Picture,
    prompt: Prompt,
    { id, milliseconds }: Prediction,
    options: AskOptions,
  ): void {
    if (id === null) return;
    const answer = { id, model_sha256: browser.model, milliseconds };
    void this.server.record(picture, prompt, answer, options).catch(() => undefined);
  }

  /** An answer that the server no longer knows is sent as a mask. */
  private async askServer(picture: Picture, prompt: Prompt, options: AskOptions): Promise<Prediction> {
    try {
      return await this.server.predict(picture, prompt, options);
    } catch (error) {
      const isForgotten = error instanceof ApiError && error.code === "unknown_prediction";
      const asMask = isForgotten ? this.withMask(prompt) : null;
      if (asMask === null || error instanceof Superseded) throw error;
      return this.server.predict(picture, asMask, options);
    }
  }

  /** The prompt with the mask in place of an answer that the other one gave. */
  private translated(prompt: Prompt, by: Answers): Prompt {
    const id = prompt.previous?.prediction;
    return id === undefined || this.known.get(id)?.by === by ? prompt : (this.withMask(prompt) ?? prompt);
  }

  private withMask(prompt: Prompt): Prompt | null {
    const { previous, ...rest } = prompt;
    const mask = previous && this.known.get(previous.prediction)?.masks[previous.candidate];
    return mask && mask.bits.length > 0 ? { ...rest, mask } : null;
  }

  private keep(prediction: Prediction, by: Answers): Prediction {
    this.options.answered?.(by);
    if (prediction.id === null) return prediction;
    this.known.set(prediction.id, { by, masks: prediction.candidates.map(({ mask }) => mask) });
    const [oldest] = this.known.keys();
    if (this.known.size > MOST_KEPT && oldest !== undefined) this.known.delete(oldest);
    return prediction;
  }
}

function browserPredictor(model: string): BrowserPredictor {
  return new BrowserPredictor(model);
}
