/**
 * What a tool is: a state machine without memory of its own. Events (in pixels of the picture) go in, effects come out,
 * and what is to be drawn follows from the state alone.
 *
 * Three rules hold for all tools. A reply to anything but the request that is waited for is dropped. Escape ("cancel")
 * takes back what is in hand and nothing else; with nothing in hand it does nothing, so that the editor may use it.
 * Undo and redo belong to the tool while it has something in hand (`busy`), else to the document.
 */

import type { PaintStroke } from "../paint";
import type {
  BoxXYXY,
  Candidate,
  Id,
  ImageXY,
  KeptPrompt,
  MaskObject,
  MaskSource,
  Prediction,
  Prompt,
  PromptPoint,
  WindowMask,
} from "../types";

export type ToolName =
  | "click"
  | "box"
  | "boxes"
  | "lasso"
  | "polygon"
  | "scribble"
  | "rough"
  | "brush"
  | "eraser"
  | "select"
  | "everything"
  | "review";

/** Where the pointer is, and what is held down with it. `button`: 0 main, 1 middle, 2 right. */
export interface Pointer {
  readonly at: ImageXY;
  readonly button: 0 | 1 | 2;
  readonly alt: boolean;
  readonly shift: boolean;
  readonly ctrl: boolean;
  /** Of a pen, 0 to 1; a mouse has 0.5. */
  readonly pressure: number;
  /** Screen pixels per pixel of the picture. */
  readonly scale: number;
}

export type ToolEvent =
  | ({ readonly type: "down" } & Pointer)
  /** With a button held, or without (hovering). */
  | ({ readonly type: "move" } & Pointer)
  | ({ readonly type: "up" } & Pointer)
  | ({ readonly type: "double" } & Pointer)
  /** The pointer left the picture. */
  | { readonly type: "leave" }
  /** Escape. */
  | { readonly type: "cancel" }
  /** Enter. */
  | { readonly type: "finish" }
  | { readonly type: "undo" }
  | { readonly type: "redo" }
  /** Delete what is in hand: a vertex. */
  | { readonly type: "delete" }
  /** The key that held requests back (Ctrl) was let go. */
  | { readonly type: "release" }
  | { readonly type: "choose"; readonly candidate: number }
  /** The next or the previous candidate, object, proposal: +1 or -1. */
  | { readonly type: "step"; readonly by: 1 | -1 }
  | {
      readonly type: "verdict";
      readonly verdict: "accepted" | "rejected" | "comment";
      readonly comment?: string;
    }
  | { readonly type: "reply"; readonly request: number; readonly prediction: Prediction }
  /** To `predictBoxes`: one prediction a box. */
  | { readonly type: "replies"; readonly request: number; readonly predictions: readonly Prediction[] }
  | { readonly type: "failed"; readonly request: number };

/** A proposal of everything mode, propagation or a search by words, not yet an object. */
export interface Proposal extends Candidate {
  readonly id: Id;
  readonly source: MaskSource;
}

/** What tools may look at. Made anew for every event. */
export interface ToolContext {
  /** [height, width] of the picture. */
  readonly size: readonly [height: number, width: number];
  /** Larger than any before: names a request made now. */
  readonly ticket: number;
  /** The one selected object if it may be changed; else null. */
  readonly target: MaskObject | null;
  readonly selection: readonly Id[];
  /** What is shown and not locked, in drawing order. */
  readonly objects: readonly MaskObject[];
  /** Proposals shown now. */
  readonly proposals: readonly Proposal[];
  /** Pixels of the picture. */
  readonly brushRadius: number;
  /** Whether the mask under the cursor is shown before a click. */
  readonly hover: boolean;
  /** Whether a finished lasso or polygon becomes a prompt, else it is the mask itself; with Alt at its end the other. */
  readonly snap: { readonly lasso: boolean; readonly polygon: boolean };
  /** How far vertices may lie from the outline, pixels of the picture. */
  readonly tolerance: number;
}

/** A mask to keep: a new object, or a new state of `object`. */
export interface Made {
  readonly object: Id | null;
  readonly mask: WindowMask;
  readonly source: MaskSource;
  readonly score: number | null;
  readonly stability: number | null;
  readonly prompts: readonly KeptPrompt[];
  /** The proposal it was, to be taken off the list. */
  readonly proposal?: Id;
}

