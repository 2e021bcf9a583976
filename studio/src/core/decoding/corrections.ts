/**
 * Corrections that stay near their click, and the warning where one does more harm than good
 * (`anymask.predict.corrections`, `anymask.studio.prompting.worse`).
 */

import { regionsOf } from "../regions";
import type { PromptPoint } from "../types";
import { type Frame, scaleOf } from "./frame";
import type { Logits } from "./upscale";

/** Low-resolution cells round the click in which its change must begin. */
const TOUCH = 2;
/** How far the overlap with the mask before may fall below that of the same answer kept to the click. */
const LOCAL_GAP = 0.3;

/**
 * `after` where the click reaches, `before` elsewhere: of an include click what it adds, of an exclude click what it takes
 * away, as far as that is connected to the click.
 */
export function correctedLocally(before: Logits, after: Logits, click: PromptPoint, frame: Frame): Logits {
  const { side } = before;
  const include = click[2] === 1;
  const changed = new Uint8Array(side * side);
  for (let i = 0; i < changed.length; i++) {
    const was = isSet(before, i);
    if (was !== isSet(after, i) && was !== include) changed[i] = 1;
  }
  const taken = touching(changed, side, cellOf(click, frame, side));
  const values = Float32Array.from(before.values, (old, i) =>
    taken[i] === 1 || isSet(before, i) === isSet(after, i) ? (after.values[i] as number) : old,
  );
  return { side, values };
}

/** The cells whose sign differs and their neighbours as 1, all others as -1. */
export function changedCells(before: Logits, after: Logits): Logits {
  const { side } = before;
  const values = new Float32Array(side * side).fill(-1);
  for (let at = 0; at < values.length; at++) {
    if (isSet(before, at) === isSet(after, at)) continue;
    const column = at % side;
    for (let row = Math.floor(at / side) - 1; row <= Math.floor(at / side) + 1; row++) {
      if (row < 0 || row >= side) continue;
      values.fill(1, row * side + Math.max(0, column - 1), row * side + Math.min(side, column + 2));
    }
  }
  return { side, values };
}

/** Whether nothing is left, or the mask changed far more than the click can have meant. */
export function isMuchWorse(before: Logits, after: Logits, click: PromptPoint, frame: Frame): boolean {
  if (!after.values.some((value) => value > 0)) return before.values.some((value) => value > 0);
  const local = correctedLocally(before, after, click, frame);
  return cellIou(before, local) - cellIou(before, after) > LOCAL_GAP;
}

function touching(changed: Uint8Array, side: number, [x, y]: readonly [number, number]): Uint8Array {
  const { labels } = regionsOf({ x: 0, y: 0, width: side, height: side, bits: changed }, 1, "corners");
  const column = Math.min(Math.trunc(x), side - 1);
  const row = Math.min(Math.trunc(y), side - 1);
  const seen = new Set<number>();
  for (let r = Math.max(0, row - TOUCH); r <= Math.min(side - 1, row + TOUCH); r++) {
    for (let c = Math.max(0, column - TOUCH); c <= Math.min(side - 1, column + TOUCH); c++) {
      seen.add(labels[r * side + c] as number);
    }
  }
  seen.delete(0);
  return Uint8Array.from(labels, (label) => (seen.has(label) ? 1 : 0));
}

function cellOf(click: PromptPoint, frame: Frame, side: number): readonly [number, number] {
  const [scaleX, scaleY] = scaleOf(frame);
  const cells = side / frame.inputSize;
  return [Math.fround(click[0] * scaleX) * cells, Math.fround(click[1] * scaleY) * cells];
}

function isSet(logits: Logits, at: number): boolean {
  return (logits.values[at] as number) > 0;
}

function cellIou(one: Logits, other: Logits): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < one.values.length; i++) {
    const [a, b] = [isSet(one, i), isSet(other, i)];
    if (a && b) both++;
    if (a || b) either++;
  }
  return either === 0 ? 1 : both / either;
}
