/** The tools that work by hand: boxes, polygon, brush, eraser, select, everything, review. */

import { describe, expect, test } from "vitest";
import { isHit, maskArea, sameMask, union } from "../../src/core/masks";
import type { Effect, Made, Proposal } from "../../src/core/tools/tool";
import type { Surroundings } from "../../src/core/tools/toolbox";
import type { ImageXY, MaskObject } from "../../src/core/types";
import { block, object } from "./make";
import { AROUND, candidate, Hand, paintedLine, predicted } from "./toolHand";

function made(effects: readonly Effect[]): readonly Made[] {
  return effects.flatMap((effect) => (effect.type === "commit" ? effect.made : []));
}

function selecting(...objects: MaskObject[]): (selected: readonly string[]) => Surroundings {
  return (selected) => ({
    ...AROUND,
    objects,
    selection: selected,
    target: selected.length === 1 ? (objects.find(({ id }) => id === selected[0]) ?? null) : null,
  });
}

describe("several boxes", () => {
  test("each is asked for as it is drawn, Enter keeps all", () => {
    const hand = new Hand("boxes");
    expect(
      hand.drag([
        [10, 10],
        [40, 40],
      ]),
    ).toMatchObject([{ type: "predictBoxes", boxes: [[10, 10, 40, 40]] }]);
    const first = hand.request;
    expect(
      hand.drag([
        [50, 10],
        [90, 40],
      ]),
    ).toMatchObject([{ boxes: [[50, 10, 90, 40]] }]);
    hand.send({ type: "replies", request: hand.request, predictions: [predicted("b")] });
    expect(hand.toolbox.view()).toMatchObject({ waiting: true, chosen: -1 });
    expect(hand.send({ type: "finish" })).toEqual([]);
    const kept = made(hand.send({ type: "replies", request: first, predictions: [predicted("a")] }));
    expect(kept.map(({ prompts, source }) => [prompts, source])).toEqual([
      [[{ box: [10, 10, 40, 40] }], "box"],
      [[{ box: [50, 10, 90, 40] }], "box"],
    ]);
    expect(hand.toolbox.busy).toBe(false);
  });

  test("with Ctrl boxes gather and are asked for together; an answer without masks keeps nothing", () => {
    const hand = new Hand("boxes");
    hand.drag(
      [
        [10, 10],
        [40, 40],
      ],
      { ctrl: true },
    );
    hand.drag(
      [
        [50, 10],
        [90, 40],
      ],
      { ctrl: true },
    );
    expect(hand.send({ type: "release" })).toMatchObject([
      {
        boxes: [
          [10, 10, 40, 40],
          [50, 10, 90, 40],
        ],
      },
    ]);
    const empty = { ...predicted("e"), candidates: [] };
    hand.send({ type: "replies", request: hand.request, predictions: [empty, empty] });
    expect(hand.send({ type: "finish" })).toMatchObject([{ type: "say" }]);
  });

  test("undo takes the last box back, redo asks for it if it was not answered", () => {
    const hand = new Hand("boxes");
    hand.drag([
      [10, 10],
      [40, 40],
    ]);
    hand.drag([
      [50, 10],
      [90, 40],
    ]);
    const late = hand.request;
    hand.send({ type: "undo" });
    hand.send({ type: "replies", request: late, predictions: [predicted("late")] });
    expect(hand.toolbox.view().boxes).toEqual([[10, 10, 40, 40]]);
    expect(hand.send({ type: "redo" })).toMatchObject([{ type: "predictBoxes", boxes: [[50, 10, 90, 40]] }]);
  });

  test("without an answer the box goes", () => {
    const hand = new Hand("boxes");
    hand.drag([
      [10, 10],
      [40, 40],
    ]);
    hand.send({ type: "failed", request: hand.request });
    expect(hand.toolbox.busy).toBe(false);
  });
});