export type Effect =
  /** Ask the model. A hover request may be dropped for a later one, and then is answered by "failed". */
  | { readonly type: "predict"; readonly request: number; readonly prompt: Prompt; readonly hover: boolean }
  /** Ask for several objects at once, a box each. */
  | { readonly type: "predictBoxes"; readonly request: number; readonly boxes: readonly BoxXYXY[] }
  /** Put into the document as one entry of undo; `select`: select the result. */
  | { readonly type: "commit"; readonly made: readonly Made[]; readonly select: boolean }
  | { readonly type: "select"; readonly ids: readonly Id[] }
  /** Show this part of the picture. */
  | { readonly type: "focus"; readonly object: Id; readonly box: BoxXYXY }
  | {
      readonly type: "review";
      readonly object: Id;
      readonly verdict: "accepted" | "rejected" | "comment";
      readonly comment: string;
    }
  /** One line for the person. */
  | { readonly type: "say"; readonly text: string };

export interface Step<S> {
  readonly state: S;
  readonly effects: readonly Effect[];
}

/** What to draw for a tool. */
export interface ToolView {
  readonly points: readonly PromptPoint[];
  /** Boxes given or being dragged. */
  readonly boxes: readonly BoxXYXY[];
  /** Lines given or being drawn: lasso, polygon, scribbles. */
  readonly paths: readonly { readonly points: readonly ImageXY[]; readonly closed: boolean }[];
  /** Corners that can be taken hold of, and the one that is. */
  readonly vertices: readonly ImageXY[];
  readonly heldVertex: number | null;
  /** A brush stroke being painted. `erase`: it takes away. */
  readonly paint: { readonly stroke: PaintStroke; readonly erase: boolean } | null;
  /** The mask under the cursor. */
  readonly hover: WindowMask | null;
  /** Masks in hand, of which `chosen` counts; with several objects in hand (`boxes`) all count and `chosen` is -1. */
  readonly candidates: readonly Candidate[];
  readonly chosen: number;
  /** The last click made the mask much worse: undo takes it back. */
  readonly worse: boolean;
  /** An answer is waited for (not one for hovering). */
  readonly waiting: boolean;
  /** Objects drawn elsewhere than they are: being moved. */
  readonly moved: { readonly ids: readonly Id[]; readonly dx: number; readonly dy: number } | null;
  /** Object whose own mask is not to be drawn, because `candidates` or `paint` stand for it. */
  readonly replaces: Id | null;
  /** Radius of the round cursor in pixels of the picture, null for none. */
  readonly brush: number | null;
  readonly cursor: "crosshair" | "none" | "default" | "move" | "pointer";
}

export interface Tool<S> {
  readonly name: ToolName;
  readonly start: S;
  step(state: S, event: ToolEvent, context: ToolContext): Step<S>;
  /** Whether something is in hand that Escape, undo and Enter are about. */
  busy(state: S): boolean;
  view(state: S, context: ToolContext): ToolView;
}

export const NOTHING: ToolView = {
  points: [],
  boxes: [],
  paths: [],
  vertices: [],
  heldVertex: null,
  paint: null,
  hover: null,
  candidates: [],
  chosen: 0,
  worse: false,
  waiting: false,
  moved: null,
  replaces: null,
  brush: null,
  cursor: "crosshair",
};

/** The state after an event that changes nothing else. */
export function stay<S>(state: S, ...effects: readonly Effect[]): Step<S> {
  return { state, effects };
}

/** Screen pixels the pointer may move between press and release of what is still a click. */
export const CLICK_SLACK = 4;

/** Whether the way from `from` to `to` is a drag and not the shake of a click. */
export function isDrag(from: ImageXY, to: ImageXY, scale: number): boolean {
  return Math.hypot(to[0] - from[0], to[1] - from[1]) * scale > CLICK_SLACK;
}

/** The box spanned by two corners, cut to the picture; null if it is empty. */
export function boxOf(from: ImageXY, to: ImageXY, size: readonly [number, number]): BoxXYXY | null {
  const [height, width] = size;
  const x0 = Math.max(0, Math.min(from[0], to[0]));
  const y0 = Math.max(0, Math.min(from[1], to[1]));
  const x1 = Math.min(width, Math.max(from[0], to[0]));
  const y1 = Math.min(height, Math.max(from[1], to[1]));
  return x1 > x0 && y1 > y0 ? [x0, y0, x1, y1] : null;
}

/** A place moved into the picture: borders included. */
export function within(at: ImageXY, size: readonly [number, number]): ImageXY {
  return [Math.min(Math.max(at[0], 0), size[1]), Math.min(Math.max(at[1], 0), size[0])];
}

/** Whether a place lies in the picture. */
export function isInside(at: ImageXY, size: readonly [number, number]): boolean {
  return at[0] >= 0 && at[1] >= 0 && at[0] < size[1] && at[1] < size[0];
}
