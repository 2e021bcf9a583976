/** `window.__studio`: what tests of the whole page may know. Read only. */

import { toScreen } from "../core/view";
import { type EditorState, editorStore } from "../state/editorStore";
import type { StageView } from "./stageView";

export interface StudioHook {
  /** Where in the window a point of the picture is shown, CSS pixels. */
  toScreen(x: number, y: number): { x: number; y: number };
  state(): EditorState;
}

declare global {
  interface Window {
    __studio?: StudioHook;
  }
}

/** Installs the hook for a stage; call the answer to take it away. */
export function installHook(stage: StageView, root: HTMLElement): () => void {
  const hook: StudioHook = {
    toScreen(x, y) {
      const box = root.getBoundingClientRect();
      const [left, top] = toScreen(stage.camera, [x, y]);
      return { x: box.left + left, y: box.top + top };
    },
    state: () => editorStore.getState(),
  };
  window.__studio = hook;
  return () => {
    if (window.__studio === hook) delete window.__studio;
  };
}
