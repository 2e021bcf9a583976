/** The tools that ask the model for one object. */

import { describe, expect, test } from "vitest";
import { EMPTY_MASK, maskArea } from "../../src/core/masks";
import type { ToolName } from "../../src/core/tools/tool";
import { object } from "./make";
import { AROUND, candidate, Hand, predicted } from "./toolHand";

describe("clicks", () => {
  test("a click asks, the answer is shown, Enter keeps the chosen candidate", () => {
    const hand = new Hand("click");
    expect(hand.click([10, 20])).toMatchObject([
      { type: "predict", hover: false, prompt: { points: [[10, 20, 1]] } },
    ]);
    expect(hand.toolbox.view()).toMatchObject({ waiting: true, points: [[10, 20, 1]], candidates: [] });
    hand.answer(predicted("p", 3));
    hand.send({ type: "step", by: 1 });
    expect(hand.toolbox.view()).toMatchObject({ waiting: false, chosen: 1 });
    const [commit] = hand.send({ type: "finish" });
    expect(commit).toMatchObject({
      type: "commit",
      select: false,
      made: [
        { object: null, source: "click", score: 0.8, stability: 0.8, prompts: [{ points: [[10, 20, 1]] }] },
      ],
    });
    expect(hand.toolbox.busy).toBe(false);
    expect(hand.toolbox.view().candidates).toEqual([]);
  });

  test("the next click refines the chosen candidate; right and Alt exclude", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    hand.answer(predicted("p", 3));
    hand.send({ type: "choose", candidate: 2 });
    expect(hand.click([30, 40], { alt: true })).toMatchObject([
      {
        prompt: {
          points: [
            [10, 20, 1],
            [30, 40, 0],
          ],
          previous: { prediction: "p", candidate: 2 },
        },
      },
    ]);
    hand.answer(predicted("q"));
    const [third] = hand.click([50, 60], { button: 2 });
    expect(third).toMatchObject({ prompt: { previous: { prediction: "q", candidate: 0 } } });
    expect(hand.toolbox.view().points).toHaveLength(3);
    expect(hand.toolbox.view().points[2]).toEqual([50, 60, 0]);
  });

  test("an answer without a name goes back as its mask", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    const answer = predicted("p", 1, { id: null });
    hand.answer(answer);
    expect(hand.click([12, 20])).toMatchObject([{ prompt: { mask: answer.candidates[0]?.mask } }]);
  });

  test("an exclude click needs an object", () => {
    const hand = new Hand("click");
    expect(hand.click([10, 20], { alt: true })).toMatchObject([{ type: "say" }]);
    expect(hand.toolbox.busy).toBe(false);
  });

  test("a click beside the picture and the middle button do nothing", () => {
    const hand = new Hand("click");
    expect(hand.click([-1, 20])).toEqual([]);
    expect(hand.click([10, 100])).toEqual([]);
    expect(hand.click([10, 20], { button: 1 })).toEqual([]);
  });

  test("the same click twice counts once", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    expect(hand.click([10.2, 20.1])).toEqual([]);
    expect(hand.toolbox.view().points).toHaveLength(1);
  });

  test("an empty mask is not kept", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    hand.answer({ ...predicted("p"), candidates: [candidate(EMPTY_MASK)] });
    expect(hand.send({ type: "finish" })).toMatchObject([{ type: "say" }]);
    expect(hand.toolbox.busy).toBe(true);
  });

  test("a click that made it worse is told until it is taken back", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    hand.answer();
    hand.click([30, 20]);
    hand.answer(predicted("q", 1, { worse: true }));
    expect(hand.toolbox.view().worse).toBe(true);
    hand.send({ type: "undo" });
    expect(hand.toolbox.view()).toMatchObject({ worse: false, points: [[10, 20, 1]] });
  });
});

describe("answers that come late", () => {
  test("an answer to an earlier click is dropped", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    const first = hand.request;
    hand.click([30, 40]);
    hand.send({ type: "reply", request: first, prediction: predicted("old") });
    expect(hand.toolbox.view()).toMatchObject({ waiting: true, candidates: [] });
    hand.answer(predicted("new", 2));
    expect(hand.toolbox.view().candidates).toHaveLength(2);
  });

  test("an answer after Escape, or for another tool, is dropped", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    const request = hand.request;
    hand.send({ type: "cancel" });
    hand.send({ type: "reply", request, prediction: predicted("p") });
    expect(hand.toolbox.busy).toBe(false);
    hand.toolbox.use("box");
    hand.click([10, 20]);
    hand.send({ type: "reply", request, prediction: predicted("p") });
    expect(hand.toolbox.view().candidates).toEqual([]);
  });

  test("without an answer the click is as if it had not been", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    hand.answer();
    hand.click([30, 40]);
    hand.send({ type: "failed", request: hand.request });
    expect(hand.toolbox.view()).toMatchObject({ waiting: false, points: [[10, 20, 1]] });
    expect(hand.toolbox.view().candidates).toHaveLength(1);
  });

  test("Enter before the answer keeps it when it comes", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    expect(hand.send({ type: "finish" })).toEqual([]);
    expect(hand.answer()).toMatchObject([{ type: "commit" }]);
  });

  test("while an answer is waited for, the one before is shown", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    hand.answer(predicted("p", 3));
    hand.click([30, 40]);
    expect(hand.toolbox.view()).toMatchObject({ waiting: true });
    expect(hand.toolbox.view().candidates).toHaveLength(3);
  });
});

