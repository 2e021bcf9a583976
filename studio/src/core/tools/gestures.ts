/** What a drag draws, for the tools that ask the model: a box, a lasso, a scribble, a rough mask. */

import { EMPTY_MASK, subtract, union } from "../masks";
import { PaintStroke } from "../paint";
import { strokePoints } from "../strokes";
import type { BoxXYXY, ImageXY, MaskSource, PromptPoint, WindowMask } from "../types";
import { boxOf, NOTHING, type Pointer, type ToolContext, type ToolView, within } from "./tool";

/** Screen pixels between two vertices of a line drawn by hand. */
const LINE_STEP = 2;

/** What the model is told by a finished drag, on top of what it knows. */
export interface Given {
  readonly box?: BoxXYXY;
  readonly polygon?: readonly ImageXY[];
  readonly scribble?: readonly ImageXY[];
  /** Places off the object. */
  readonly excluded?: readonly PromptPoint[];
  /** A rough mask: replaces what was known of the mask. */
  readonly mask?: WindowMask;
}

/** A way to draw. `D`: what has been drawn so far. */
export interface Gesture<D> {
  readonly source: MaskSource;
  begin(pointer: Pointer, context: ToolContext): D;
  extend(drawn: D, pointer: Pointer, context: ToolContext): D;
  /** null: nothing came of it. `present`: the mask in hand. */
  end(drawn: D, present: WindowMask, context: ToolContext): Given | null;
  view(drawn: D, context: ToolContext): Partial<ToolView>;
}

interface Corners {
  readonly from: ImageXY;
  readonly to: ImageXY;
}

export const boxGesture: Gesture<Corners> = {
  source: "box",
  begin: (pointer) => ({ from: pointer.at, to: pointer.at }),
  extend: (drawn, pointer) => ({ ...drawn, to: pointer.at }),
  end: (drawn, _present, context) => {
    const box = boxOf(drawn.from, drawn.to, context.size);
    return box === null ? null : { box };
  },
  view: (drawn, context) => {
    const box = boxOf(drawn.from, drawn.to, context.size);
    return { boxes: box === null ? [] : [box] };
  },
};

export const lassoGesture: Gesture<readonly ImageXY[]> = {
  source: "lasso",
  begin: (pointer, context) => [within(pointer.at, context.size)],
  extend: (line, pointer, context) => extended(line, within(pointer.at, context.size), pointer.scale),
  end: (line) => (line.length < 3 ? null : { polygon: line }),
  view: (line) => ({ paths: [{ points: line, closed: true }] }),
};

interface Scribble {
  readonly line: readonly ImageXY[];
  readonly off: boolean;
}

/** A line over the object; with Alt over what is not part of it: then it is of exclude clicks, evenly spaced. */
export const scribbleGesture: Gesture<Scribble> = {
  source: "scribble",
  begin: (pointer, context) => ({ line: [within(pointer.at, context.size)], off: pointer.alt }),
  extend: ({ line, off }, pointer, context) => {
    return { line: extended(line, within(pointer.at, context.size), pointer.scale), off };
  },
  end: ({ line, off }, _present, { size }) =>
    off ? { excluded: strokePoints(line, size).map(([x, y]) => [x, y, 0] as const) } : { scribble: line },
  view: ({ line }) => ({ paths: [{ points: line, closed: false }] }),
};

interface Painted {
  readonly stroke: PaintStroke;
  readonly erase: boolean;
}

/** A rough mask, painted with the brush; with Alt it is taken away. */
export const roughGesture: Gesture<Painted> = {
  source: "brush",
  begin: (pointer, context) => {
    const stroke = new PaintStroke(context.size);
    stroke.to(pointer.at, radiusOf(pointer, context));
    return { stroke, erase: pointer.alt };
  },
  extend: (drawn, pointer, context) => {
    drawn.stroke.to(pointer.at, radiusOf(pointer, context));
    return { ...drawn };
  },
  end: (drawn, present) => {
    const stroke = drawn.stroke.mask();
    const mask = drawn.erase ? subtract(present, stroke) : union(present, stroke);
    return mask === EMPTY_MASK ? null : { mask };
  },
  view: (drawn) => ({ paint: drawn }),
};

/** The brush's radius under a pen's pressure: a mouse, at 0.5, has the radius itself. */
export function radiusOf(pointer: Pointer, context: ToolContext): number {
  return context.brushRadius * (0.5 + pointer.pressure);
}

/** The line led on to a place, unless it is hardly a step away. */
export function extended(line: readonly ImageXY[], at: ImageXY, scale: number): readonly ImageXY[] {
  const last = line.at(-1) ?? NOWHERE;
  return Math.hypot(at[0] - last[0], at[1] - last[1]) * scale < LINE_STEP ? line : [...line, at];
}

const NOWHERE: ImageXY = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** The view of a drag over that of what is in hand. */
export function over(view: ToolView, drawn: Partial<ToolView>): ToolView {
  return {
    ...view,
    ...drawn,
    boxes: drawn.boxes ? [...view.boxes, ...drawn.boxes] : view.boxes,
    paths: drawn.paths ? [...view.paths, ...drawn.paths] : view.paths,
    hover: NOTHING.hover,
  };
}
