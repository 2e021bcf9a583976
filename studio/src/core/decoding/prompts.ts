/** A prompt as a decoder takes it (`anymask.core.prompt`, `anymask.core.strokes`, `anymask.predict.prompts`). */

import { clipped } from "../masks";
import { polygonsToMask } from "../polygons";
import type { ImageXY, Prompt, PromptPoint, WindowMask } from "../types";
import { boxToInput, type Frame, scaleOf } from "./frame";
import { insidePoint } from "./insidePoint";
import { maskToLogits } from "./maskLogits";
import type { Logits } from "./upscale";

/** A prompt that cannot be meant. */
export class PromptError extends Error {
  override readonly name = "PromptError";
}

export const NOT_A_POINT = -1;
const BOX_CORNERS = [2, 3] as const;
/** Of a stroke at most so many points are taken: Segment Anything was trained with up to nine. */
const MAX_STROKE_POINTS = 8;
/** Wanted distance of a stroke's points, as a share of the picture's longer side. */
const STROKE_SPACING = 1 / 16;

export interface EncodedPrompt {
  /** x, y after x, y, in pixels of the input: points, then (0, 0) where there is no box, then a box's corners. */
  readonly points: Float32Array;
  /** 1 include, 0 exclude, 2 and 3 a box's corners, -1 not a point. */
  readonly labels: Int32Array;
  readonly mask: Logits | null;
  /** A single click and nothing else: it may mean a thing, a part of it, or a part of that. */
  readonly isAmbiguous: boolean;
}

/** `previous`: the logits that the prompt refines; `side`: of the model's masks. Throws PromptError. */
export function encodedPrompt(
  prompt: Prompt,
  previous: Logits | null,
  frame: Frame,
  side: number,
): EncodedPrompt {
  const points = allPoints(prompt, frame);
  const [scaleX, scaleY] = scaleOf(frame);
  const xy = points.flatMap(([x, y]) => [x * scaleX, y * scaleY]);
  const labels: number[] = points.map(([, , label]) => label);
  if (prompt.box !== undefined) {
    xy.push(...boxToInput(frame, cut(prompt.box, frame)));
    labels.push(...BOX_CORNERS);
  } else if (points.length > 0) {
    xy.push(0, 0);
    labels.push(NOT_A_POINT);
  }
  const mask = previous ?? givenMask(prompt, frame, side);
  if (labels.length === 0 && mask === null)
    throw new PromptError("the prompt is empty: give a point, box or mask");
  return {
    points: Float32Array.from(xy),
    labels: Int32Array.from(labels),
    mask,
    isAmbiguous: points.length === 1 && prompt.box === undefined && mask === null,
  };
}

/** Clicks, then points along strokes, then one deep inside a lasso. */
function allPoints(prompt: Prompt, frame: Frame): PromptPoint[] {
  const points: PromptPoint[] = [...(prompt.points ?? [])];
  for (const stroke of prompt.scribble ?? []) points.push(...strokePoints(stroke, frame));
  if (prompt.polygon !== undefined) {
    const [x, y] = insidePoint(outlined(prompt.polygon, frame)) as ImageXY;
    points.push([x, y, 1]);
  }
  for (const [x, y] of points) {
    if (!(x >= 0 && y >= 0 && x <= frame.imageWidth && y <= frame.imageHeight)) {
      throw new PromptError(`the point ${x}, ${y} is outside the picture`);
    }
  }
  return points;
}

function givenMask(prompt: Prompt, frame: Frame, side: number): Logits | null {
  if (prompt.polygon !== undefined) return maskToLogits(outlined(prompt.polygon, frame), frame, side);
  if (prompt.mask === undefined) return null;
  const mask = clipped(prompt.mask, [frame.imageHeight, frame.imageWidth]);
  if (mask.bits.length === 0) throw new PromptError("the mask is empty");
  return maskToLogits(mask, frame, side);
}

function outlined(polygon: readonly ImageXY[], frame: Frame): WindowMask {
  const mask = polygonsToMask([{ exterior: polygon, holes: [] }], [frame.imageHeight, frame.imageWidth]);
  if (mask.bits.length === 0) throw new PromptError("the polygon encloses no pixel of the picture");
  return mask;
}

/** The middles of equally long parts of a stroke; one without length gives its one point. */
export function strokePoints(stroke: readonly ImageXY[], frame: Frame): PromptPoint[] {
  const travelled = [0];
  for (let i = 1; i < stroke.length; i++) {
    const [x0, y0] = stroke[i - 1] as ImageXY;
    const [x1, y1] = stroke[i] as ImageXY;
    travelled.push((travelled[i - 1] as number) + Math.hypot(x1 - x0, y1 - y0));
  }
  const length = travelled.at(-1) as number;
  const [start] = stroke;
  if (start === undefined) throw new PromptError("a scribble needs a point");
  if (length === 0) return [[start[0], start[1], 1]];
  const spacing = Math.max(frame.imageHeight, frame.imageWidth) * STROKE_SPACING;
  const count = Math.min(MAX_STROKE_POINTS, Math.max(1, roundHalfToEven(length / spacing)));
  return Array.from({ length: count }, (_, i) => {
    const [x, y] = placeAt(stroke, travelled, ((i + 0.5) * length) / count);
    return [x, y, 1];
  });
}

function placeAt(stroke: readonly ImageXY[], travelled: readonly number[], distance: number): ImageXY {
  const i = Math.max(
    1,
    travelled.findIndex((length) => length >= distance),
  );
  const [x0, y0] = stroke[i - 1] as ImageXY;
  const [x1, y1] = stroke[i] as ImageXY;
  const [from, to] = [travelled[i - 1] as number, travelled[i] as number];
  const share = to === from ? 0 : (distance - from) / (to - from);
  return [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
}

/** As Python rounds. */
function roundHalfToEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

function cut([x0, y0, x1, y1]: readonly [number, number, number, number], frame: Frame) {
  const box = [
    Math.max(0, x0),
    Math.max(0, y0),
    Math.min(frame.imageWidth, x1),
    Math.min(frame.imageHeight, y1),
  ] as const;
  if (!(box[2] > box[0] && box[3] > box[1])) throw new PromptError("the box has no area in the picture");
  return box;
}
