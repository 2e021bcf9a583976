/** Several objects, a box each: every box is asked for as it is drawn, Enter keeps all masks. */

import { chosenOf } from "../candidates";
import type { BoxXYXY, Prediction } from "../types";
import {
  boxOf,
  isDrag,
  type Made,
  NOTHING,
  type Pointer,
  type Step,
  stay,
  type Tool,
  type ToolContext,
} from "./tool";

interface Asked {
  readonly box: BoxXYXY;
  /** The request that it waits for; null: answered, or held back. */
  readonly waiting: number | null;
  readonly prediction: Prediction | null;
}

interface BoxesState {
  readonly given: readonly Asked[];
  readonly undone: readonly Asked[];
  readonly press: { readonly pointer: Pointer; readonly to: Pointer } | null;
  readonly finishing: boolean;
}

const START: BoxesState = { given: [], undone: [], press: null, finishing: false };

export const boxesTool: Tool<BoxesState> = {
  name: "boxes",
  start: START,
  busy: (state) => state.given.length > 0 || state.press !== null,
  step: (state, event, context) => {
    switch (event.type) {
      case "down":
        return stay(event.button === 0 ? { ...state, press: { pointer: event, to: event } } : state);
      case "move":
        return stay(state.press === null ? state : { ...state, press: { ...state.press, to: event } });
      case "up":
        return drawn(state, event, context);
      case "release":
        return ask(state, context.ticket);
      case "replies":
        return replied(state, event.request, event.predictions);
      case "failed":
        return stay({
          ...state,
          given: state.given.filter((one) => one.waiting !== event.request),
          finishing: false,
        });
      case "undo":
        return stay(undone(state));
      case "redo":
        return ask(redone(state), context.ticket);
      case "cancel":
        return stay(state.press === null ? START : { ...state, press: null });
      case "finish":
        return finished(ask(state, context.ticket));
      default:
        return stay(state);
    }
  },
  view: (state, context) => {
    const dragged =
      state.press === null ? null : boxOf(state.press.pointer.at, state.press.to.at, context.size);
    const boxes = state.given.map(({ box }) => box);
    return {
      ...NOTHING,
      boxes: dragged === null ? boxes : [...boxes, dragged],
      candidates: state.given.flatMap(({ prediction }) => chosenOf(prediction, 0) ?? []),
      chosen: -1,
      waiting: state.given.some(({ waiting }) => waiting !== null),
    };
  },
};

function drawn(state: BoxesState, event: Pointer, context: ToolContext): Step<BoxesState> {
  if (state.press === null) return stay(state);
  const from = state.press.pointer;
  const box = isDrag(from.at, event.at, event.scale) ? boxOf(from.at, event.at, context.size) : null;
  if (box === null) return stay({ ...state, press: null });
  const given = [...state.given, { box, waiting: null, prediction: null }];
  const next = { ...state, given, undone: [], press: null, finishing: false };
  return event.ctrl ? stay(next) : ask(next, context.ticket);
}

/** Asks for all boxes that nobody has asked for. */
function ask(state: BoxesState, ticket: number): Step<BoxesState> {
  const open = state.given.filter(isOpen);
  if (open.length === 0) return stay(state);
  const given = state.given.map((one) => (isOpen(one) ? { ...one, waiting: ticket } : one));
  return stay(
    { ...state, given },
    { type: "predictBoxes", request: ticket, boxes: open.map(({ box }) => box) },
  );
}

function isOpen(asked: Asked): boolean {
  return asked.waiting === null && asked.prediction === null;
}

function replied(state: BoxesState, request: number, predictions: readonly Prediction[]): Step<BoxesState> {
  const answers = predictions[Symbol.iterator]();
  const given = state.given.map((one) =>
    one.waiting === request ? { ...one, waiting: null, prediction: answers.next().value ?? null } : one,
  );
  const next = { ...state, given };
  return state.finishing ? finished(stay({ ...next, finishing: false })) : stay(next);
}

/** A box taken back while its answer was under way is asked for anew, should it come back. */
function undone(state: BoxesState): BoxesState {
  const last = state.given.at(-1);
  if (last === undefined) return state;
  // An answer lists its request's boxes in order: without the last of them the others still match.
  return { ...state, given: state.given.slice(0, -1), undone: [...state.undone, { ...last, waiting: null }] };
}

function redone(state: BoxesState): BoxesState {
  const last = state.undone.at(-1);
  return last === undefined
    ? state
    : { ...state, given: [...state.given, last], undone: state.undone.slice(0, -1) };
}

function finished({ state, effects }: Step<BoxesState>): Step<BoxesState> {
  if (state.given.length === 0) return { state, effects };
  if (state.given.some(({ waiting }) => waiting !== null))
    return { state: { ...state, finishing: true }, effects };
  const made = state.given.flatMap(madeOf);
  if (made.length === 0) return stay(START, { type: "say", text: "No mask was found in the boxes." });
  return stay(START, { type: "commit", made, select: false });
}

function madeOf({ box, prediction }: Asked): Made[] {
  const candidate = chosenOf(prediction, 0);
  if (candidate === null || candidate.mask.bits.length === 0) return [];
  const { mask, score, stability } = candidate;
  return [{ object: null, mask, source: "box", score, stability, prompts: [{ box }] }];
}
