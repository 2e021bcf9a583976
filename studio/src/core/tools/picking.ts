/** Everything mode: a click takes the proposal under it, a rectangle all that lie in it. */

import { isHit, maskArea, windowBox } from "../masks";
import type { BoxXYXY, ImageXY, WindowMask } from "../types";
import {
  boxOf,
  isDrag,
  type Made,
  NOTHING,
  type Pointer,
  type Proposal,
  type Step,
  stay,
  type Tool,
  type ToolContext,
} from "./tool";

interface PickingState {
  readonly press: { readonly from: Pointer; readonly to: ImageXY; readonly isDrag: boolean } | null;
  readonly at: ImageXY | null;
}

const START: PickingState = { press: null, at: null };

export const everythingTool: Tool<PickingState> = {
  name: "everything",
  start: START,
  busy: (state) => state.press?.isDrag === true,
  step: (state, event, context) => {
    switch (event.type) {
      case "down":
        return stay(
          event.button === 0 ? { ...state, press: { from: event, to: event.at, isDrag: false } } : state,
        );
      case "move": {
        const { press } = state;
        if (press === null) return stay({ ...state, at: event.at });
        const drags = press.isDrag || isDrag(press.from.at, event.at, event.scale);
        return stay({ at: event.at, press: { ...press, to: event.at, isDrag: drags } });
      }
      case "leave":
        return stay({ ...state, at: null });
      case "up":
        return picked(state, event, context);
      case "cancel":
        return stay({ ...state, press: null });
      case "finish":
        return taken(state, context.proposals);
      default:
        return stay(state);
    }
  },
  view: (state, context) => {
    const dragged = state.press?.isDrag ? boxOf(state.press.from.at, state.press.to, context.size) : null;
    const under = state.at === null || state.press?.isDrag ? null : proposalAt(context.proposals, state.at);
    return {
      ...NOTHING,
      boxes: dragged === null ? [] : [dragged],
      hover: under?.mask ?? null,
      cursor: "pointer",
    };
  },
};

/** The smallest proposal under a place: the larger ones can be clicked beside it. */
export function proposalAt(proposals: readonly Proposal[], at: ImageXY): Proposal | null {
  let found: Proposal | null = null;
  for (const proposal of proposals) {
    if ((found === null || proposal.area < found.area) && isHit(proposal.mask, at)) found = proposal;
  }
  return found;
}

/** The proposals that lie in a box with all their pixels. */
export function proposalsIn(proposals: readonly Proposal[], box: BoxXYXY): Proposal[] {
  return proposals.filter(({ mask }) => maskArea(mask) > 0 && isWithin(mask, box));
}

function isWithin(mask: WindowMask, box: BoxXYXY): boolean {
  const [x0, y0, x1, y1] = windowBox(mask);
  return x0 >= box[0] && y0 >= box[1] && x1 <= box[2] && y1 <= box[3];
}

function picked(state: PickingState, event: Pointer, context: ToolContext): Step<PickingState> {
  const { press } = state;
  if (press === null) return stay(state);
  const idle = { ...state, press: null };
  if (!press.isDrag) {
    const one = proposalAt(context.proposals, event.at);
    return one === null ? stay(idle) : taken(idle, [one]);
  }
  const box = boxOf(press.from.at, event.at, context.size);
  return box === null ? stay(idle) : taken(idle, proposalsIn(context.proposals, box));
}

function taken(state: PickingState, proposals: readonly Proposal[]): Step<PickingState> {
  if (proposals.length === 0) return stay(state);
  const made: Made[] = proposals.map(({ id, mask, source, score, stability }) => {
    return { object: null, mask, source, score, stability, prompts: [], proposal: id };
  });
  return stay(state, { type: "commit", made, select: false });
}
