/**
 * The model's answers, worked out beside the network itself: what goes in, which masks count, what a correction may change.
 * It gives what the server gives for the same prompt (`anymask.studio.prompting.answering`).
 */

import { newId } from "../ids";
import { clipped, intersect, isHit, maskArea, subtract, union } from "../masks";
import type { Candidate, Prediction, Prompt, PromptPoint, WindowMask } from "../types";
import { changedCells, correctedLocally, isMuchWorse } from "./corrections";
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
  /** The best mask as it was answered, where that is finer than its logits: a corrected drawing. */
  readonly drawn: WindowMask | null;
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
    const ranked = await this.ranked(encoded, prompt.multimask ?? encoded.isAmbiguous);
    const correction = this.correction(prompt, before, earlier);
    const { masks, worse } = this.corrected(ranked, correction);
    const drawn = this.drawnOn(correction, masks[0] as Scored);
    const candidates = (preview ? masks.slice(0, 1) : masks).map((one, i) =>
      this.candidate(one, i === 0 ? drawn : null, preview),
    );
    const logits = masks.map((one) => one.logits);
    const id = preview ? null : this.keep({ logits, points: prompt.points ?? [], drawn });
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
    const drawnBefore = prompt.previous?.candidate === 0 ? (earlier?.drawn ?? null) : null;
    if (before !== null) return { before, click, drawn: drawnBefore };
    if (prompt.mask === undefined) return null;
    const drawn = clipped(prompt.mask, [this.frame.imageHeight, this.frame.imageWidth]);
    return { before: maskToLogits(drawn, this.frame, this.model.maskSize), click, drawn };
  }

  private corrected(
    masks: readonly Scored[],
    correction: Correction | null,
  ): { masks: readonly Scored[]; worse: boolean } {
    if (correction === null) return { masks, worse: false };
    const { before, click } = correction;
    const agrees = isHit(upscaledMask(before, this.frame), this.pixelOf(click)) === (click[2] === 1);
    const local = this.model.localCorrections && !agrees;
    const after = masks.map(({ logits, score }) => ({
      logits: local ? correctedLocally(before, logits, click, this.frame) : logits,
      score,
    }));
    const best = (after[0] as Scored).logits;
    return { masks: after, worse: isMuchWorse(before, best, click, this.frame) };
  }

  /** The drawing with what the correction changed; the logits alone would round it to their coarse cells all over. */
  private drawnOn(correction: Correction | null, { logits }: Scored): WindowMask | null {
    if (correction?.drawn == null || !this.model.localCorrections) return null;
    const { before, drawn } = correction;
    const [was, now] = [upscaledMask(before, this.frame), upscaledMask(logits, this.frame)];
    const touched = upscaledMask(changedCells(before, logits), this.frame);
    const changed = intersect(subtract(union(was, now), intersect(was, now)), touched);
    return union(subtract(drawn, changed), intersect(now, changed));
  }

  /** A click on the far border is about the last pixel. */
  private pixelOf([x, y]: PromptPoint): readonly [number, number] {
    return [Math.min(x, this.frame.imageWidth - 1), Math.min(y, this.frame.imageHeight - 1)];
  }

  private candidate({ logits, score }: Scored, drawn: WindowMask | null, preview: boolean): Candidate {
    const mask = drawn ?? upscaledMask(logits, this.frame);
    return { mask, area: maskArea(mask), score, stability: preview ? null : stabilityOf(logits, this.frame) };
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
  /** The mask as it was drawn, where that is finer. */
  readonly drawn: WindowMask | null;
}

function samePoint(one: PromptPoint, other: PromptPoint | undefined): boolean {
  return other !== undefined && one[0] === other[0] && one[1] === other[1] && one[2] === other[2];
}
