/** The page's keys: a person's settings, and who handles which command now. */

import { create } from "zustand";
import {
  type Command,
  type CommandName,
  type Handlers,
  handled,
  perform,
  type Scope,
} from "../core/commands";
import {
  commandFor,
  DEFAULT_KEYS,
  type Focused,
  isTaken,
  type Keymap,
  type KeyPress,
  type KeySettings,
  keymapOf,
  keyOf,
  readKeySettings,
} from "../core/keys";

const STORED = "anymask.keys";

export interface KeyboardState {
  readonly settings: KeySettings;
  readonly keymap: Keymap;
  /** The place, and what can be done there. */
  readonly scope: Scope;
  readonly handlers: Handlers;
}

export const useKeyboard = create<KeyboardState>(() => {
  const settings = readKeySettings(stored());
  return { settings, keymap: keymapOf(settings), scope: "everywhere", handlers: {} };
});

/** Takes other keys, and keeps them for the next visit. */
export function setKeySettings(settings: KeySettings): void {
  useKeyboard.setState({ settings, keymap: keymapOf(settings) });
  try {
    localStorage.setItem(STORED, JSON.stringify(settings));
  } catch {
    // A browser that keeps nothing still has the keys for this visit.
  }
}

export function resetKeySettings(): void {
  setKeySettings(DEFAULT_KEYS);
}

interface Registered {
  readonly scope: Scope;
  readonly handlers: Handlers;
}

const registered: Registered[] = [];

/**
 * Handles commands until the function that it gives is called. The handlers that came last go first; the place is that
 * of the last ones that are not for everywhere.
 */
export function handleCommands(scope: Scope, handlers: Handlers): () => void {
  const entry = { scope, handlers };
  registered.push(entry);
  publish();
  return () => {
    registered.splice(registered.indexOf(entry), 1);
    publish();
  };
}

function publish(): void {
  useKeyboard.setState({
    scope: registered.findLast(({ scope }) => scope !== "everywhere")?.scope ?? "everywhere",
    handlers: Object.assign({}, ...registered.map(({ handlers }) => handlers)),
  });
}

/** The commands that can be done here: for the palette and the help sheet. */
export function commandsHere(state: KeyboardState): readonly Command[] {
  return handled(state.handlers).filter(({ scope }) => scope === state.scope || scope === "everywhere");
}

export function performCommand(name: CommandName): boolean {
  return perform(useKeyboard.getState().handlers, name);
}

/** Does what a press means; whether it meant something, so that the browser must not do its own with it. */
export function pressed(press: KeyPress, focused: Focused | null): boolean {
  const key = keyOf(press);
  if (key === null || isTaken(focused, key)) return false;
  const { keymap, scope, handlers } = useKeyboard.getState();
  const command = commandFor(keymap, key, scope);
  return command !== null && perform(handlers, command.name);
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}
