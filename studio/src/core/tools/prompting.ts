/**
 * The tools that ask the model for one object: click, box, lasso, scribble, rough brush. They differ in what a drag means;
 * clicks refine the mask in hand in all of them.
 *
 * What was given for the object in hand is a row of works, one a step, so that undo and redo go through them. As in
 * `anymask.Session`, a click or a scribble feeds the chosen mask back to the model; a box, a lasso and a rough mask begin
 * anew.
 */

import { chosenOf, stepped } from "../candidates";
import { EMPTY_MASK } from "../masks";
import { polygonsToMask } from "../polygons";
import { encodeRle } from "../rle";
import type {
  BoxXYXY,
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
import {
  boxGesture,
  type Gesture,
  type Given,
  lassoGesture,
  over,
  roughGesture,
  scribbleGesture,
} from "./gestures";
import { type Hovering, hoverAnswered, hoverAt, NOT_HOVERING } from "./hovering";
import {
  type Effect,
  isDrag,
  isInside,
  type Made,
  NOTHING,
  type Pointer,
  type Step,
  stay,
  type Tool,
  type ToolContext,
  type ToolEvent,
  type ToolName,
  type ToolView,
} from "./tool";

/** Everything that has been given for an object, and the answer. */
interface Work {
  /** The object that gets the mask; null: a new one. */
  readonly object: Id | null;
  /** Its mask before. */
  readonly base: WindowMask;
  readonly points: readonly PromptPoint[];
  readonly box: BoxXYXY | null;
  readonly scribbles: readonly (readonly ImageXY[])[];
  readonly lasso: readonly ImageXY[] | null;
  readonly source: MaskSource;
  readonly prompt: Prompt;
  /** null: not answered yet. */
  readonly prediction: Prediction | null;
  readonly chosen: number;
}

export interface PromptingState<D> {
  readonly works: readonly Work[];
  /** How many of the works count; those beyond were undone. */
  readonly count: number;
  readonly waiting: number | null;
  /** A request is held back until the key is let go. */
  readonly held: boolean;
  /** Enter was pressed before the answer came. */
  readonly finishing: boolean;
  readonly press: { readonly pointer: Pointer; readonly drawn: D | null } | null;
  readonly hovering: Hovering;
}

const START = {
  works: [],
  count: 0,
  waiting: null,
  held: false,
  finishing: false,
  press: null,
  hovering: NOT_HOVERING,
} as const;

type ClickDrag = Parameters<typeof boxGesture.end>[0];
export type ClickState = PromptingState<ClickDrag>;

export const clickTool: Tool<ClickState> = promptingTool("click", boxGesture, { hovers: true });
export const boxTool = promptingTool("box", boxGesture);
export const lassoTool = promptingTool("lasso", lassoGesture);
export const scribbleTool = promptingTool("scribble", scribbleGesture);
export const roughTool = promptingTool("rough", roughGesture, { brush: true });

function promptingTool<D>(
  name: ToolName,
  gesture: Gesture<D>,
  options: { readonly hovers?: boolean; readonly brush?: boolean } = {},
): Tool<PromptingState<D>> {
  type State = PromptingState<D>;

  function step(state: State, event: ToolEvent, context: ToolContext): Step<State> {
    switch (event.type) {
      case "down":
        return event.button === 1
          ? stay(state)
          : stay(quiet<D>({ ...state, press: { pointer: event, drawn: null } }));
      case "move":
        return state.press === null ? hovered(state, event.at, context) : dragged(state, event, context);
      case "up":
        return state.press === null ? stay(state) : released(state, event, context);
      case "leave":
        return hovered(state, null, context);
      case "cancel":
        return state.press === null
          ? stay<State>({ ...START, hovering: state.hovering })
          : stay({ ...state, press: null });
      case "finish":
        return finished(state);
      case "undo":
        return travelled(state, -1, context);
      case "redo":
        return travelled(state, 1, context);
      case "release":
        return state.held ? asked({ ...state, held: false }, context) : stay(state);
      case "choose":
        return stay(choose(state, event.candidate));
      case "step": {
        const work = present(state);
        return stay(
          choose(state, stepped(work?.prediction?.candidates.length ?? 0, work?.chosen ?? 0, event.by)),
        );
      }
      case "reply":
        return state.waiting === event.request
          ? replied(state, event.prediction)
          : hoverReply(state, event.request, event.prediction, context);
      case "failed":
        return state.waiting === event.request
          ? stay({
              ...state,
              count: state.count - 1,
              works: state.works.slice(0, state.count - 1),
              waiting: null,
              finishing: false,
            })
          : hoverReply(state, event.request, null, context);
      default:
        return stay(state);
    }
  }

  function dragged(state: State, event: Pointer, context: ToolContext): Step<State> {
    const press = state.press as NonNullable<State["press"]>;
    if (press.pointer.button !== 0) return stay(state);
    if (press.drawn === null && !isDrag(press.pointer.at, event.at, event.scale)) return stay(state);
    const drawn = gesture.extend(press.drawn ?? gesture.begin(press.pointer, context), event, context);
    return stay({ ...state, press: { ...press, drawn } });
  }

  function released(state: State, event: Pointer, context: ToolContext): Step<State> {
    const { pointer, drawn } = state.press as NonNullable<State["press"]>;
    const idle = { ...state, press: null };
    if (drawn === null) return clicked(idle, pointer, context);
    const given = gesture.end(drawn, presentMask(idle, pointer, context), context);
    if (given === null) return stay(idle);
    if (given.polygon !== undefined && context.snap.lasso === event.alt)
      return drawnAsIs(idle, given.polygon, pointer, context);
    return push(
      idle,
      withGiven(beginning(idle, pointer, context), given, gesture.source),
      event.ctrl,
      context,
    );
  }

  function clicked(state: State, pointer: Pointer, context: ToolContext): Step<State> {
    if (!isInside(pointer.at, context.size)) return stay(state);
    const label = pointer.button === 2 || pointer.alt ? 0 : 1;
    if (label === 0 && present(state) === null && context.target === null) {
      return stay(state, {
        type: "say",
        text: "Click on the object first; then a right click takes parts away.",
      });
    }
    const work = beginning(state, pointer, context);
    if (isRepeated(work.points.at(-1), pointer.at, label)) return stay(state);
    const points: PromptPoint[] = [...work.points, [pointer.at[0], pointer.at[1], label]];
    const fed = { ...work, points, lasso: null };
    return push(state, { ...fed, prompt: promptOf(fed, true) }, pointer.ctrl, context);
  }

  return {
    name,
    start: START,
    step,
    busy: (state) => state.count > 0 || state.press?.drawn != null,
    view: (state, context) => {
      const view = viewOf(state, options.brush ? context.brushRadius : null);
      const drawn = state.press?.drawn ?? null;
      return drawn === null ? view : over(view, gesture.view(drawn, context));
    },
  };

  function hovered(state: State, at: ImageXY | null, context: ToolContext): Step<State> {
    if (!options.hovers) return stay(state);
    const wanted =
      at !== null && context.hover && state.count === 0 && isInside(at, context.size) ? at : null;
    const { hovering, effects } = hoverAt(state.hovering, wanted, context.ticket);
    return { state: { ...state, hovering }, effects };
  }
}

/** The click tool with an outline already given, as if a lasso had been drawn: clicks refine what it snaps to. */
export function askedWithOutline(outline: readonly ImageXY[], context: ToolContext): Step<ClickState> {
  const work = withGiven(begun(null), { polygon: outline }, "lasso");
  return push<ClickDrag>(START, work, false, context);
}

function hoverReply<D>(
  state: PromptingState<D>,
  request: number,
  prediction: Prediction | null,
  context: ToolContext,
): Step<PromptingState<D>> {
  const { hovering, effects } = hoverAnswered(state.hovering, request, prediction, context.ticket);
  return { state: { ...state, hovering }, effects };
}

function present<D>(state: PromptingState<D>): Work | null {
  return state.works[state.count - 1] ?? null;
}

/** The last answered work: what is shown while an answer is waited for. */
function answered<D>(state: PromptingState<D>): Work | null {
  return state.works.slice(0, state.count).findLast((work) => work.prediction !== null) ?? null;
}

/** What the next step builds on: the work in hand, the object that is to be refined, or nothing. */
function beginning<D>(state: PromptingState<D>, pointer: Pointer, context: ToolContext): Work {
  const work = present(state);
  if (work !== null) {
    const shown = answered(state);
    return { ...work, prediction: shown?.prediction ?? null, chosen: shown?.chosen ?? 0 };
  }
  const refines = pointer.shift || pointer.alt || pointer.button === 2;
  return begun(refines ? context.target : null);
}

function begun(target: MaskObject | null): Work {
  return {
    object: target?.id ?? null,
    base: target?.mask ?? EMPTY_MASK,
    points: [],
    box: null,
    scribbles: [],
    lasso: null,
    source: target === null ? "click" : "edit",
    prompt: {},
    prediction: null,
    chosen: 0,
  };
}

/** A double click means nothing more than a click. */
function isRepeated(last: PromptPoint | undefined, at: ImageXY, label: 0 | 1): boolean {
  if (last === undefined || last[2] !== label) return false;
  return Math.floor(last[0]) === Math.floor(at[0]) && Math.floor(last[1]) === Math.floor(at[1]);
}

function presentMask<D>(state: PromptingState<D>, pointer: Pointer, context: ToolContext): WindowMask {
  const work = beginning(state, pointer, context);
  return chosenOf(work.prediction, work.chosen)?.mask ?? work.base;
}

function withGiven(work: Work, given: Given, source: MaskSource): Work {
  const next = {
    ...work,
    points: given.excluded === undefined ? work.points : [...work.points, ...given.excluded],
    box: given.box ?? work.box,
    lasso: given.polygon ?? null,
    scribbles: given.scribble === undefined ? work.scribbles : [...work.scribbles, given.scribble],
    source: work.source === "click" && work.points.length === 0 ? source : work.source,
  };
  if (given.mask !== undefined) return { ...next, prompt: { ...promptOf(next, false), mask: given.mask } };
  if (given.polygon !== undefined)
    return { ...next, prompt: { ...promptOf(next, false), polygon: given.polygon } };
  return { ...next, prompt: promptOf(next, given.scribble !== undefined || given.excluded !== undefined) };
}

/** `feedBack`: whether the mask so far goes along. */
function promptOf(work: Work, feedBack: boolean): Prompt {
  const prompt = {
    ...(work.points.length > 0 && { points: work.points }),
    ...(work.box !== null && { box: work.box }),
    ...(work.scribbles.length > 0 && { scribble: work.scribbles }),
  };
  if (!feedBack) return prompt;
  const chosen = chosenOf(work.prediction, work.chosen);
  if (work.prediction?.id != null && chosen !== null) {
    return { ...prompt, previous: { prediction: work.prediction.id, candidate: work.chosen } };
  }
  const mask = chosen?.mask ?? work.base;
  return mask.bits.length === 0 ? prompt : { ...prompt, mask };
}

function push<D>(
  state: PromptingState<D>,
  work: Work,
  hold: boolean,
  context: ToolContext,
): Step<PromptingState<D>> {
  const works = [...state.works.slice(0, state.count), { ...work, prediction: null, chosen: 0 }];
  const next = { ...quiet(state), works, count: works.length, finishing: false };
  return hold ? stay({ ...next, held: true, waiting: null }) : asked(next, context);
}

/** No mask under the cursor while an object is in hand; a request for one under way goes unheeded. */
function quiet<D>(state: PromptingState<D>): PromptingState<D> {
  return { ...state, hovering: NOT_HOVERING };
}

/** Asks for the present work's answer, if it has none. */
function asked<D>(state: PromptingState<D>, context: ToolContext): Step<PromptingState<D>> {
  const work = present(state);
  if (work === null || work.prediction !== null) return stay({ ...state, waiting: null });
  const effect: Effect = { type: "predict", request: context.ticket, prompt: work.prompt, hover: false };
  return stay({ ...state, waiting: context.ticket }, effect);
}

function replied<D>(state: PromptingState<D>, prediction: Prediction): Step<PromptingState<D>> {
  const works = [...state.works];
  works[state.count - 1] = { ...(works[state.count - 1] as Work), prediction };
  const next = { ...state, works, waiting: null };
  return state.finishing ? finished({ ...next, finishing: false }) : stay(next);
}

function choose<D>(state: PromptingState<D>, candidate: number): PromptingState<D> {
  const work = present(state);
  const known = work?.prediction?.candidates[candidate] !== undefined;
  if (work === null || !known || candidate === work.chosen) return state;
  const works = [...state.works.slice(0, state.count), { ...work, chosen: candidate }];
  return { ...state, works, count: works.length };
}

function travelled<D>(state: PromptingState<D>, by: 1 | -1, context: ToolContext): Step<PromptingState<D>> {
  const count = Math.min(Math.max(state.count + by, 0), state.works.length);
  if (count === state.count) return stay(state);
  return asked({ ...state, count, waiting: null, held: false, finishing: false }, context);
}

function finished<D>(state: PromptingState<D>): Step<PromptingState<D>> {
  const work = present(state);
  if (work === null) return stay(state);
  if (work.prediction === null) return stay({ ...state, finishing: true });
  const candidate = chosenOf(work.prediction, work.chosen);
  if (candidate === null || candidate.mask.bits.length === 0) {
    return stay(state, {
      type: "say",
      text: "The mask is empty: there is nothing to keep. Click on the object.",
    });
  }
  const made: Made = {
    object: work.object,
    mask: candidate.mask,
    source: work.source,
    score: candidate.score,
    stability: candidate.stability,
    // Choosing another candidate is a step of its own with the same prompt.
    prompts: [...new Set(state.works.slice(0, state.count).map(({ prompt }) => prompt))].map(keptPrompt),
  };
  return stay({ ...state, ...START }, { type: "commit", made: [made], select: false });
}

function keptPrompt({ mask, ...prompt }: Prompt): KeptPrompt {
  if (mask === undefined) return prompt;
  const window = encodeRle({ ...mask, x: 0, y: 0 }, [mask.height, mask.width]);
  return { ...prompt, mask: { ...window, offset: [mask.x, mask.y] } };
}

/** A lasso that is the mask itself. */
function drawnAsIs<D>(
  state: PromptingState<D>,
  polygon: readonly ImageXY[],
  pointer: Pointer,
  context: ToolContext,
): Step<PromptingState<D>> {
  const mask = polygonsToMask([{ exterior: polygon, holes: [] }], context.size);
  if (mask.bits.length === 0) return stay(state);
  const object = beginning(state, pointer, context).object;
  const made: Made = { object, mask, source: "lasso", score: null, stability: null, prompts: [] };
  return stay({ ...state, ...START }, { type: "commit", made: [made], select: false });
}

function viewOf<D>(state: PromptingState<D>, brush: number | null): ToolView {
  const work = present(state);
  const cursor = brush === null ? "crosshair" : "none";
  if (work === null) return { ...NOTHING, hover: state.hovering.mask, brush, cursor };
  const shown = answered(state);
  return {
    ...NOTHING,
    points: work.points,
    boxes: work.box === null ? [] : [work.box],
    paths: [
      ...work.scribbles.map((points) => ({ points, closed: false })),
      ...(work.lasso === null ? [] : [{ points: work.lasso, closed: true }]),
    ],
    candidates: shown?.prediction?.candidates ?? [],
    chosen: shown?.chosen ?? 0,
    worse: work.prediction?.worse ?? false,
    waiting: state.waiting !== null,
    replaces: work.object,
    brush,
    cursor,
  };
}
