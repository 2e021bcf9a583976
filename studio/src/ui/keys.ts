/** Keys in the page: one listener for all of it, and the names of keys for tooltips and menus. */

import { useEffect } from "react";
import type { CommandName, Handlers, Scope } from "../core/commands";
import { type Focused, keyText } from "../core/keys";
import { handleCommands, pressed, useKeyboard } from "../state/keyboard";

export const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

/** The key of a command as people read it, null if it has none. */
export function useKeyText(command: string): string | null {
  const key = useKeyboard(({ keymap }) => keymap.get(command as CommandName)?.[0]);
  return key === undefined ? null : keyText(key, IS_MAC);
}

/** Listens to keys while the page is open. */
export function useKeyListener(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || isModal()) return;
      if (pressed(event, focusedOf(event.target))) event.preventDefault();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}

/** Handles commands while a component is shown. `handlers` must stay the same value. */
export function useCommands(scope: Scope, handlers: Handlers): void {
  useEffect(() => handleCommands(scope, handlers), [scope, handlers]);
}

/** An open dialog has the keys for itself. */
function isModal(): boolean {
  return document.querySelector('[aria-modal="true"]') !== null;
}

function focusedOf(target: EventTarget | null): Focused | null {
  if (!(target instanceof HTMLElement)) return null;
  const { tagName, isContentEditable } = target;
  const type = target instanceof HTMLInputElement ? target.type : "";
  return { tagName, type, isContentEditable, role: target.getAttribute("role") };
}
