/** Review: from object to object, each shown at a fitting size, and judged by a key. */

import { stepped } from "../candidates";
import { isHit, windowBox } from "../masks";
import type { Id, MaskObject } from "../types";
import { type Effect, NOTHING, type Step, stay, type Tool, type ToolContext } from "./tool";

interface ReviewState {
  readonly object: Id | null;
}

export const reviewTool: Tool<ReviewState> = {
  name: "review",
  start: { object: null },
  busy: () => false,
  step: (state, event, context) => {
    switch (event.type) {
      case "step":
        return at(next(state, event.by, context));
      case "verdict": {
        if (state.object === null) return at(next(state, 1, context));
        const { verdict, comment = "" } = event;
        const judged: Effect = { type: "review", object: state.object, verdict, comment };
        if (verdict === "comment") return stay(state, judged);
        const { state: moved, effects } = at(next(state, 1, context));
        return { state: moved, effects: [judged, ...effects] };
      }
      case "up": {
        const hit = context.objects.findLast(({ mask }) => isHit(mask, event.at));
        return hit === undefined ? stay(state) : stay({ object: hit.id }, { type: "select", ids: [hit.id] });
      }
      default:
        return stay(state);
    }
  },
  view: () => ({ ...NOTHING, cursor: "default" }),
};

function next(state: ReviewState, by: 1 | -1, { objects }: ToolContext): MaskObject | null {
  const index = objects.findIndex(({ id }) => id === state.object);
  const place = index < 0 ? (by === 1 ? 0 : objects.length - 1) : stepped(objects.length, index, by);
  return objects[place] ?? null;
}

function at(object: MaskObject | null): Step<ReviewState> {
  if (object === null)
    return stay({ object: null }, { type: "say", text: "There is no object to review here." });
  return stay(
    { object: object.id },
    { type: "select", ids: [object.id] },
    { type: "focus", object: object.id, box: windowBox(object.mask) },
  );
}
