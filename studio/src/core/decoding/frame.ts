/** The crossing between the picture's pixels and the frame that a model sees (`anymask.core.geometry`). */

import type { BoxXYXY } from "../types";

export interface Frame {
  readonly imageHeight: number;
  readonly imageWidth: number;
  /** Side of the model's square input. */
  readonly inputSize: number;
  /** The scaled picture inside it. */
  readonly resizedHeight: number;
  readonly resizedWidth: number;
}

/** The longer side becomes `inputSize`; sides are rounded as Segment Anything does, and never below 1. */
export function frameOf(imageHeight: number, imageWidth: number, inputSize: number): Frame {
  const scale = inputSize / Math.max(imageHeight, imageWidth);
  const resized = (side: number) => Math.max(1, Math.trunc(side * scale + 0.5));
  return {
    imageHeight,
    imageWidth,
    inputSize,
    resizedHeight: resized(imageHeight),
    resizedWidth: resized(imageWidth),
  };
}

/** Input pixels a pixel of the picture, along x and y. */
export function scaleOf(frame: Frame): readonly [x: number, y: number] {
  return [frame.resizedWidth / frame.imageWidth, frame.resizedHeight / frame.imageHeight];
}

/** x0, y0, x1, y1 in pixels of the input. */
export function boxToInput(frame: Frame, [x0, y0, x1, y1]: BoxXYXY): readonly number[] {
  const [x, y] = scaleOf(frame);
  return [x0 * x, y0 * y, x1 * x, y1 * y];
}
