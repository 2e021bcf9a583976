/**
 * Select: a click takes the topmost object under it, a second click at the same place the one below; Shift adds and takes
 * away; a drag over empty picture takes all objects that lie in its box; a drag of a selected object moves the selection.
 *
 * The outline of the one selected object can be reshaped: a vertex is dragged, a drag of the line between makes a new one,
 * Alt-click or Delete takes one away.
 */

import { isHit, moved, sameMask, windowBox } from "../masks";
import type { BoxXYXY, Id, ImageXY, MaskObject, WindowMask } from "../types";
import { type VertexRef, verticesOf } from "../vertices";
import {
  draggedTo,
  indexOf,
  isVertex,
  maskAfter,
  maskWithout,
  outlineOf,
  type Reshaping,
  takenHold,
} from "./reshape";
import {
  boxOf,
  CLICK_SLACK,
  isDrag,
  type Made,
  NOTHING,
  type Pointer,
  type Step,
  stay,
  type Tool,
  type ToolContext,
  type ToolView,
} from "./tool";

type Drag =
  | { readonly kind: "none" }
  | { readonly kind: "reshape"; readonly reshaping: Reshaping }
  | { readonly kind: "box" }
  | { readonly kind: "move"; readonly ids: readonly Id[] };

export interface SelectState {
  readonly press: {
    readonly from: Pointer;
    readonly to: ImageXY;
    readonly hold: Reshaping | null;
    readonly drag: Drag;
  } | null;
  /** The vertex that Delete takes away, of the object with this mask. */
  readonly held: { readonly ref: VertexRef; readonly mask: WindowMask } | null;
  /** The last click, for the next one at the same place. */
  readonly last: ImageXY | null;
}

const START: SelectState = { press: null, held: null, last: null };

export const selectTool: Tool<SelectState> = {
  name: "select",
  start: START,
  busy: (state) => state.press !== null && state.press.drag.kind !== "none",
  step: (state, event, context) => {
    switch (event.type) {
      case "down":
        return event.button === 0
          ? stay({
              ...state,
              press: { from: event, to: event.at, hold: takenHold(event, context), drag: { kind: "none" } },
            })
          : stay(state);
      case "move":
        return state.press === null
          ? stay(state)
          : stay({ ...state, press: dragged(state.press, event, context) });
      case "up":
        return released(state, event, context);
      case "cancel":
        return stay({ ...state, press: null, held: null });
      case "delete":
        return vertexDeleted(state, context);
      default:
        return stay(state);
    }
  },
  view: selectView,
};

/** Objects under a place, the topmost first. */
export function objectsAt(objects: readonly MaskObject[], at: ImageXY): MaskObject[] {
  return objects.filter(({ mask }) => isHit(mask, at)).reverse();
}

/** Objects all of whose pixels lie in a box. */
export function objectsIn(objects: readonly MaskObject[], box: BoxXYXY): MaskObject[] {
  return objects.filter(({ mask }) => {
    const [x0, y0, x1, y1] = windowBox(mask);
    return mask.bits.length > 0 && x0 >= box[0] && y0 >= box[1] && x1 <= box[2] && y1 <= box[3];
  });
}

function dragged(
  press: NonNullable<SelectState["press"]>,
  event: Pointer,
  context: ToolContext,
): typeof press {
  const { from, drag, hold } = press;
  if (drag.kind === "reshape") {
    return {
      ...press,
      to: event.at,
      drag: { ...drag, reshaping: draggedTo(drag.reshaping, event.at, context) },
    };
  }
  if (drag.kind !== "none") return { ...press, to: event.at };
  if (!isDrag(from.at, event.at, event.scale)) return press;
  if (hold !== null) {
    return {
      ...press,
      to: event.at,
      drag: { kind: "reshape", reshaping: draggedTo(hold, event.at, context) },
    };
  }
  const held = objectsAt(context.objects, from.at).some(({ id }) => context.selection.includes(id));
  const ids = context.objects.map(({ id }) => id).filter((id) => context.selection.includes(id));
  return { ...press, to: event.at, drag: held ? { kind: "move", ids } : { kind: "box" } };
}

