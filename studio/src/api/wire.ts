/** Between what the server sends and the values of core/types. */

import { decodeRle, encodeRle } from "../core/rle";
import type { Candidate, Prediction, Prompt, WindowMask } from "../core/types";

export interface WireCandidate {
  readonly counts: string;
  readonly size: readonly [number, number];
  readonly offset: readonly [number, number];
  readonly area: number;
  readonly predicted_iou: number;
  readonly stability_score: number | null;
}

export interface WirePrediction {
  readonly prediction: string | null;
  readonly candidates: readonly WireCandidate[];
  readonly milliseconds: number;
  readonly worse: boolean;
}

/** A mask of the whole picture, or, with `offset`, of a window of it. */
export interface WireMask {
  readonly size: readonly [number, number];
  readonly counts: string;
  readonly offset?: readonly [number, number];
}

export function candidateOf(wire: WireCandidate): Candidate {
  return {
    mask: decodeRle({ size: wire.size, counts: wire.counts }, wire.offset),
    area: wire.area,
    score: wire.predicted_iou,
    stability: wire.stability_score,
  };
}

export function predictionOf(wire: WirePrediction): Prediction {
  return {
    id: wire.prediction,
    candidates: wire.candidates.map(candidateOf),
    milliseconds: wire.milliseconds,
    worse: wire.worse,
  };
}

/** `mask` as the server takes it: its own window where there is one. */
export function wireMask(mask: WindowMask): WireMask {
  if (mask.width === 0) return { size: [1, 1], counts: "1", offset: [0, 0] };
  const local = { ...mask, x: 0, y: 0 };
  return { ...encodeRle(local, [mask.height, mask.width]), offset: [mask.x, mask.y] };
}

/** The body of a prompt request; fields that are not given stay away. */
export function wirePrompt(prompt: Prompt): Record<string, unknown> {
  const { mask, ...rest } = prompt;
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) body[name] = value;
  if (mask) body["mask"] = wireMask(mask);
  return body;
}
