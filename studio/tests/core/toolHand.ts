/** A hand on a toolbox, for tests: it clicks and drags as a pointer does, and answers as a model would. */

import { PaintStroke } from "../../src/core/paint";
import type { Effect, Pointer, ToolEvent, ToolName } from "../../src/core/tools/tool";
import { type Surroundings, Toolbox } from "../../src/core/tools/toolbox";
import type { ImageXY, Prediction, WindowMask } from "../../src/core/types";
import { block } from "./make";

export const AROUND: Surroundings = {
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

type Held = Partial<Omit<Pointer, "at">>;

export class Hand {
  readonly toolbox: Toolbox;
  /** Everything that came out so far. */
  readonly effects: Effect[] = [];

  constructor(
    tool: ToolName,
    public around: Surroundings = AROUND,
  ) {
    this.toolbox = new Toolbox(tool, () => this.around);
  }

  send(event: ToolEvent): readonly Effect[] {
    const effects = this.toolbox.send(event);
    this.effects.push(...effects);
    return effects;
  }

  pointer(type: "down" | "move" | "up" | "double", at: ImageXY, held: Held = {}): readonly Effect[] {
    const plain = { button: 0, alt: false, shift: false, ctrl: false, pressure: 0.5, scale: 1 } as const;
    return this.send({ type, at, ...plain, ...held });
  }

  click(at: ImageXY, held: Held = {}): readonly Effect[] {
    return [...this.pointer("down", at, held), ...this.pointer("up", at, held)];
  }

  drag(line: readonly ImageXY[], held: Held = {}): readonly Effect[] {
    const [first, ...rest] = line;
    const effects = [...this.pointer("down", first as ImageXY, held)];
    for (const at of rest) effects.push(...this.pointer("move", at, held));
    return [...effects, ...this.pointer("up", line.at(-1) as ImageXY, held)];
  }

  /** The last request. */
  get request(): number {
    const asked = this.effects.findLast(({ type }) => type === "predict" || type === "predictBoxes");
    return asked !== undefined && "request" in asked ? asked.request : 0;
  }

  /** The model's answer to the last request. */
  answer(prediction: Prediction = predicted("p")): readonly Effect[] {
    return this.send({ type: "reply", request: this.request, prediction });
  }
}

/** An answer of so many candidates, each a block of another size. */
export function predicted(id: string, count = 1, change: Partial<Prediction> = {}): Prediction {
  const candidates = Array.from({ length: count }, (_, i) =>
    candidate(block(10, 10, 4 + i, 3), 0.9 - i / 10),
  );
  return { id, candidates, milliseconds: 1, worse: false, ...change };
}

export function candidate(mask: WindowMask, score = 0.9) {
  return { mask, area: mask.width * mask.height, score, stability: 0.8 };
}

/** The pixels of a stroke along a line. */
export function paintedLine(line: readonly ImageXY[], radius: number): WindowMask {
  const stroke = new PaintStroke(AROUND.size);
  for (const at of line) stroke.to(at, radius);
  return stroke.mask();
}