describe("undo and redo", () => {
  test("go through clicks and choices", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    hand.answer(predicted("p", 3));
    hand.send({ type: "choose", candidate: 1 });
    hand.click([30, 40]);
    hand.answer(predicted("q"));
    const shown = () => [hand.toolbox.view().points.length, hand.toolbox.view().chosen];
    expect(shown()).toEqual([2, 0]);
    hand.send({ type: "undo" });
    expect(shown()).toEqual([1, 1]);
    hand.send({ type: "undo" });
    expect(shown()).toEqual([1, 0]);
    hand.send({ type: "undo" });
    expect(hand.toolbox.busy).toBe(false);
    for (let i = 0; i < 3; i++) hand.send({ type: "redo" });
    expect(shown()).toEqual([2, 0]);
  });

  test("a step that was never answered is asked for again", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    hand.click([30, 40]);
    hand.answer();
    expect(hand.send({ type: "undo" })).toMatchObject([
      { type: "predict", prompt: { points: [[10, 20, 1]] } },
    ]);
  });

  test("a new click forgets what was undone", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    hand.answer();
    hand.click([30, 40]);
    hand.answer();
    hand.send({ type: "undo" });
    hand.click([50, 60]);
    hand.answer();
    hand.send({ type: "redo" });
    expect(hand.toolbox.view().points).toEqual([
      [10, 20, 1],
      [50, 60, 1],
    ]);
  });
});

describe("held back", () => {
  test("with Ctrl clicks gather, and are asked for together", () => {
    const hand = new Hand("click");
    expect(hand.click([10, 20], { ctrl: true })).toEqual([]);
    expect(hand.click([30, 40], { ctrl: true })).toEqual([]);
    expect(hand.send({ type: "release" })).toMatchObject([
      {
        prompt: {
          points: [
            [10, 20, 1],
            [30, 40, 1],
          ],
        },
      },
    ]);
    expect(hand.send({ type: "release" })).toEqual([]);
  });
});

describe("the mask under the cursor", () => {
  test("one request at a time; when it is answered the place by then is asked for", () => {
    const hand = new Hand("click");
    expect(hand.pointer("move", [10, 20])).toMatchObject([
      { hover: true, prompt: { points: [[10, 20, 1]] } },
    ]);
    expect(hand.pointer("move", [11, 20])).toEqual([]);
    expect(hand.pointer("move", [12, 20])).toEqual([]);
    const answer = predicted("p", 1, { id: null });
    expect(hand.answer(answer)).toMatchObject([{ hover: true, prompt: { points: [[12, 20, 1]] } }]);
    expect(hand.toolbox.view().hover).toBe(answer.candidates[0]?.mask);
    expect(hand.answer()).toEqual([]);
  });

  test("within one pixel nothing is asked for again", () => {
    const hand = new Hand("click");
    hand.pointer("move", [10.1, 20]);
    hand.answer();
    expect(hand.pointer("move", [10.9, 20.5])).toEqual([]);
  });

  test("goes when the pointer leaves, and when a click begins an object", () => {
    const hand = new Hand("click");
    hand.pointer("move", [10, 20]);
    hand.answer();
    hand.send({ type: "leave" });
    expect(hand.toolbox.view().hover).toBeNull();
    hand.pointer("move", [10, 20]);
    const late = hand.request;
    hand.click([10, 20]);
    hand.send({ type: "reply", request: late, prediction: predicted("late") });
    expect(hand.toolbox.view()).toMatchObject({ hover: null, waiting: true, candidates: [] });
  });

  test("comes back after Escape, and not when it is off", () => {
    const hand = new Hand("click");
    hand.click([10, 20]);
    hand.send({ type: "cancel" });
    expect(hand.pointer("move", [10, 20])).toHaveLength(1);
    const off = new Hand("click", { ...AROUND, hover: false });
    expect(off.pointer("move", [10, 20])).toEqual([]);
  });

  test("a dropped hover request lets the next one go", () => {
    const hand = new Hand("click");
    hand.pointer("move", [10, 20]);
    hand.pointer("move", [15, 20]);
    expect(hand.send({ type: "failed", request: hand.request })).toMatchObject([{ hover: true }]);
  });
});

