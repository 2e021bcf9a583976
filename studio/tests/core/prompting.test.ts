import { expect, test } from "vitest";
import { EMPTY_MASK } from "../../src/core/masks";
import type { Effect, ToolEvent } from "../../src/core/tools/tool";
import { type Surroundings, Toolbox } from "../../src/core/tools/toolbox";
import type { Prediction } from "../../src/core/types";

const around: Surroundings = {
  size: [100, 200],
  target: null,
  selection: [],
  objects: [],
  proposals: [],
  brushRadius: 5,
  hover: true,
  snap: { lasso: true, polygon: false },
  tolerance: 1,
};

const pointer = { button: 0, alt: false, shift: false, ctrl: false, pressure: 0.5, scale: 1 } as const;

function click(toolbox: Toolbox, x: number, y: number, extra: Partial<typeof pointer> = {}): Effect[] {
  const event = { ...pointer, ...extra, at: [x, y] as const };
  return [
    ...toolbox.send({ type: "down", ...event } as ToolEvent),
    ...toolbox.send({ type: "up", ...event } as ToolEvent),
  ];
}

function answer(id: string, count = 1): Prediction {
  const mask = { x: 1, y: 1, width: 2, height: 1, bits: new Uint8Array([1, 1]) };
  const candidates = Array.from({ length: count }, (_, i) => ({
    mask,
    area: 2,
    score: 1 - i / 10,
    stability: null,
  }));
  return { id, candidates, milliseconds: 1, worse: false };
}

test("a click asks, the answer is shown, Enter keeps it", () => {
  const toolbox = new Toolbox("click", () => around);
  const [asked] = click(toolbox, 10, 20);
  expect(asked).toMatchObject({ type: "predict", hover: false, prompt: { points: [[10, 20, 1]] } });
  const request = (asked as { request: number }).request;
  toolbox.send({ type: "reply", request, prediction: answer("p", 3) });
  expect(toolbox.view().candidates).toHaveLength(3);
  toolbox.send({ type: "step", by: 1 });
  const [commit] = toolbox.send({ type: "finish" });
  expect(commit).toMatchObject({ type: "commit", made: [{ object: null, source: "click", score: 0.9 }] });
  expect(toolbox.busy).toBe(false);
});

test("a second click refines the chosen candidate", () => {
  const toolbox = new Toolbox("click", () => around);
  const [first] = click(toolbox, 10, 20) as { request: number }[];
  toolbox.send({ type: "reply", request: first?.request ?? 0, prediction: answer("p", 3) });
  toolbox.send({ type: "choose", candidate: 2 });
  const [second] = click(toolbox, 30, 40, { alt: true } as never);
  expect(second).toMatchObject({
    prompt: {
      points: [
        [10, 20, 1],
        [30, 40, 0],
      ],
      previous: { prediction: "p", candidate: 2 },
    },
  });
  expect(EMPTY_MASK.bits).toHaveLength(0);
});
