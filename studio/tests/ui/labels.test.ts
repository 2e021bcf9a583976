import { describe, expect, it } from "vitest";
import type { Label, MaskObject } from "../../src/core/types";
import { attributeValue, parseChoices, withAttribute } from "../../src/ui/logic/attributes";
import { candidateNames } from "../../src/ui/logic/candidates";
import { freeHotkey, matchingLabels } from "../../src/ui/logic/labels";
import { listedObjects, rangeBetween, stepFrom } from "../../src/ui/logic/objects";

function label(name: string, part: Partial<Label> = {}): Label {
  return {
    id: name,
    name,
    colour: "#112233",
    hotkey: null,
    attributes: [],
    position: 0,
    archived: false,
    ...part,
  };
}

const LABELS = [
  label("red car", { position: 0, hotkey: "1" }),
  label("car", { position: 1, hotkey: "3" }),
  label("scarf", { position: 2 }),
  label("old car", { position: 3, archived: true, hotkey: "2" }),
];

describe("labels", () => {
  it("are found by words in any order, those that begin so first; archived ones never", () => {
    expect(matchingLabels(LABELS, "car").map(({ name }) => name)).toEqual(["car", "red car", "scarf"]);
    expect(matchingLabels(LABELS, " CAR red ").map(({ name }) => name)).toEqual(["red car"]);
    expect(matchingLabels(LABELS, "").map(({ name }) => name)).toEqual(["red car", "car", "scarf"]);
    expect(matchingLabels(LABELS, "bus")).toEqual([]);
  });

  it("of exactly that name come before longer ones", () => {
    const cups = [label("cup and saucer", { position: 0 }), label("Cup", { position: 1 })];
    expect(matchingLabels(cups, "cup").map(({ name }) => name)).toEqual(["Cup", "cup and saucer"]);
  });

  it("get the first digit that is free; an archived label's is free again", () => {
    expect(freeHotkey([])).toBe("1");
    expect(freeHotkey(LABELS)).toBe("2");
    const all = [..."1234567890"].map((hotkey) => label(hotkey, { hotkey }));
    expect(freeHotkey(all.slice(0, 9))).toBe("0");
    expect(freeHotkey(all)).toBeNull();
  });
});

describe("attributes", () => {
  const colour = { name: "colour", kind: "select", choices: ["red", "blue"] } as const;

  it("are read only as their kind", () => {
    expect(attributeValue({ colour: "red" }, colour)).toBe("red");
    expect(attributeValue({ colour: "green" }, colour)).toBeNull();
    expect(attributeValue({}, colour)).toBeNull();
    expect(attributeValue({ n: "3" }, { name: "n", kind: "number", choices: [] })).toBeNull();
    expect(attributeValue({ n: 3 }, { name: "n", kind: "text", choices: [] })).toBe("3");
    expect(attributeValue({ n: false }, { name: "n", kind: "checkbox", choices: [] })).toBe(false);
  });

  it("are set and taken away without touching the others", () => {
    const before = { a: 1, b: "x" };
    expect(withAttribute(before, "a", 2)).toEqual({ a: 2, b: "x" });
    expect(withAttribute(before, "a", null)).toEqual({ b: "x" });
    expect(withAttribute(before, "a", Number.NaN)).toEqual({ b: "x" });
    expect(before).toEqual({ a: 1, b: "x" });
  });

  it("take choices as they are typed", () => {
    expect(parseChoices(" red, blue ,,red, dark green")).toEqual(["red", "blue", "dark green"]);
    expect(parseChoices(" , ")).toEqual([]);
  });
});

describe("the object list", () => {
  const object = (id: string, of: string | null) => ({ id, label: of }) as MaskObject;
  const order = [object("a", "car"), object("b", null), object("c", "scarf")];
  const byId = new Map(LABELS.map((one) => [one.id, one]));

  it("shows the topmost first and finds by label, also those without one", () => {
    const ids = (search: string) => listedObjects(order, byId, search).map(({ id }) => id);
    expect(ids("")).toEqual(["c", "b", "a"]);
    expect(ids("CAR")).toEqual(["c", "a"]);
    expect(ids("no label")).toEqual(["b"]);
    expect(order.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("selects ranges both ways", () => {
    const ids = ["a", "b", "c", "d"];
    expect(rangeBetween(ids, "b", "d")).toEqual(["b", "c", "d"]);
    expect(rangeBetween(ids, "d", "b")).toEqual(["b", "c", "d"]);
    expect(rangeBetween(ids, "gone", "c")).toEqual(["c"]);
  });

  it("walks by keys", () => {
    expect(stepFrom(order, "b", "ArrowDown")).toBe(2);
    expect(stepFrom(order, "c", "ArrowDown")).toBe(2);
    expect(stepFrom(order, "a", "ArrowUp")).toBe(0);
    expect([stepFrom(order, "b", "Home"), stepFrom(order, "b", "End")]).toEqual([0, 2]);
    expect([stepFrom(order, "b", "x"), stepFrom(order, "gone", "Home")]).toEqual([null, null]);
  });
});

describe("candidates", () => {
  it("are named by size where sizes tell them apart", () => {
    expect(candidateNames([500, 4000, 90])).toEqual(["Part", "Whole", "Detail"]);
    expect(candidateNames([4000, 3900, 90])).toEqual(["1", "2", "3"]);
    expect(candidateNames([4000, 4000, 4000])).toEqual(["1", "2", "3"]);
    expect(candidateNames([7])).toEqual(["1"]);
  });
});