describe("drags", () => {
  test("a drag of the click tool is a box; a shaky click is none", () => {
    const hand = new Hand("click");
    expect(
      hand.drag([
        [10, 20],
        [12, 21],
      ]),
    ).toMatchObject([{ prompt: { points: [[10, 20, 1]] } }]);
    const box = new Hand("click");
    expect(
      box.drag([
        [60, 50],
        [30, 30],
        [10, -5],
      ]),
    ).toMatchObject([{ prompt: { box: [10, 0, 60, 50] } }]);
    expect(box.toolbox.view().boxes).toEqual([[10, 0, 60, 50]]);
  });

  test("a new box replaces the old one, and the mask so far is not fed back", () => {
    const hand = new Hand("box");
    hand.drag([
      [10, 10],
      [50, 50],
    ]);
    hand.answer();
    hand.click([20, 20]);
    hand.answer(predicted("q"));
    const [asked] = hand.drag([
      [5, 5],
      [60, 60],
    ]);
    expect(asked).toMatchObject({ prompt: { box: [5, 5, 60, 60], points: [[20, 20, 1]] } });
    expect(asked).not.toHaveProperty("prompt.previous");
  });

  test("a lasso asks with its outline, then clicks refine", () => {
    const hand = new Hand("lasso");
    const line = [
      [10, 10],
      [40, 10],
      [40, 40],
      [10, 40],
    ] as const;
    expect(hand.drag(line)).toMatchObject([{ prompt: { polygon: line } }]);
    hand.answer();
    const [asked] = hand.click([20, 20]);
    expect(asked).toMatchObject({ prompt: { points: [[20, 20, 1]], previous: { prediction: "p" } } });
    expect(asked).not.toHaveProperty("prompt.polygon");
    hand.answer();
    expect(hand.send({ type: "finish" })).toMatchObject([{ made: [{ source: "lasso" }] }]);
  });

  test("a lasso that does not snap is the mask itself", () => {
    const hand = new Hand("lasso", { ...AROUND, snap: { lasso: false, polygon: false } });
    const [commit] = hand.drag([
      [10, 10],
      [40, 10],
      [40, 40],
      [10, 40],
    ]);
    expect(commit).toMatchObject({ type: "commit", made: [{ source: "lasso", score: null }] });
    expect(commit?.type === "commit" && maskArea(commit.made[0]?.mask ?? EMPTY_MASK)).toBe(900);
  });

  test("a lasso that ends with Alt held is the mask itself", () => {
    const hand = new Hand("lasso");
    hand.pointer("down", [10, 10]);
    for (const at of [
      [40, 10],
      [40, 40],
      [10, 40],
    ] as const)
      hand.pointer("move", at);
    expect(hand.pointer("up", [10, 40], { alt: true })).toMatchObject([{ type: "commit" }]);
  });

  test("scribbles add up and feed the mask back", () => {
    const hand = new Hand("scribble");
    hand.drag([
      [10, 10],
      [30, 10],
    ]);
    hand.answer();
    expect(
      hand.drag([
        [10, 30],
        [30, 30],
      ]),
    ).toMatchObject([
      {
        prompt: {
          scribble: [
            [
              [10, 10],
              [30, 10],
            ],
            [
              [10, 30],
              [30, 30],
            ],
          ],
          previous: { prediction: "p" },
        },
      },
    ]);
    expect(hand.toolbox.view().paths).toHaveLength(2);
  });

  test("a scribble with Alt is of exclude clicks along the line", () => {
    const hand = new Hand("scribble");
    hand.click([10, 10]);
    hand.answer();
    const [asked] = hand.drag(
      [
        [0, 50],
        [100, 50],
      ],
      { alt: true },
    );
    const points = asked?.type === "predict" ? (asked.prompt.points ?? []) : [];
    expect(points.length).toBeGreaterThan(3);
    expect(points.slice(1).every(([, y, label]) => y === 50 && label === 0)).toBe(true);
  });

  test("a rough mask is painted, added to, and taken from with Alt", () => {
    const hand = new Hand("rough");
    const mask = () => {
      const asked = hand.effects.at(-1);
      return asked?.type === "predict" ? asked.prompt.mask : undefined;
    };
    hand.drag([
      [30, 30],
      [60, 30],
    ]);
    const first = maskArea(mask() ?? EMPTY_MASK);
    expect(first).toBeGreaterThan(300);
    hand.answer({ ...predicted("p"), candidates: [candidate(mask() ?? EMPTY_MASK)] });
    hand.drag([
      [30, 50],
      [60, 50],
    ]);
    expect(maskArea(mask() ?? EMPTY_MASK)).toBe(2 * first);
    hand.answer({ ...predicted("q"), candidates: [candidate(mask() ?? EMPTY_MASK)] });
    hand.drag(
      [
        [30, 30],
        [60, 30],
      ],
      { alt: true },
    );
    expect(maskArea(mask() ?? EMPTY_MASK)).toBe(first);
  });

  test("Escape ends a drag and leaves what was in hand", () => {
    const hand = new Hand("box");
    hand.drag([
      [10, 10],
      [50, 50],
    ]);
    hand.answer();
    hand.pointer("down", [60, 60]);
    hand.pointer("move", [90, 90]);
    hand.send({ type: "cancel" });
    expect(hand.pointer("up", [90, 90])).toEqual([]);
    expect(hand.toolbox.view().boxes).toEqual([[10, 10, 50, 50]]);
  });
});

