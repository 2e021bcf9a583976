/**
 * Corrections that stay near their click, and the warning where one does more harm than good
 * (`anymask.predict.corrections`, `anymask.studio.prompting.worse`).
 */

import { regionsOf } from "../regions";
import type { PromptPoint } from "../types";
import { type Frame, scaleOf } from "./frame";
import { squaredDepths } from "./insidePoint";
import type { Logits } from "./upscale";

/** Low-resolution cells round the click in which its change must begin. */
const TOUCH = 2;
/** Much worse: (1 - IoU) x (1 - how central the click is) above this, or so much of the mask changed against the click. */
const MOST_HARM = 0.1;
const MOST_AGAINST = 0.5;

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

/**
 * Whether a correction has probably spoilt a mask: nothing is left; it goes against its click; or it changes much although
 * the click lies at the edge of the change or outside it, where people point at the middle of what is wrong.
 */
export function isMuchWorse(before: Logits, after: Logits, click: PromptPoint, frame: Frame): boolean {
  const { side } = before;
  const change = new Uint8Array(side * side);
  let [was, now, against, both] = [0, 0, 0, 0];
  for (let i = 0; i < change.length; i++) {
    const [old, fresh] = [isSet(before, i), isSet(after, i)];
    if (old) was++;
    if (fresh) now++;
    if (old && fresh) both++;
    if (old === fresh) continue;
    change[i] = 1;
    if (old === (click[2] === 1)) against++;
  }
  if (now === 0 || was === 0) return was > 0;
  if (against > MOST_AGAINST * was) return true;
  const changed = 1 - both / (was + now - both);
  return (
    changed > MOST_HARM && changed * (1 - centrality(change, side, cellOf(click, frame, side))) > MOST_HARM
  );
}

/** How deep the click lies in its part of the change: 1 in the middle, 0 outside. */
function centrality(change: Uint8Array, side: number, cell: readonly [number, number]): number {
  const bits = touching(change, side, cell);
  const depths = squaredDepths({ x: 0, y: 0, width: side, height: side, bits });
  const deepest = depths.reduce((most, depth) => Math.max(most, depth), 0);
  let here = 0;
  for (const at of near(side, cell)) here = Math.max(here, depths[at] as number);
  return deepest === 0 ? 0 : Math.sqrt(here / deepest);
}

/** The parts of a change that come within TOUCH cells of the click. */
function touching(changed: Uint8Array, side: number, cell: readonly [number, number]): Uint8Array {
  const { labels } = regionsOf({ x: 0, y: 0, width: side, height: side, bits: changed }, 1, "corners");
  const seen = new Set(near(side, cell).map((at) => labels[at] as number));
  seen.delete(0);
  return Uint8Array.from(labels, (label) => (seen.has(label) ? 1 : 0));
}

/** The cells within TOUCH of the click. */
function near(side: number, [x, y]: readonly [number, number]): number[] {
  const column = Math.min(Math.trunc(x), side - 1);
  const row = Math.min(Math.trunc(y), side - 1);
  const cells: number[] = [];
  for (let r = Math.max(0, row - TOUCH); r <= Math.min(side - 1, row + TOUCH); r++) {
    for (let c = Math.max(0, column - TOUCH); c <= Math.min(side - 1, column + TOUCH); c++)
      cells.push(r * side + c);
  }
  return cells;
}

function cellOf(click: PromptPoint, frame: Frame, side: number): readonly [number, number] {
  const [scaleX, scaleY] = scaleOf(frame);
  const cells = side / frame.inputSize;
  return [Math.fround(click[0] * scaleX) * cells, Math.fround(click[1] * scaleY) * cells];
}

function isSet(logits: Logits, at: number): boolean {
  return (logits.values[at] as number) > 0;
}
