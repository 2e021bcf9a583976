/** Several masks for one prompt, of which one counts. */

import type { Candidate, Prediction } from "./types";

/** The candidate `by` places on, round and round. */
export function stepped(count: number, chosen: number, by: 1 | -1): number {
  return count === 0 ? 0 : (chosen + by + count) % count;
}

/** The mask that counts. */
export function chosenOf(prediction: Prediction | null, chosen: number): Candidate | null {
  return prediction?.candidates[chosen] ?? null;
}
