import { describe, expect, test } from "vitest";
import * as documents from "../../src/core/document";
import { headsAndObjects, rowsOf } from "../../src/core/rows";
import { storeSteps, withSteps } from "../../src/core/steps";
import type { MaskObject, MaskRow } from "../../src/core/types";
import { block, object, random } from "./make";

const image = { id: "image", width: 40, height: 30 };

function contents(document: documents.Document): readonly MaskObject[] {
  return documents.inOrder(document);
}

function add(document: documents.Document, ...objects: MaskObject[]): documents.Document {
  return documents.perform(document, documents.diffOf(document, "add", objects));
}

/** A random step, a different one every time: adds, changes, deletes; at times several objects at once. */
function step(document: documents.Document, chance: () => number, number: number): documents.Diff {
  const ids = [...document.objects.keys()];
  const some = ids.filter(() => chance() < 0.4);
  const kind = chance();
  if (kind < 0.4 || ids.length === 0)
    return documents.diffOf(document, "add", [
      object(`o${number}`, {
        position: Math.floor(chance() * 9),
        mask: block(number % 20, number % 10, 1 + (number % 3), 2),
      }),
    ]);
  if (kind < 0.6) return documents.diffOf(document, "delete", [], some);
  return documents.diffOf(
    document,
    "change",
    some.map((id) => ({ ...(document.objects.get(id) as MaskObject), seconds: number })),
  );
}

describe("undo and redo", () => {
  test("a step back and forth is the same document", () => {
    const document = add(documents.EMPTY, object("a"));
    const changed = documents.perform(
      document,
      documents.diffOf(document, "change", [object("a", { locked: true })]),
    );
    const back = documents.undo(changed);
    expect(back && contents(back.document)).toEqual(contents(document));
    const again = back && documents.redo(back.document);
    expect(again && contents(again.document)).toEqual(contents(changed));
  });

  test("nothing to take back, nothing to do again", () => {
    expect(documents.undo(documents.EMPTY)).toBeNull();
    expect(documents.redo(documents.EMPTY)).toBeNull();
  });

  test("a new step ends what could be done again", () => {
    const undone = documents.undo(add(documents.EMPTY, object("a")));
    expect(undone?.document.future).toHaveLength(1);
    expect(add((undone as { document: documents.Document }).document, object("b")).future).toEqual([]);
  });

  test("a change that changes nothing is no step", () => {
    const document = add(documents.EMPTY, object("a"));
    const same = document.objects.get("a") as MaskObject;
    expect(documents.perform(document, documents.diffOf(document, "same", [same]))).toBe(document);
  });

  test.each([1, 2, 3, 4, 5])("any walk through any history ends where it began (seed %i)", (seed) => {
    const chance = random(seed);
    let document = documents.EMPTY;
    const states = [contents(document)];
    for (let number = 1; number <= 40; number++) {
      const next = documents.perform(document, step(document, chance, number));
      if (next !== document) states.push(contents(next));
      document = next;
    }
    let place = states.length - 1;
    for (let walk = 0; walk < 200; walk++) {
      const result = chance() < 0.55 ? documents.undo(document) : documents.redo(document);
      if (!result) continue;
      place += result.document.past.length - document.past.length;
      document = result.document;
      expect(contents(document)).toEqual(states[place]);
    }
  });

  test("two diffs joined do what both do one after the other", () => {
    const start = add(documents.EMPTY, object("a"), object("b"));
    const first = documents.diffOf(start, "first", [object("a", { locked: true }), object("c")]);
    const middle = documents.perform(start, first);
    const second = documents.diffOf(middle, "second", [object("a", { seconds: 9 })], ["c", "b"]);
    const joined = documents.join(first, second);
    expect(contents(documents.perform(start, joined))).toEqual(contents(documents.perform(middle, second)));
    expect([...joined.changes.keys()]).toEqual(["a", "b"]); // c came and went
  });
});

describe("what others do", () => {
  test("it is shown, is no step, and one's own steps on that object go", () => {
    const mine = add(add(documents.EMPTY, object("a")), object("b"));
    const theirs = object("a", { locked: true });
    const document = documents.receive(mine, "a", theirs, "row-of-theirs");
    expect(document.objects.get("a")).toBe(theirs);
    expect(document.heads.get("a")).toBe("row-of-theirs");
    expect(document.past.map((one) => [...one.changes.keys()])).toEqual([["b"]]);
  });

  test("a deletion takes the object away", () => {
    const document = documents.receive(add(documents.EMPTY, object("a")), "a", null, "gone");
    expect(document.objects.size).toBe(0);
    expect(document.past).toEqual([]);
  });
});

describe("rows", () => {
  function kept(document: documents.Document, diff: documents.Diff, rows: MaskRow[]): documents.Document {
    const result = rowsOf(image, document, diff);
    rows.push(...result.rows);
    return result.document;
  }

  test.each([7, 8, 9])(
    "the rows of all steps give the document back, each on top of the one before (seed %i)",
    (seed) => {
      const chance = random(seed);
      const rows: MaskRow[] = [];
      let document = documents.EMPTY;
      for (let number = 1; number <= 60; number++) {
        const back = chance() < 0.3 ? documents.undo(document) : null;
        const diff = back ? back.diff : step(document, chance, number);
        document = back ? back.document : documents.perform(document, diff);
        document = kept(document, diff, rows);
      }
      const heads = new Map<string, string>();
      for (const row of rows) {
        expect(row.parent_id).toBe(heads.get(row.object_id) ?? null);
        heads.set(row.object_id, row.id);
      }
      const read = headsAndObjects(rows);
      expect(documents.inOrder(documents.open(read.objects, read.heads))).toEqual(contents(document));
      expect(read.heads).toEqual(document.heads);
      expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
      expect(rows.every((row) => /^[0-9a-f]{32}$/.test(row.id))).toBe(true);
    },
  );

  test("steps outlive the page", () => {
    const rows: MaskRow[] = [];
    let document = documents.EMPTY;
    for (const next of [object("a"), object("b"), object("a", { mask: block(3, 4, 5, 6), area: 30 })]) {
      const diff = documents.diffOf(document, `made ${next.id}`, [next]);
      document = kept(documents.perform(document, diff), diff, rows);
    }
    const stored = structuredClone(storeSteps(document, [30, 40]));
    const read = headsAndObjects(rows);
    let later = withSteps(documents.open(read.objects, read.heads), stored);
    expect(later.past.map((one) => one.name)).toEqual(["made a", "made b", "made a"]);
    for (const expected of [["a", "b"], ["a"], []]) {
      later = (documents.undo(later) as { document: documents.Document }).document;
      expect([...later.objects.keys()]).toEqual(expected);
    }
    for (let i = 0; i < 3; i++) later = (documents.redo(later) as { document: documents.Document }).document;
    expect(contents(later)).toEqual(contents(document));
  });

  test("steps of an object that somebody changed meanwhile are forgotten, the others stay", () => {
    const rows: MaskRow[] = [];
    let document = documents.EMPTY;
    for (const next of [object("a"), object("b")]) {
      const diff = documents.diffOf(document, next.id, [next]);
      document = kept(documents.perform(document, diff), diff, rows);
    }
    const stored = storeSteps(document, [30, 40]);
    const read = headsAndObjects(rows);
    read.heads.set("a", "row of another");
    expect(withSteps(documents.open(read.objects, read.heads), stored).past.map((one) => one.name)).toEqual([
      "b",
    ]);
  });
});
