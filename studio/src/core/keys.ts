/** Keys: how a press is written, which command it means, presets of other programs, and a person's own changes. */

import { COMMANDS, type Command, type CommandName, type Scope } from "./commands";

/** What of a `KeyboardEvent` counts. */
export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** What of an element counts. */
export interface Focused {
  readonly tagName: string;
  readonly type?: string;
  readonly isContentEditable?: boolean;
  readonly role?: string | null;
}

export type PresetName = "anymask" | "cvat" | "label-studio" | "labelme";

/** A person's keys: a preset, and the commands that have others. An empty list: no key. */
export interface KeySettings {
  readonly preset: PresetName;
  readonly changed: { readonly [N in CommandName]?: readonly string[] };
}

export type Keymap = ReadonlyMap<CommandName, readonly string[]>;

/** Two commands that want one key where both can be meant. */
export interface KeyConflict {
  readonly key: string;
  readonly commands: readonly [CommandName, CommandName];
}

type Changes = KeySettings["changed"];

const CTRL_DIGITS: Changes = Object.fromEntries(
  [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => [`label.${digit}`, [`Ctrl+${digit}`]]),
);

/** Keys that people know from other programs; what is not listed is as in "anymask". */
export const PRESETS: Readonly<Record<PresetName, { readonly title: string; readonly changed: Changes }>> = {
  anymask: { title: "anymask", changed: {} },
  cvat: {
    title: "CVAT",
    changed: {
      ...CTRL_DIGITS,
      "image.next": ["F", "ArrowRight"],
      "image.previous": ["D", "ArrowLeft"],
      "draft.accept": ["N", "Enter"],
      "object.lock": ["L"],
      "tool.lasso": ["Shift+L"],
      "view.object": ["Shift+G"],
      help: ["F1", "?"],
    },
  },
  "label-studio": {
    title: "Label Studio",
    changed: {
      "image.next": ["Ctrl+ArrowRight", "ArrowRight"],
      "image.previous": ["Ctrl+ArrowLeft", "ArrowLeft"],
      "tool.brush": ["B"],
      "tool.eraser": ["E"],
      "tool.box": ["R"],
      "tool.boxes": ["Shift+R"],
      "tool.everything": ["Shift+E"],
      "object.delete": ["Backspace", "Delete"],
      "object.hide": ["Alt+H"],
      "object.lock": ["Alt+L"],
    },
  },
  labelme: {
    title: "labelme",
    changed: {
      "image.next": ["D"],
      "image.previous": ["A"],
      "tool.polygon": ["Ctrl+N", "P"],
      "tool.box": ["Ctrl+R", "R"],
      "view.fit": ["Ctrl+F", "0"],
      "view.hideAll": ["T"],
      "draft.takeBack": ["Shift+T"],
    },
  },
};

export const DEFAULT_KEYS: KeySettings = { preset: "anymask", changed: {} };

/** The keys of every command. */
export function keymapOf(settings: KeySettings): Keymap {
  const preset = PRESETS[settings.preset].changed;
  return new Map(
    COMMANDS.map(({ name, keys }) => [name, settings.changed[name] ?? preset[name] ?? keys] as const),
  );
}

/** The command that a key means at a place; null if none. Commands of the place come before those of everywhere. */
export function commandFor(keymap: Keymap, key: string, scope: Scope): Command | null {
  const meant = COMMANDS.filter(({ name }) => keymap.get(name)?.includes(key));
  return (
    meant.find((command) => command.scope === scope) ??
    meant.find((command) => command.scope === "everywhere") ??
    null
  );
}

/** Keys that two commands want at one place. */
export function conflictsOf(keymap: Keymap): KeyConflict[] {
  const conflicts: KeyConflict[] = [];
  COMMANDS.forEach((one, i) => {
    for (const other of COMMANDS.slice(i + 1)) {
      if (!meet(one.scope, other.scope)) continue;
      const shared = keymap.get(one.name)?.filter((key) => keymap.get(other.name)?.includes(key)) ?? [];
      for (const key of shared) conflicts.push({ key, commands: [one.name, other.name] });
    }
  });
  return conflicts;
}

/** The conflicts that a command would have with these keys: shown before they are taken. */
export function conflictsWith(keymap: Keymap, name: CommandName, keys: readonly string[]): KeyConflict[] {
  return conflictsOf(new Map(keymap).set(name, keys)).filter(({ commands }) => commands.includes(name));
}

/** Settings in which a command has these keys. */
export function withKeys(settings: KeySettings, name: CommandName, keys: readonly string[]): KeySettings {
  return { ...settings, changed: { ...settings.changed, [name]: keys } };
}

