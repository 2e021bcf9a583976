import { describe, expect, test } from "vitest";
import * as documents from "../../src/core/document";
import * as edits from "../../src/core/edits";
import { POSITION_STEP } from "../../src/core/rows";
import type { MaskObject } from "../../src/core/types";
import { block, drawn, object } from "./make";

function documentOf(...objects: MaskObject[]): documents.Document {
  return documents.open(objects, new Map());
}

function done(document: documents.Document, diff: documents.Diff | string): documents.Document {
  if (typeof diff === "string") throw new Error(diff);
  return documents.perform(document, diff);
}

function order(document: documents.Document): string {
  return documents
    .inOrder(document)
    .map(({ id }) => id)
    .join("");
}

describe("order", () => {
  const abc = documentOf(
    ...["a", "b", "c"].map((id, i) => object(id, { position: (i + 1) * POSITION_STEP })),
  );

  test.each([
    ["a", "up", "bac"],
    ["c", "down", "acb"],
    ["a", "top", "bca"],
    ["c", "bottom", "cab"],
    ["a", "down", "abc"],
    ["c", "top", "abc"],
    ["x", "up", "abc"],
  ] as const)("%s goes %s: %s", (id, where, expected) => {
    expect(order(done(abc, edits.reordered(abc, id, where)))).toBe(expected);
  });

  test("one object changes while there is room, and the order holds however often it is changed", () => {
    expect(edits.reordered(abc, "a", "top").changes.size).toBe(1);
    let document = abc;
    for (let i = 0; i < 40; i++) {
      const id = order(document)[0] as string;
      const expected = order(document).slice(1, 2) + id + order(document).slice(2);
      document = done(document, edits.reordered(document, id, "up"));
      expect(order(document)).toBe(expected);
      for (const { position } of documents.inOrder(document)) {
        expect(Number.isInteger(position) && position >= 0).toBe(true);
      }
    }
  });
});

describe("several masks", () => {
  const a = object("a", { mask: block(0, 0, 4, 4) });
  const b = object("b", { mask: block(2, 0, 4, 4) });
  const document = documentOf(a, b);

  test("union makes one object of both", () => {
    const result = done(document, edits.combined(document, ["a", "b"], "union"));
    expect(result.objects.get("a")).toMatchObject({ area: 24, source: "edit" });
    expect(result.objects.has("b")).toBe(false);
  });

  test("subtraction goes by the order of selection, and keeps what was subtracted", () => {
    const result = done(document, edits.combined(document, ["b", "a"], "subtract"));
    expect(result.objects.get("b")?.mask).toMatchObject({ x: 4, width: 2 });
    expect(result.objects.get("a")).toBe(a);
  });

  test("intersection", () => {
    const result = done(document, edits.combined(document, ["a", "b"], "intersect"));
    expect(result.objects.get("a")?.area).toBe(8);
  });

  test("what cannot be done is said", () => {
    const far = documentOf(a, object("c", { mask: block(20, 20, 2, 2) }), object("d", { locked: true }));
    expect(edits.combined(far, ["a"], "union")).toMatch(/two/);
    expect(edits.combined(far, ["a", "c"], "intersect")).toMatch(/Nothing/);
    expect(edits.combined(far, ["a", "d"], "union")).toMatch(/locked/);
  });

  test("split: the largest part keeps the object, the others become new ones", () => {
    const apart = documentOf(object("a", { label: "cat", mask: drawn(5, 5, "##...#", "##....") }));
    const result = done(apart, edits.split(apart, ["a"]));
    const parts = documents.inOrder(result);
    expect(parts.map(({ area }) => area)).toEqual([4, 1]);
    expect(parts[0]?.id).toBe("a");
    expect(parts.map(({ label }) => label)).toEqual(["cat", "cat"]);
    expect(edits.split(result, ["a"])).toMatch(/one part/);
  });
});

describe("single objects", () => {
  test("a locked object stays as it is", () => {
    const document = documentOf(object("a", { locked: true }));
    expect(edits.changed(document, "delete", ["a"], () => null).changes.size).toBe(0);
  });

  test("another label takes the attributes away, the same label changes nothing", () => {
    const document = documentOf(object("a", { label: "cat", attributes: { age: 3 } }));
    expect(edits.relabelled(document, ["a"], "cat").changes.size).toBe(0);
    const result = done(document, edits.relabelled(document, ["a"], "dog"));
    expect(result.objects.get("a")).toMatchObject({ label: "dog", attributes: {} });
  });

  test("a duplicate lies beside its original, on top, and has an id of its own", () => {
    const document = documentOf(object("a", { locked: true, seconds: 8 }));
    const result = done(document, edits.duplicated(document, ["a"], [50, 50]));
    const [original, copy] = documents.inOrder(result);
    expect(original?.id).toBe("a");
    expect(copy).toMatchObject({ area: 4, locked: false, seconds: 0, mask: { x: 10, y: 10 } });
  });
});
