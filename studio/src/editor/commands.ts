/** What the editor's commands do. */

import type { Handler, Handlers } from "../core/commands";
import type { ToolName } from "../core/tools/tool";
import type { Id } from "../core/types";
import type { Editor } from "./editor";

/** A brush grows and shrinks by this factor, and by a pixel at least. */
const BRUSH_STEP = 1.25;
const ZOOM_STEP = 1.5;
const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

export function editorHandlers(editor: Editor): Handlers {
  return {
    ...toolHandlers(editor),
    ...draftHandlers(editor),
    ...objectHandlers(editor),
    ...maskHandlers(editor),
    ...labelHandlers(editor),
    ...viewHandlers(editor),
    ...pictureHandlers(editor),
    undo: { perform: () => editor.undo(), enabled: () => editor.busy || editor.state.undoes !== null },
    redo: { perform: () => editor.redo(), enabled: () => editor.busy || editor.state.redoes !== null },
    save: { perform: () => void editor.save() },
  };
}

function toolHandlers(editor: Editor): Handlers {
  const tool = (name: ToolName): Handler => ({ perform: () => editor.setTool(name) });
  const resize = (factor: number) => () => {
    const { brush } = editor.state;
    const step = Math.max(Math.abs(brush * factor - brush), 1);
    editor.setBrush(Math.round(brush + (factor > 1 ? step : -step)));
  };
  return {
    "tool.click": tool("click"),
    "tool.box": tool("box"),
    "tool.boxes": tool("boxes"),
    "tool.lasso": tool("lasso"),
    "tool.scribble": tool("scribble"),
    "tool.rough": tool("rough"),
    "tool.everything": tool("everything"),
    "tool.brush": tool("brush"),
    "tool.eraser": tool("eraser"),
    "tool.polygon": tool("polygon"),
    "tool.select": tool("select"),
    "brush.larger": { perform: resize(BRUSH_STEP) },
    "brush.smaller": { perform: resize(1 / BRUSH_STEP) },
  };
}

function draftHandlers(editor: Editor): Handlers {
  const several = () => (editor.state.draft?.candidates.length ?? 0) > 1 && editor.state.draft?.chosen !== -1;
  return {
    "draft.accept": { perform: () => editor.accept(), enabled: () => editor.busy },
    "draft.cancel": {
      perform: () => editor.cancel(),
      enabled: () => editor.busy || editor.state.view.selection.size > 0,
    },
    "draft.takeBack": { perform: () => editor.takeBack(), enabled: () => editor.busy },
    "candidate.next": { perform: () => editor.send({ type: "step", by: 1 }), enabled: several },
    "candidate.previous": { perform: () => editor.send({ type: "step", by: -1 }), enabled: several },
  };
}

function objectHandlers(editor: Editor): Handlers {
  const selected = () => [...editor.state.view.selection];
  const some = () => editor.state.view.selection.size > 0;
  const each = (act: (id: Id) => void): Handler => ({
    perform: () => selected().forEach(act),
    enabled: some,
  });
  const all = (act: (ids: readonly Id[]) => void): Handler => ({
    perform: () => act(selected()),
    enabled: some,
  });
  const neighbour = (by: 1 | -1): Handler => ({
    perform: () => {
      const { order, view } = editor.state;
      const at = order.findIndex(({ id }) => view.selection.has(id));
      const next =
        order[at < 0 ? (by === 1 ? 0 : order.length - 1) : (at + by + order.length) % order.length];
      if (next) editor.select([next.id]);
    },
    enabled: () => editor.state.order.length > 0,
  });
  return {
    "object.next": neighbour(1),
    "object.previous": neighbour(-1),
    "object.selectAll": { perform: () => editor.select(editor.state.order.map(({ id }) => id)) },
    "object.refine": each((id) => editor.refine(id)),
    "object.delete": {
      perform: () => (holdsVertex(editor) ? editor.send({ type: "delete" }) : editor.remove(selected())),
      enabled: () => some() || holdsVertex(editor),
    },
    "object.duplicate": all((ids) => editor.duplicate(ids)),
    "object.hide": each((id) => editor.toggleHidden(id)),
    "object.lock": each((id) => editor.toggleLocked(id)),
    "object.raise": each((id) => editor.reorder(id, "up")),
    "object.lower": each((id) => editor.reorder(id, "down")),
    "object.copyCutout": all((ids) => void editor.cutOut(ids, "clipboard")),
    "object.saveCutout": all((ids) => void editor.cutOut(ids, "file")),
    "object.toCollage": all((ids) => void editor.cutOut(ids, "collage")),
  };
}

function holdsVertex(editor: Editor): boolean {
  return editor.state.toolView.heldVertex !== null;
}

function maskHandlers(editor: Editor): Handlers {
  const selected = () => [...editor.state.view.selection];
  const combined = (operation: "union" | "subtract" | "intersect"): Handler => ({
    perform: () => editor.combine(selected(), operation),
    enabled: () => editor.state.view.selection.size > 1,
  });
  const some = () => editor.state.view.selection.size > 0;
  return {
    "mask.union": combined("union"),
    "mask.subtract": combined("subtract"),
    "mask.intersect": combined("intersect"),
    "mask.fillHoles": { perform: () => editor.fillHoles(selected()), enabled: some },
    "mask.removeIslands": { perform: () => editor.removeIslands(selected()), enabled: some },
    "mask.split": { perform: () => editor.split(selected()), enabled: some },
  };
}

function labelHandlers(editor: Editor): Handlers {
  const give = (label: Id | null) => {
    const { view } = editor.state;
    if (view.selection.size > 0 && !editor.busy) editor.relabel(view.selection, label);
    else editor.setLabel(label);
  };
  const handlers: Record<string, Handler> = { "label.none": { perform: () => give(null) } };
  for (const digit of DIGITS) {
    const label = () =>
      editor.state.labels.find(({ hotkey, archived }) => hotkey === `${digit}` && !archived);
    handlers[`label.${digit}`] = {
      perform: () => give(label()?.id ?? null),
      enabled: () => label() !== undefined,
    };
  }
  return handlers;
}

function viewHandlers(editor: Editor): Handlers {
  return {
    "view.fit": { perform: () => editor.fit() },
    "view.object": {
      perform: () => {
        const [first] = editor.state.view.selection;
        if (first !== undefined) editor.lookAt(first);
      },
      enabled: () => editor.state.view.selection.size > 0,
    },
    "view.zoomIn": { perform: () => editor.zoomBy(ZOOM_STEP) },
    "view.zoomOut": { perform: () => editor.zoomBy(1 / ZOOM_STEP) },
    "view.hideAll": { perform: () => editor.setAllHidden(!editor.state.view.allHidden) },
    "view.outlines": { perform: () => editor.setView({ outlines: !editor.state.view.outlines }) },
    "view.hover": { perform: () => editor.setHoverPreview(!editor.state.hoverPreview) },
  };
}

function pictureHandlers(editor: Editor): Handlers {
  const some = () => editor.state.proposals.length > 0;
  return {
    "image.next": { perform: () => void editor.next() },
    "image.previous": { perform: () => void editor.previous() },
    "image.finish": { perform: () => void editor.finish() },
    "image.skip": { perform: () => void editor.skip(), enabled: () => editor.state.task !== null },
    "image.propagate": { perform: () => void editor.propagate() },
    "proposals.acceptAll": {
      perform: () => editor.acceptProposals(editor.state.proposals.map(({ id }) => id)),
      enabled: some,
    },
    "proposals.dismiss": { perform: () => editor.dismissProposals(), enabled: some },
  };
}