/** Settings in which a command has its preset's keys again. */
export function withoutKeys(settings: KeySettings, name: CommandName): KeySettings {
  const { [name]: _, ...changed } = settings.changed;
  return { ...settings, changed };
}

/** Settings as they were kept; anything else gives the default, an unknown command is left out. */
export function readKeySettings(text: string | null): KeySettings {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    return DEFAULT_KEYS;
  }
  if (!isRecord(value) || !isPreset(value["preset"]) || !isRecord(value["changed"])) return DEFAULT_KEYS;
  const changed: Record<string, readonly string[]> = {};
  for (const { name } of COMMANDS) {
    const keys = value["changed"][name];
    if (Array.isArray(keys)) changed[name] = keys.filter((key): key is string => isKey(key));
  }
  return { preset: value["preset"], changed };
}

/**
 * A press in one spelling: "Ctrl+Shift+Z", "Alt+ArrowUp", "?", "Space"; null for a lone modifier. Command counts as Ctrl.
 * Letters are those of the keyboard's own layout where it has Latin ones, else those at the same place of a US keyboard.
 */
export function keyOf(press: KeyPress): string | null {
  if (["Control", "Shift", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Process"].includes(press.key))
    return null;
  const key = plainKey(press);
  // Which characters Shift gives depends on the layout: the character says it all.
  const shift = press.shiftKey && !isSign(key);
  const modifiers = [
    press.ctrlKey || press.metaKey ? "Ctrl+" : "",
    press.altKey ? "Alt+" : "",
    shift ? "Shift+" : "",
  ];
  return modifiers.join("") + key;
}

/** A key as people read it. */
export function keyText(key: string, isMac = false): string {
  const names: Record<string, string> = {
    ArrowLeft: "←",
    ArrowRight: "→",
    ArrowUp: "↑",
    ArrowDown: "↓",
    Escape: "Esc",
    Delete: "Del",
    ...(isMac && { Ctrl: "⌘", Alt: "⌥", Shift: "⇧" }),
  };
  const parts =
    key === "+" ? ["+"] : key.endsWith("++") ? [...key.slice(0, -2).split("+"), "+"] : key.split("+");
  return parts.map((part) => names[part] ?? part).join(isMac ? "" : "+");
}

/** Whether a press belongs to what has the focus: text being typed, a button that Enter presses, a list walked through. */
export function isTaken(focused: Focused | null, key: string): boolean {
  if (focused === null) return false;
  const tag = focused.tagName.toLowerCase();
  if (isText(focused, tag))
    return key !== "Escape" && !["Ctrl+S", "Ctrl+Enter", "Ctrl+K", "F1"].includes(key);
  const role = focused.role ?? "";
  const presses =
    ["button", "a", "summary", "input"].includes(tag) ||
    ["button", "menuitem", "tab", "option"].includes(role);
  if (presses && (key === "Enter" || key === "Space")) return true;
  const walks = (tag === "input" && ["range", "radio"].includes(focused.type ?? "")) || WALKED.includes(role);
  return walks && /^(Arrow|Home|End|Page)/.test(key);
}

const WALKED = [
  "slider",
  "listbox",
  "option",
  "menu",
  "menuitem",
  "tab",
  "tablist",
  "radio",
  "grid",
  "tree",
  "treeitem",
];
const NO_TEXT = ["button", "checkbox", "radio", "range", "color", "file", "submit", "reset", "image"];

function isText(focused: Focused, tag: string): boolean {
  if (focused.isContentEditable || tag === "textarea" || tag === "select") return true;
  if (focused.role === "textbox" || focused.role === "combobox" || focused.role === "searchbox") return true;
  return tag === "input" && !NO_TEXT.includes(focused.type ?? "text");
}

function plainKey({ key, code, altKey }: KeyPress): string {
  if (key === " ") return "Space";
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  // Alt makes other characters of letters on some systems; letters of other scripts have no commands.
  if (letter !== undefined && (altKey || !/^[\x20-\x7e]$/.test(key))) return letter;
  const digit = /^Digit(\d)$/.exec(code)?.[1];
  if (digit !== undefined && altKey) return digit;
  return key.length === 1 ? key.toUpperCase() : key;
}

/** A printed character that is no letter. */
function isSign(key: string): boolean {
  return key.length === 1 && key.toLowerCase() === key.toUpperCase();
}

function meet(one: Scope, other: Scope): boolean {
  return one === other || one === "everywhere" || other === "everywhere";
}

function isKey(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 40;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPreset(value: unknown): value is PresetName {
  return typeof value === "string" && Object.hasOwn(PRESETS, value);
}