describe("refining a selected object", () => {
  const target = object("a");
  const around = { ...AROUND, target, selection: ["a"], objects: [target] };

  test.each<[string, object]>([
    ["Shift", { shift: true }],
    ["Alt", { alt: true }],
    ["the right button", { button: 2 }],
  ])("a click with %s starts from its mask, and the result is its new state", (_name, held) => {
    const hand = new Hand("click", around);
    expect(hand.click([1, 1], held)).toMatchObject([{ prompt: { mask: target.mask } }]);
    expect(hand.toolbox.view().replaces).toBe("a");
    hand.answer();
    expect(hand.send({ type: "finish" })).toMatchObject([{ made: [{ object: "a", source: "edit" }] }]);
  });

  test("a plain click begins a new object", () => {
    const hand = new Hand("click", around);
    const [asked] = hand.click([50, 50]);
    expect(asked).not.toHaveProperty("prompt.mask");
    hand.answer();
    expect(hand.send({ type: "finish" })).toMatchObject([{ made: [{ object: null }] }]);
  });
});

test.each<ToolName>(["click", "box", "lasso", "scribble", "rough"])(
  "%s: 300 random events leave it sound",
  (tool) => {
    for (let seed = 1; seed <= 20; seed++) {
      let state = seed;
      const next = (below: number) => {
        state = (Math.imul(state, 48271) >>> 0) % 2147483647;
        return state % below;
      };
      const hand = new Hand(tool);
      for (let i = 0; i < 300; i++) {
        const at = [next(220) - 10, next(120) - 10] as const;
        const held = {
          alt: next(4) === 0,
          shift: next(6) === 0,
          ctrl: next(8) === 0,
          button: next(9) === 0 ? 2 : 0,
        } as const;
        const acts = [
          () => hand.pointer("down", at, held),
          () => hand.pointer("move", at, held),
          () => hand.pointer("up", at, held),
          () => hand.answer(predicted(`p${i}`, 1 + next(3))),
          () => hand.send({ type: "failed", request: hand.request }),
          () => hand.send({ type: "undo" }),
          () => hand.send({ type: "redo" }),
          () => hand.send({ type: "step", by: 1 }),
          () => hand.send({ type: "finish" }),
          () => hand.send({ type: "release" }),
          () => hand.send({ type: "leave" }),
          () => hand.send({ type: "cancel" }),
        ];
        acts[next(i % 17 === 0 ? acts.length : acts.length - 1)]?.();
        const view = hand.toolbox.view();
        if (view.candidates.length > 0) expect(view.candidates[view.chosen]).toBeDefined();
      }
      hand.send({ type: "cancel" });
      hand.send({ type: "cancel" });
      expect(hand.toolbox.busy).toBe(false);
      for (const effect of hand.effects) {
        if (effect.type === "commit") expect(effect.made.every(({ mask }) => maskArea(mask) > 0)).toBe(true);
      }
    }
  },
);

test("what is kept of a rough mask is text", () => {
  const hand = new Hand("rough");
  hand.drag([
    [30, 30],
    [60, 30],
  ]);
  hand.answer();
  const [commit] = hand.send({ type: "finish" });
  const kept = commit?.type === "commit" ? commit.made[0]?.prompts[0]?.mask : undefined;
  expect(kept).toMatchObject({ size: [10, 40], offset: [25, 25] });
  expect(JSON.parse(JSON.stringify(kept))).toEqual(kept);
});
