/** What the page and the decoder's worker say to each other. */

import type { ModelInfo } from "../../core/decoding/decoder";
import type { Id, Prediction, Prompt } from "../../core/types";
import type { Graphs } from "./network";

export type Ask =
  | { readonly kind: "model"; readonly model: ModelInfo; readonly graphs: Graphs }
  | {
      readonly kind: "picture";
      readonly picture: Id;
      readonly size: readonly [height: number, width: number];
      /** safetensors */
      readonly embedding: ArrayBuffer;
    }
  | { readonly kind: "predict"; readonly picture: Id; readonly prompt: Prompt; readonly preview: boolean };

export type Question = Ask & { readonly number: number };

export type Reply =
  | { readonly number: number; readonly prediction: Prediction | null }
  /** `error`: the error's name; `text`: its message. */
  | { readonly number: number; readonly error: string; readonly text: string };
