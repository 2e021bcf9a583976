/**
 * The model's answers, worked out beside the network itself: what goes in, which masks count, what a correction may change.
 * It gives what the server gives for the same prompt (`anymask.studio.prompting.answering`).
 */

import { newId } from "../ids";
import { isHit } from "../masks";
import type { Candidate, Prediction, Prompt, PromptPoint } from "../types";
import { correctedLocally, isMuchWorse } from "./corrections";
import { type Frame, frameOf } from "./frame";
import { maskToLogits } from "./maskLogits";
import { type EncodedPrompt, encodedPrompt } from "./prompts";
import { type Logits, stabilityOf, upscaledMask } from "./upscale";

/** What must be known of a model. */
export interface ModelInfo {
  readonly sha256: string;
  readonly inputSize: number;
  /** Side of its low-resolution masks. */
  readonly maskSize: number;
  /** Whether a click on a mask changes it only near the click. */
  readonly localCorrections: boolean;
}

/** What a network says: logits of four masks of `maskSize` x `maskSize` each, and their scores. */
export interface NetworkAnswer {
  readonly logits: Float32Array;
  readonly scores: Float32Array;
}

/** Runs the decoder's graphs on an embedded picture. */
export type Network = (prompt: EncodedPrompt) => Promise<NetworkAnswer>;

/** An answer that may be refined. */
interface Kept {
  readonly logits: readonly Logits[];
  readonly points: readonly PromptPoint[];
}

/** Mask 0 answers a clear prompt; 1 to 3 are the candidates of an ambiguous one. */
const SINGLE = [0] as const;
const AMBIGUITY = [1, 2, 3] as const;
const MOST_KEPT = 64;

/** An answer that is asked for is no longer kept, or never was: the mask itself must be sent in its place. */
export class UnknownPrediction extends Error {
  override readonly name = "UnknownPrediction";
}

/** Answers prompts on one picture. */
export class Decoder {
  private readonly frame: Frame;
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly model: ModelInfo,
    size: readonly [height: number, width: number],
    private readonly network: Network,
  ) {
    this.frame = frameOf(size[0], size[1], model.inputSize);
  }

  /** `preview`: one candidate, without stability, not kept. Throws PromptError, UnknownPrediction. */
  async predict(prompt: Prompt, preview = false): Promise<Prediction> {
    const start = performance.now();
    const earlier = this.earlier(prompt);
    const before = earlier?.logits[prompt.previous?.candidate ?? 0] ?? null;
    const encoded = encodedPrompt(prompt, before, this.frame, this.model.maskSize);
    let logits = await this.ranked(encoded, prompt.multimask ?? encoded.isAmbiguous);
    const correction = this.correction(prompt, before, earlier);
    const { corrected, worse } = this.correct(logits, correction);
    logits = corrected;
    const candidates = (preview ? logits.slice(0, 1) : logits).map((one) => this.candidate(one, preview));
    const id = preview
      ? null
      : this.keep({ logits: logits.map((one) => one.logits), points: prompt.points ?? [] });
    return { id, candidates, milliseconds: performance.now() - start, worse };
  }

  private earlier(prompt: Prompt): Kept | null {
    if (prompt.previous === undefined) return null;
    const kept = this.kept.get(prompt.previous.prediction);
    if (kept?.logits[prompt.previous.candidate] === undefined) {
      throw new UnknownPrediction("the answer that is refined is not known here");
    }
    return kept;
  }

  /** The masks asked for, best first. */
  private async ranked(encoded: EncodedPrompt, three: boolean): Promise<Scored[]> {
    const { logits, scores } = await this.network(encoded);
    const side = this.model.maskSize;
    const masks = (three ? AMBIGUITY : SINGLE).map((token) => ({
      logits: { side, values: logits.slice(token * side * side, (token + 1) * side * side) },
      score: scores[token] as number,
    }));
    return masks.sort((a, b) => b.score - a.score);
  }

  /** The mask that one new click corrects, and the click; null where the prompt is no correction. */
  private correction(prompt: Prompt, before: Logits | null, earlier: Kept | null): Correction | null {
    if (prompt.scribble?.length || prompt.polygon || prompt.multimask) return null;
    const points = prompt.points ?? [];
    const known = earlier?.points ?? [];
    const click = points.at(-1);
    const goesOn =
      points.length === known.length + 1 && known.every((point, i) => samePoint(point, points[i]));
    if (click === undefined || !goesOn) return null;
    const mask = before ?? (prompt.mask ? maskToLogits(prompt.mask, this.frame, this.model.maskSize) : null);
    return mask === null ? null : { before: mask, click };
  }

  private correct(
    masks: readonly Scored[],
    correction: Correction | null,
  ): { corrected: Scored[]; worse: boolean } {
    if (correction === null) return { corrected: [...masks], worse: false };
    const { before, click } = correction;
    const agrees = isHit(upscaledMask(before, this.frame), this.pixelOf(click)) === (click[2] === 1);
    const local = this.model.localCorrections && !agrees;
    const corrected = masks.map(({ logits, score }) => ({
      logits: local ? correctedLocally(before, logits, click, this.frame) : logits,
      score,
    }));
    const best = (corrected[0] as Scored).logits;
    const worse = agrees ? isLost(before, best) : isMuchWorse(before, best, click, this.frame);
    return { corrected, worse };
  }

  /** A click on the far border is about the last pixel. */
  private pixelOf([x, y]: PromptPoint): readonly [number, number] {
    return [Math.min(x, this.frame.imageWidth - 1), Math.min(y, this.frame.imageHeight - 1)];
  }

  private candidate({ logits, score }: Scored, preview: boolean): Candidate {
    const mask = upscaledMask(logits, this.frame);
    let area = 0;
    for (const bit of mask.bits) area += bit;
    return { mask, area, score, stability: preview ? null : stabilityOf(logits, this.frame) };
  }

  private keep(kept: Kept): string {
    const id = newId();
    this.kept.set(id, kept);
    const [oldest] = this.kept.keys();
    if (this.kept.size > MOST_KEPT && oldest !== undefined) this.kept.delete(oldest);
    return id;
  }
}

interface Scored {
  readonly logits: Logits;
  readonly score: number;
}

interface Correction {
  readonly before: Logits;
  readonly click: PromptPoint;
}

function samePoint(one: PromptPoint, other: PromptPoint | undefined): boolean {
  return other !== undefined && one[0] === other[0] && one[1] === other[1] && one[2] === other[2];
}

function isLost(before: Logits, after: Logits): boolean {
  const holds = ({ values }: Logits) => values.some((value) => value > 0);
  return !holds(after) && holds(before);
}
