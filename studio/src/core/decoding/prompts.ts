/** A prompt as a decoder takes it (`anymask.core.prompt`, `anymask.core.strokes`, `anymask.predict.prompts`). */

import { clipped } from "../masks";
import { polygonsToMask } from "../polygons";
import { strokePoints } from "../strokes";
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
  for (const stroke of prompt.scribble ?? []) points.push(...pointsAlong(stroke, frame));
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

function pointsAlong(stroke: readonly ImageXY[], frame: Frame): readonly PromptPoint[] {
  if (stroke.length === 0) throw new PromptError("a scribble needs a point");
  return strokePoints(stroke, [frame.imageHeight, frame.imageWidth]).map(([x, y]) => [x, y, 1]);
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