describe("polygon", () => {
  const SQUARE = [
    [10, 10],
    [30, 10],
    [30, 30],
    [10, 30],
  ] as const;

  test.each<[string, (hand: Hand) => readonly Effect[]]>([
    ["Enter", (hand) => hand.send({ type: "finish" })],
    ["a click on the first corner", (hand) => hand.click([11, 11])],
    ["a double click", (hand) => [...hand.click([10, 30]), ...hand.pointer("double", [10, 30])]],
  ])("closed by %s is a mask", (_how, close) => {
    const hand = new Hand("polygon");
    for (const at of SQUARE) hand.click(at);
    expect(hand.toolbox.view().vertices).toEqual(SQUARE);
    const [polygon] = made(close(hand));
    expect(polygon).toMatchObject({ source: "polygon", object: null });
    expect(maskArea(polygon?.mask ?? block(0, 0, 0, 0))).toBe(400);
    expect(hand.toolbox.busy).toBe(false);
  });

  test("undo and the right button take corners back", () => {
    const hand = new Hand("polygon");
    for (const at of SQUARE) hand.click(at);
    hand.send({ type: "undo" });
    hand.click([50, 50], { button: 2 });
    expect(hand.toolbox.view().vertices).toEqual(SQUARE.slice(0, 2));
    hand.send({ type: "redo" });
    expect(hand.toolbox.view().vertices).toEqual(SQUARE.slice(0, 3));
  });

  test("a click with Alt on the first corner makes it snap", () => {
    const hand = new Hand("polygon");
    for (const at of SQUARE) hand.click(at);
    expect(hand.click([11, 11], { alt: true })).toMatchObject([
      { type: "predict", prompt: { polygon: SQUARE } },
    ]);
  });

  test("two corners are no polygon", () => {
    const hand = new Hand("polygon");
    hand.click([10, 10]);
    hand.click([30, 10]);
    expect(hand.send({ type: "finish" })).toMatchObject([{ type: "say" }]);
    expect(hand.toolbox.busy).toBe(true);
  });

  test("where it snaps, the model is asked, and clicks refine", () => {
    const hand = new Hand("polygon", { ...AROUND, snap: { lasso: true, polygon: true } });
    for (const at of SQUARE) hand.click(at);
    expect(hand.send({ type: "finish" })).toMatchObject([{ type: "predict", prompt: { polygon: SQUARE } }]);
    hand.answer();
    expect(hand.click([20, 20])).toMatchObject([{ prompt: { previous: { prediction: "p" } } }]);
    hand.send({ type: "undo" });
    hand.send({ type: "undo" });
    expect(hand.toolbox.view().vertices).toEqual(SQUARE);
    hand.send({ type: "finish" });
    hand.answer();
    expect(made(hand.send({ type: "finish" }))).toMatchObject([{ source: "lasso" }]);
    expect(hand.toolbox.busy).toBe(false);
  });
});

describe("brush and eraser", () => {
  test("a stroke is the pixels within its radius, whatever the speed of the hand", () => {
    const slow = Array.from({ length: 61 }, (_, i): ImageXY => [20 + i, 50 - i / 3]);
    const quick: ImageXY[] = [slow[0] as ImageXY, slow.at(-1) as ImageXY];
    const mask = paintedLine(quick, 6);
    expect(sameMask(mask, paintedLine(slow, 6))).toBe(true);
    for (let y = 0; y < 100; y++) {
      for (let x = 0; x < 200; x++) {
        const off = distance([x + 0.5, y + 0.5], quick[0] as ImageXY, quick[1] as ImageXY);
        if (Math.abs(off - 6) > 1e-9) expect(isHit(mask, [x, y])).toBe(off < 6);
      }
    }
  });

  test("with nothing selected the brush begins an object, and it is selected", () => {
    const hand = new Hand("brush");
    const effects = hand.drag([
      [30, 30],
      [60, 30],
    ]);
    expect(effects).toMatchObject([
      { type: "commit", select: true, made: [{ object: null, source: "brush" }] },
    ]);
  });

  test("the brush adds to the selected object, the eraser and Alt take away, one step a stroke", () => {
    const target = object("a", { mask: block(20, 20, 40, 20) });
    const around = selecting(target)(["a"]);
    const line = [
      [50, 30],
      [80, 30],
    ] as const;
    const stroke = paintedLine(line, 5);
    const [grown] = made(new Hand("brush", around).drag(line));
    expect(grown?.object).toBe("a");
    expect(grown && sameMask(grown.mask, union(target.mask, stroke))).toBe(true);
    const [shrunk] = made(new Hand("eraser", around).drag(line));
    const [shrunkByAlt] = made(new Hand("brush", around).drag(line, { alt: true }));
    expect(shrunk && shrunkByAlt && sameMask(shrunk.mask, shrunkByAlt.mask)).toBe(true);
    expect(maskArea(shrunk?.mask ?? target.mask)).toBeLessThan(800);
  });

  test("a stroke that changes nothing is no step; the eraser needs an object and leaves some of it", () => {
    const target = object("a", { mask: block(20, 20, 40, 20) });
    const around = selecting(target)(["a"]);
    expect(
      new Hand("brush", around).drag([
        [30, 30],
        [40, 30],
      ]),
    ).toEqual([]);
    expect(
      new Hand("eraser", around).drag([
        [90, 90],
        [99, 90],
      ]),
    ).toEqual([]);
    expect(
      new Hand("eraser").drag([
        [30, 30],
        [40, 30],
      ]),
    ).toMatchObject([{ type: "say" }]);
    const all = new Hand("eraser", { ...around, brushRadius: 60 });
    expect(
      all.drag([
        [40, 30],
        [41, 30],
      ]),
    ).toMatchObject([{ type: "say" }]);
  });

  test("Escape drops the stroke; a pen's pressure widens it", () => {
    const hand = new Hand("brush");
    hand.pointer("down", [30, 30]);
    hand.pointer("move", [60, 30]);
    hand.send({ type: "cancel" });
    expect(hand.pointer("up", [60, 30])).toEqual([]);
    const area = (pressure: number) =>
      maskArea(
        made(
          new Hand("brush").drag(
            [
              [30, 30],
              [60, 30],
            ],
            { pressure },
          ),
        )[0]?.mask ?? block(0, 0, 0, 0),
      );
    expect(area(1)).toBeGreaterThan(area(0.5));
    expect(area(0.1)).toBeLessThan(area(0.5));
  });
});

