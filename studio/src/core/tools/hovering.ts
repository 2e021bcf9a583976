/**
 * The mask under the cursor, asked for as fast as it is answered: one request is under way at a time, and when it comes
 * back the place where the pointer is by then is asked for.
 */

import type { ImageXY, Prediction, WindowMask } from "../types";
import type { Effect } from "./tool";

export interface Hovering {
  readonly waiting: number | null;
  /** Asked for, or shown. */
  readonly asked: ImageXY | null;
  /** Where the pointer is; null: not over the picture. */
  readonly at: ImageXY | null;
  readonly mask: WindowMask | null;
}

export const NOT_HOVERING: Hovering = { waiting: null, asked: null, at: null, mask: null };

interface Result {
  readonly hovering: Hovering;
  readonly effects: readonly Effect[];
}

/** The pointer is at a place, or nowhere. */
export function hoverAt(hovering: Hovering, at: ImageXY | null, ticket: number): Result {
  if (at === null) return { hovering: { ...hovering, at: null, asked: null, mask: null }, effects: [] };
  return ask({ ...hovering, at }, ticket);
}

/** The answer to a hover request came, or (null) none will come. Answers to earlier requests change nothing. */
export function hoverAnswered(
  hovering: Hovering,
  request: number,
  prediction: Prediction | null,
  ticket: number,
): Result {
  if (hovering.waiting !== request) return { hovering, effects: [] };
  const shown = hovering.at === null ? null : (prediction?.candidates[0]?.mask ?? null);
  return ask({ ...hovering, waiting: null, mask: shown }, ticket);
}

function ask(hovering: Hovering, ticket: number): Result {
  const { at, asked } = hovering;
  if (at === null || hovering.waiting !== null || samePixel(at, asked)) return { hovering, effects: [] };
  return {
    hovering: { ...hovering, waiting: ticket, asked: at },
    effects: [{ type: "predict", request: ticket, prompt: { points: [[at[0], at[1], 1]] }, hover: true }],
  };
}

function samePixel(one: ImageXY, other: ImageXY | null): boolean {
  return (
    other !== null &&
    Math.floor(one[0]) === Math.floor(other[0]) &&
    Math.floor(one[1]) === Math.floor(other[1])
  );
}
