/**
 * A polygon, corner by corner: closed by a click on its first corner, a double click or Enter. Where the setting says so it
 * snaps to the object; with Alt at the end it is the other way round.
 */

import { polygonsToMask } from "../polygons";
import type { ImageXY } from "../types";
import { askedWithOutline, type ClickState, clickTool } from "./prompting";
import {
  CLICK_SLACK,
  NOTHING,
  type Pointer,
  type Step,
  stay,
  type Tool,
  type ToolContext,
  type ToolEvent,
  within,
} from "./tool";

interface PolygonState {
  readonly corners: readonly ImageXY[];
  readonly undone: readonly ImageXY[];
  /** Where the next corner would be. */
  readonly at: ImageXY | null;
  /** A closed polygon that was given to the model: from then on clicks refine the answer. */
  readonly asked: ClickState | null;
}

const START: PolygonState = { corners: [], undone: [], at: null, asked: null };

/** Screen pixels from the first corner within which a click closes the polygon. */
const CLOSE = 3 * CLICK_SLACK;

export const polygonTool: Tool<PolygonState> = {
  name: "polygon",
  start: START,
  busy: (state) => state.corners.length > 0 || state.asked !== null,
  step: (state, event, context) => {
    if (state.asked !== null) return passedOn(state, state.asked, event, context);
    switch (event.type) {
      case "down":
        return event.button === 0 ? corner(state, event, context) : stay(undoneCorner(state));
      case "move":
        return stay({ ...state, at: within(event.at, context.size) });
      case "leave":
        return stay({ ...state, at: null });
      case "double":
        return closed(state, context, event.alt);
      case "finish":
        return closed(state, context, false);
      case "undo":
        return stay(undoneCorner(state));
      case "redo": {
        const last = state.undone.at(-1);
        if (last === undefined) return stay(state);
        return stay({ ...state, corners: [...state.corners, last], undone: state.undone.slice(0, -1) });
      }
      case "cancel":
        return stay({ ...START, at: state.at });
      default:
        return stay(state);
    }
  },
  view: (state, context) => {
    if (state.asked !== null) return clickTool.view(state.asked, context);
    const open = state.at === null ? state.corners : [...state.corners, state.at];
    if (state.corners.length === 0) return NOTHING;
    return { ...NOTHING, paths: [{ points: open, closed: false }], vertices: state.corners };
  },
};

function corner(state: PolygonState, event: Pointer, context: ToolContext): Step<PolygonState> {
  const at = within(event.at, context.size);
  const near = (other: ImageXY | undefined, reach: number) =>
    other !== undefined && Math.hypot(at[0] - other[0], at[1] - other[1]) * event.scale <= reach;
  if (state.corners.length >= 3 && near(state.corners[0], CLOSE)) return closed(state, context, event.alt);
  if (near(state.corners.at(-1), 1)) return stay(state); // the second press of a double click
  return stay({ ...state, corners: [...state.corners, at], undone: [], at });
}

function undoneCorner(state: PolygonState): PolygonState {
  const last = state.corners.at(-1);
  return last === undefined
    ? state
    : { ...state, corners: state.corners.slice(0, -1), undone: [...state.undone, last] };
}

/** `other`: as the setting does not say: snapped where it would be the mask itself, and the other way round. */
function closed(state: PolygonState, context: ToolContext, other: boolean): Step<PolygonState> {
  if (state.corners.length < 3) {
    return state.corners.length === 0
      ? stay(state)
      : stay(state, { type: "say", text: "A polygon needs at least three corners." });
  }
  const mask = polygonsToMask([{ exterior: state.corners, holes: [] }], context.size);
  if (mask.bits.length === 0) return stay(state, { type: "say", text: "The polygon encloses no pixel." });
  if (context.snap.polygon !== other) return snapped(state, askedWithOutline(state.corners, context));
  const made = { object: null, mask, source: "polygon", score: null, stability: null, prompts: [] } as const;
  return stay(START, { type: "commit", made: [made], select: true });
}

/** The model has the outline: the click tool goes on; when it has nothing in hand any more, the polygon is done with. */
function passedOn(
  state: PolygonState,
  asked: ClickState,
  event: ToolEvent,
  context: ToolContext,
): Step<PolygonState> {
  const step = clickTool.step(asked, event, context);
  if (clickTool.busy(step.state)) return snapped(state, step);
  return {
    state: event.type === "undo" || event.type === "failed" ? { ...state, asked: null } : START,
    effects: step.effects,
  };
}

function snapped(state: PolygonState, { state: asked, effects }: Step<ClickState>): Step<PolygonState> {
  return { state: { ...state, asked }, effects };
}
