/** Who answers prompts: the server, or the decoder in the browser. The editor knows only this seam. */

import type { BoxXYXY, Id, Prediction, Prompt } from "../core/types";

export interface AskOptions {
  /** Marks a preview: a later one of the page makes it pointless. Rises with every request. */
  readonly hover?: number;
  readonly object?: Id | null;
  /** Since the person's last action. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
}

/** A later hover request made this one pointless, or it was aborted. */
export class Superseded extends Error {
  override readonly name = "Superseded";
}

export interface Picture {
  readonly id: Id;
  readonly width: number;
  readonly height: number;
}

export interface Predictor {
  /** Gets the picture ready for prompts; settles when it is. */
  prepare(picture: Picture, signal?: AbortSignal): Promise<void>;
  /** Throws Superseded, ApiError. */
  predict(picture: Picture, prompt: Prompt, options?: AskOptions): Promise<Prediction>;
  /** One prediction a box, in their order. Throws ApiError. */
  predictBoxes(
    picture: Picture,
    boxes: readonly BoxXYXY[],
    options?: AskOptions,
  ): Promise<readonly Prediction[]>;
}