describe("select", () => {
  const below = object("below", { mask: block(10, 10, 60, 60) });
  const above = object("above", { mask: block(30, 30, 20, 20), position: 2048 });
  const around = selecting(below, above);

  test("a click takes the topmost, the next at the same place the one below, then round again", () => {
    const hand = new Hand("select", around([]));
    expect(hand.click([35, 35])).toEqual([{ type: "select", ids: ["above"] }]);
    hand.around = around(["above"]);
    expect(hand.click([35, 35])).toEqual([{ type: "select", ids: ["below"] }]);
    hand.around = around(["below"]);
    expect(hand.click([35, 35])).toEqual([{ type: "select", ids: ["above"] }]);
    expect(hand.click([150, 90])).toEqual([{ type: "select", ids: [] }]);
  });

  test("Shift adds and takes away", () => {
    const hand = new Hand("select", around(["below"]));
    expect(hand.click([35, 35], { shift: true })).toEqual([{ type: "select", ids: ["below", "above"] }]);
    hand.around = around(["below", "above"]);
    expect(hand.click([35, 35], { shift: true })).toEqual([{ type: "select", ids: ["below"] }]);
  });

  test("a rectangle takes what lies in it whole", () => {
    const hand = new Hand("select", around([]));
    expect(
      hand.drag([
        [5, 5],
        [55, 55],
      ]),
    ).toEqual([{ type: "select", ids: ["above"] }]);
    expect(
      hand.drag([
        [5, 5],
        [80, 80],
      ]),
    ).toEqual([{ type: "select", ids: ["below", "above"] }]);
  });

  test("a drag of a selected object moves the selection by whole pixels, cut at the border", () => {
    const hand = new Hand("select", around(["below", "above"]));
    const masks = made(
      hand.drag([
        [35, 35],
        [25.4, 5.2],
      ]),
    ).map(({ object: id, mask }) => [id, mask.x, mask.y, mask.height]);
    expect(masks).toEqual([
      ["below", 0, 0, 40],
      ["above", 20, 0, 20],
    ]);
    hand.pointer("down", [35, 35]);
    hand.pointer("move", [45, 40]);
    expect(hand.toolbox.view().moved).toEqual({ ids: ["below", "above"], dx: 10, dy: 5 });
    hand.send({ type: "cancel" });
    expect(hand.pointer("up", [45, 40])).toEqual([]);
  });

  describe("vertices of the one selected object", () => {
    const held = around(["below"]);

    test("are shown, and a dragged one changes the pixels between", () => {
      const hand = new Hand("select", held);
      expect(hand.toolbox.view().vertices).toHaveLength(4);
      const [after] = made(
        hand.drag([
          [70, 70],
          [90, 90],
        ]),
      );
      expect(after).toMatchObject({ object: "below", source: "edit" });
      // The square of 60 and the two triangles that its new corner spans with its neighbours.
      expect(maskArea(after?.mask ?? below.mask)).toBe(3600 + 60 * 20);
    });

    test("a drag of the line between makes a new one", () => {
      const hand = new Hand("select", held);
      const [after] = made(
        hand.drag([
          [40, 70],
          [40, 90],
        ]),
      );
      expect(maskArea(after?.mask ?? below.mask)).toBe(3600 + (60 * 20) / 2);
    });

    test("Alt-click, or a click and Delete, takes one away", () => {
      const hand = new Hand("select", held);
      // Pixels on the new edge count where their centre is inside.
      const half = maskArea(made(hand.click([70, 70], { alt: true }))[0]?.mask ?? below.mask);
      expect(Math.abs(half - 1800)).toBeLessThanOrEqual(30);
      hand.click([70, 10]);
      expect(hand.toolbox.view().heldVertex).not.toBeNull();
      expect(made(hand.send({ type: "delete" }))).toHaveLength(1);
      expect(hand.toolbox.view().heldVertex).toBeNull();
      expect(hand.send({ type: "delete" })).toEqual([]);
    });

    test("a small object on the screen is moved, not reshaped", () => {
      const hand = new Hand("select", around(["above"]));
      const [after] = made(
        hand.drag([
          [49, 49],
          [59, 49],
        ]),
      );
      expect(after?.mask).toMatchObject({ x: 40, y: 30, width: 20, height: 20 });
    });
  });
});

