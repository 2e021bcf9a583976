import { describe, expect, test } from "vitest";
import { COMMANDS, type CommandName, found, type Handlers, handled, perform } from "../../src/core/commands";
import {
  commandFor,
  conflictsOf,
  conflictsWith,
  DEFAULT_KEYS,
  type Focused,
  isTaken,
  type KeyPress,
  keymapOf,
  keyOf,
  keyText,
  PRESETS,
  type PresetName,
  readKeySettings,
  withKeys,
  withoutKeys,
} from "../../src/core/keys";

const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

function press(key: string, code: string, ...held: ("ctrl" | "meta" | "alt" | "shift")[]): KeyPress {
  return {
    key,
    code,
    ctrlKey: held.includes("ctrl"),
    metaKey: held.includes("meta"),
    altKey: held.includes("alt"),
    shiftKey: held.includes("shift"),
  };
}

describe("the list of commands", () => {
  test("names are unique", () => {
    expect(new Set(COMMANDS.map(({ name }) => name)).size).toBe(COMMANDS.length);
  });

  test.each(PRESET_NAMES)("preset %s has no key for two commands", (preset) => {
    expect(conflictsOf(keymapOf({ preset, changed: {} }))).toEqual([]);
  });

  test.each(PRESET_NAMES)("preset %s reaches every command that has a key in ours, but digit 0", (preset) => {
    const keymap = keymapOf({ preset, changed: {} });
    const without = COMMANDS.filter(({ name }) => keymap.get(name)?.length === 0).map(({ name }) => name);
    expect(without).toEqual(["label.0"]);
  });

  test("keys are written as presses are read", () => {
    for (const preset of PRESET_NAMES) {
      for (const keys of keymapOf({ preset, changed: {} }).values()) {
        for (const key of keys)
          expect(key).toMatch(/^(Ctrl\+)?(Alt\+)?(Shift\+)?([A-Z]|[^A-Za-z ]|[A-Z][A-Za-z0-9]+)$/);
      }
    }
  });
});

describe("a press", () => {
  test.each([
    [press("z", "KeyZ", "ctrl"), "Ctrl+Z"],
    [press("Z", "KeyZ", "meta", "shift"), "Ctrl+Shift+Z"],
    [press("?", "Slash", "shift"), "?"],
    [press(" ", "Space"), "Space"],
    [press(" ", "Space", "ctrl"), "Ctrl+Space"],
    [press("ы", "KeyS"), "S"],
    [press("¬", "KeyL", "alt"), "Alt+L"],
    [press("&", "Digit1"), "&"],
    [press("1", "Digit1", "shift"), "1"],
    [press("ArrowUp", "ArrowUp", "alt"), "Alt+ArrowUp"],
    [press("w", "KeyZ"), "W"],
    [press("+", "BracketRight", "ctrl"), "Ctrl++"],
  ])("%o is %s", (given, expected) => {
    expect(keyOf(given)).toBe(expected);
  });

  test("a modifier alone is none", () => {
    expect(keyOf(press("Shift", "ShiftLeft", "shift"))).toBeNull();
  });

  test("keys as people read them", () => {
    expect(keyText("Ctrl+Shift+Z")).toBe("Ctrl+Shift+Z");
    expect(keyText("Ctrl++")).toBe("Ctrl++");
    expect(keyText("Ctrl+ArrowUp", true)).toBe("⌘↑");
    expect(keyText("+")).toBe("+");
  });
});

test("a key means the command of its place, else of everywhere", () => {
  const keymap = keymapOf(DEFAULT_KEYS);
  expect(commandFor(keymap, "N", "editor")?.name).toBe("draft.accept");
  expect(commandFor(keymap, "N", "review")?.name).toBe("review.reject");
  expect(commandFor(keymap, "N", "gallery")).toBeNull();
  expect(commandFor(keymap, "Ctrl+Z", "review")?.name).toBe("undo");
});

describe("a person's own keys", () => {
  test("replace the preset's and go back to them", () => {
    const changed = withKeys({ preset: "cvat", changed: {} }, "image.next", ["Shift+N"]);
    expect(commandFor(keymapOf(changed), "Shift+N", "editor")?.name).toBe("image.next");
    expect(commandFor(keymapOf(changed), "F", "editor")).toBeNull();
    expect(commandFor(keymapOf(withoutKeys(changed, "image.next")), "F", "editor")?.name).toBe("image.next");
  });

  test("a key that is taken is named before it is given", () => {
    const conflicts = conflictsWith(keymapOf(DEFAULT_KEYS), "view.outlines", ["S", "Ctrl+Z", "Y"]);
    expect(conflicts).toEqual([
      { key: "S", commands: ["tool.click", "view.outlines"] },
      { key: "Ctrl+Z", commands: ["view.outlines", "undo"] },
    ]);
  });

  test("survive being kept as text; damaged text gives the default", () => {
    const settings = withKeys({ preset: "labelme", changed: {} }, "undo", []);
    expect(readKeySettings(JSON.stringify(settings))).toEqual(settings);
    for (const text of [
      null,
      "",
      "{",
      "[]",
      '{"preset":"none","changed":{}}',
      '{"preset":"cvat","changed":7}',
    ]) {
      expect(readKeySettings(text)).toEqual(DEFAULT_KEYS);
    }
    const odd = '{"preset":"cvat","changed":{"undo":["Q",7,""],"__proto__":["X"],"unknown":["X"]}}';
    expect(readKeySettings(odd)).toEqual({ preset: "cvat", changed: { undo: ["Q"] } });
  });
});

describe("what has the focus comes first", () => {
  const input: Focused = { tagName: "INPUT", type: "text" };
  test.each<[Focused | null, string, boolean]>([
    [null, "S", false],
    [input, "S", true],
    [input, "Delete", true],
    [input, "Escape", false],
    [input, "Ctrl+S", false],
    [{ tagName: "INPUT", type: "checkbox" }, "S", false],
    [{ tagName: "INPUT", type: "range" }, "ArrowRight", true],
    [{ tagName: "INPUT", type: "range" }, "S", false],
    [{ tagName: "BUTTON" }, "Enter", true],
    [{ tagName: "BUTTON" }, "S", false],
    [{ tagName: "DIV", role: "listbox" }, "ArrowDown", true],
    [{ tagName: "DIV", isContentEditable: true }, "S", true],
    [{ tagName: "DIV" }, "Enter", false],
  ])("%o, %s: %s", (focused, key, taken) => {
    expect(isTaken(focused, key)).toBe(taken);
  });
});

describe("doing", () => {
  test("only what is handled and makes sense now", () => {
    const done: CommandName[] = [];
    const handlers: Handlers = {
      undo: { perform: () => done.push("undo"), enabled: () => false },
      redo: { perform: () => done.push("redo") },
    };
    expect(perform(handlers, "undo")).toBe(false);
    expect(perform(handlers, "redo")).toBe(true);
    expect(perform(handlers, "save")).toBe(false);
    expect(done).toEqual(["redo"]);
    expect(handled(handlers).map(({ name }) => name)).toEqual(["undo", "redo"]);
  });

  test("the palette finds by words, beginnings first", () => {
    const names = (text: string) => found(COMMANDS, text).map(({ name }) => name);
    expect(names("brush").slice(0, 1)).toEqual(["tool.brush"]);
    expect(names("brush")).toContain("brush.larger");
    expect(names("masks HIDE")).toEqual(["view.hideAll"]);
    expect(names("")).toHaveLength(COMMANDS.length);
  });
});
