/** Brush and eraser: pixels of the selected object, one step of undo a stroke. */

import { sameMask, subtract, union } from "../masks";
import { PaintStroke } from "../paint";
import { radiusOf } from "./gestures";
import {
  type Made,
  NOTHING,
  type Pointer,
  type Step,
  stay,
  type Tool,
  type ToolContext,
  type ToolName,
} from "./tool";

export interface PaintingState {
  readonly stroke: PaintStroke | null;
  readonly erase: boolean;
}

const START: PaintingState = { stroke: null, erase: false };

/** With nothing selected the brush begins a new object. Alt turns brush into eraser and back. */
export const brushTool = paintingTool("brush", false);
export const eraserTool = paintingTool("eraser", true);

function paintingTool(name: ToolName, erases: boolean): Tool<PaintingState> {
  return {
    name,
    start: START,
    busy: (state) => state.stroke !== null,
    step: (state, event, context) => {
      switch (event.type) {
        case "down":
          return event.button === 1
            ? stay(state)
            : begun(event, event.alt || event.button === 2 ? !erases : erases, context);
        case "move":
          state.stroke?.to(event.at, radiusOf(event, context));
          return stay(state.stroke === null ? state : { ...state });
        case "up":
          return ended(state, context);
        case "cancel":
          return stay(START);
        default:
          return stay(state);
      }
    },
    view: (state, context) => ({
      ...NOTHING,
      paint: state.stroke === null ? null : { stroke: state.stroke, erase: state.erase },
      brush: context.brushRadius,
      cursor: "none",
    }),
  };
}

function begun(event: Pointer, erase: boolean, context: ToolContext): Step<PaintingState> {
  if (erase && context.target === null) {
    return stay(START, {
      type: "say",
      text: "Select an object first: the eraser takes pixels away from it.",
    });
  }
  const stroke = new PaintStroke(context.size);
  stroke.to(event.at, radiusOf(event, context));
  return stay({ stroke, erase });
}

function ended(state: PaintingState, context: ToolContext): Step<PaintingState> {
  const painted = state.stroke?.mask();
  if (painted === undefined || painted.bits.length === 0) return stay(START);
  const { target } = context;
  if (target === null)
    return state.erase ? stay(START) : commit({ object: null, mask: painted, source: "brush" });
  const mask = state.erase ? subtract(target.mask, painted) : union(target.mask, painted);
  if (sameMask(mask, target.mask)) return stay(START);
  if (mask.bits.length === 0) {
    return stay(START, {
      type: "say",
      text: "That would erase the whole object; delete it with Del instead.",
    });
  }
  return commit({ object: target.id, mask, source: "brush" });
}

function commit(made: Pick<Made, "object" | "mask" | "source">): Step<PaintingState> {
  const whole: Made = { ...made, score: null, stability: null, prompts: [] };
  return stay(START, { type: "commit", made: [whole], select: true });
}
