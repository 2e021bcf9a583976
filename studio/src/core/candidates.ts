/** Several masks for one prompt: which counts, what they are called, and whether a click did harm. */

import { iou } from "./masks";
import type { Candidate, Prediction } from "./types";

/** The candidate `by` places on, round and round. */
export function stepped(count: number, chosen: number, by: 1 | -1): number {
  return count === 0 ? 0 : (chosen + by + count) % count;
}

/** What three candidates usually are, by size: the whole, a part, a part of that. */
export function candidateNames(candidates: readonly Candidate[]): string[] {
  if (candidates.length !== 3) return candidates.map((_, i) => `Mask ${i + 1}`);
  const bySize = candidates
    .map((_, i) => i)
    .sort((a, b) => (candidates[b] as Candidate).area - (candidates[a] as Candidate).area);
  const names = ["", "", ""];
  ["Whole", "Part", "Detail"].forEach((name, rank) => {
    names[bySize[rank] as number] = name;
  });
  return names;
}

/** The mask that counts. */
export function chosenOf(prediction: Prediction | null, chosen: number): Candidate | null {
  return prediction?.candidates[chosen] ?? null;
}

/**
 * The candidate most like an earlier mask, so that further clicks do not jump from the part to the whole; the first if
 * none is like it.
 */
export function mostLike(candidates: readonly Candidate[], before: Candidate): number {
  const likeness = candidates.map((candidate) => iou(candidate.mask, before.mask));
  return Math.max(0, likeness.indexOf(Math.max(...likeness)));
}