describe("everything", () => {
  const proposal = (id: string, mask: Proposal["mask"]): Proposal => ({
    ...candidate(mask),
    id,
    source: "everything",
  });
  const large = proposal("large", block(10, 10, 80, 80));
  const small = proposal("small", block(20, 20, 10, 10));
  const far = proposal("far", block(150, 10, 20, 20));
  const around = { ...AROUND, proposals: [large, small, far] };

  test("a click takes the smallest under it", () => {
    const hand = new Hand("everything", around);
    hand.pointer("move", [25, 25]);
    expect(hand.toolbox.view().hover).toBe(small.mask);
    expect(made(hand.click([25, 25]))).toMatchObject([
      { proposal: "small", source: "everything", score: 0.9 },
    ]);
    expect(made(hand.click([50, 50]))).toMatchObject([{ proposal: "large" }]);
    expect(hand.click([120, 90])).toEqual([]);
  });

  test("a rectangle takes all that lie in it, Enter all", () => {
    const hand = new Hand("everything", around);
    expect(
      made(
        hand.drag([
          [5, 5],
          [95, 95],
        ]),
      ).map(({ proposal: id }) => id),
    ).toEqual(["large", "small"]);
    expect(made(hand.send({ type: "finish" }))).toHaveLength(3);
  });
});

describe("review", () => {
  const objects = [object("a"), object("b", { mask: block(50, 50, 10, 10) })];
  const around = { ...AROUND, objects };

  test("goes from object to object, and a verdict goes on", () => {
    const hand = new Hand("review", around);
    expect(hand.send({ type: "step", by: 1 })).toEqual([
      { type: "select", ids: ["a"] },
      { type: "focus", object: "a", box: [0, 0, 2, 2] },
    ]);
    expect(hand.send({ type: "verdict", verdict: "accepted" })).toEqual([
      { type: "review", object: "a", verdict: "accepted", comment: "" },
      { type: "select", ids: ["b"] },
      { type: "focus", object: "b", box: [50, 50, 60, 60] },
    ]);
    expect(hand.send({ type: "verdict", verdict: "comment", comment: "too wide" })).toEqual([
      { type: "review", object: "b", verdict: "comment", comment: "too wide" },
    ]);
    expect(hand.send({ type: "step", by: -1 })[0]).toEqual({ type: "select", ids: ["a"] });
  });

  test("a click takes an object; a picture without any says so", () => {
    const hand = new Hand("review", around);
    hand.click([55, 55]);
    expect(hand.send({ type: "verdict", verdict: "rejected" })[0]).toMatchObject({
      object: "b",
      verdict: "rejected",
    });
    expect(new Hand("review").send({ type: "step", by: 1 })).toMatchObject([{ type: "say" }]);
  });
});

function distance(at: ImageXY, from: ImageXY, to: ImageXY): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const share = Math.min(
    Math.max(((at[0] - from[0]) * dx + (at[1] - from[1]) * dy) / (dx * dx + dy * dy), 0),
    1,
  );
  return Math.hypot(at[0] - from[0] - share * dx, at[1] - from[1] - share * dy);
}