function released(state: SelectState, event: Pointer, context: ToolContext): Step<SelectState> {
  const { press } = state;
  if (press === null) return stay(state);
  const idle = START;
  switch (press.drag.kind) {
    case "reshape":
      return changed(idle, press.drag.reshaping.object, maskAfter(press.drag.reshaping, context));
    case "move":
      return movedBy(idle, press.drag.ids, whole(press.from.at, event.at), context);
    case "box": {
      const box = boxOf(press.from.at, event.at, context.size);
      const inside = box === null ? [] : objectsIn(context.objects, box).map(({ id }) => id);
      const ids = event.shift ? [...new Set([...context.selection, ...inside])] : inside;
      return stay(idle, { type: "select", ids });
    }
    case "none":
      if (press.hold !== null && isVertex(press.hold) && !event.shift)
        return vertexClicked(press.hold, event, context);
      return clicked(state.last, event, context);
  }
}

function clicked(last: ImageXY | null, event: Pointer, context: ToolContext): Step<SelectState> {
  const under = objectsAt(context.objects, event.at).map(({ id }) => id);
  const state = { ...START, last: event.at };
  if (event.shift) {
    const [top] = under;
    if (top === undefined) return stay(state);
    const rest = context.selection.filter((id) => id !== top);
    return stay(state, {
      type: "select",
      ids: rest.length < context.selection.length ? rest : [...rest, top],
    });
  }
  const again =
    last !== null && Math.hypot(last[0] - event.at[0], last[1] - event.at[1]) * event.scale <= CLICK_SLACK;
  const present = again ? under.findIndex((id) => context.selection.includes(id)) : -1;
  const taken = under[(present + 1) % Math.max(under.length, 1)];
  return stay(state, { type: "select", ids: taken === undefined ? [] : [taken] });
}

function vertexClicked(hold: Reshaping, event: Pointer, context: ToolContext): Step<SelectState> {
  if (event.alt) return changed(START, hold.object, maskWithout(hold.ref, hold.object, context));
  return stay({ ...START, held: { ref: hold.ref, mask: hold.object.mask } });
}

function vertexDeleted(state: SelectState, context: ToolContext): Step<SelectState> {
  const { held } = state;
  const { target } = context;
  if (held === null || target?.mask !== held.mask) return stay(state);
  return changed({ ...state, held: null }, target, maskWithout(held.ref, target, context));
}

function changed(state: SelectState, object: MaskObject, mask: WindowMask): Step<SelectState> {
  if (mask.bits.length === 0 || sameMask(mask, object.mask)) return stay(state);
  return stay(state, { type: "commit", made: [editOf(object, mask)], select: true });
}

function movedBy(
  state: SelectState,
  ids: readonly Id[],
  [dx, dy]: readonly [number, number],
  context: ToolContext,
): Step<SelectState> {
  const made = context.objects
    .filter(({ id }) => ids.includes(id))
    .map((object) => editOf(object, moved(object.mask, dx, dy, context.size)))
    .filter(({ mask }) => mask.bits.length > 0);
  return (dx === 0 && dy === 0) || made.length === 0
    ? stay(state)
    : stay(state, { type: "commit", made, select: true });
}

/** A new state of an object, made by hand. */
export function editOf(object: MaskObject, mask: MaskObject["mask"]): Made {
  return { object: object.id, mask, source: "edit", score: null, stability: null, prompts: [] };
}

function whole(from: ImageXY, to: ImageXY): readonly [number, number] {
  return [Math.round(to[0] - from[0]), Math.round(to[1] - from[1])];
}

function selectView(state: SelectState, context: ToolContext): ToolView {
  const { press } = state;
  const view: ToolView = { ...NOTHING, cursor: "default" };
  if (press?.drag.kind === "box") {
    const box = boxOf(press.from.at, press.to, context.size);
    return { ...view, boxes: box === null ? [] : [box] };
  }
  if (press?.drag.kind === "move") {
    const [dx, dy] = whole(press.from.at, press.to);
    return { ...view, moved: { ids: press.drag.ids, dx, dy }, cursor: "move" };
  }
  if (press?.drag.kind === "reshape") {
    const { after } = press.drag.reshaping;
    const rings = after.flatMap(({ exterior, holes }) => [exterior, ...holes]);
    return { ...view, paths: rings.map((points) => ({ points, closed: true })), vertices: verticesOf(after) };
  }
  const held = state.held !== null && state.held.mask === context.target?.mask ? state.held.ref : null;
  return {
    ...view,
    vertices: verticesOf(outlineOf(context)),
    heldVertex: held === null ? null : indexOf(held, context),
  };
}
