/** Parts of the decoder that need no network; the whole is compared with Python in tests/parity. */

import { describe, expect, test } from "vitest";
import { changedCells, correctedLocally, isMuchWorse } from "../../src/core/decoding/corrections";
import {
  Decoder,
  type ModelInfo,
  type NetworkAnswer,
  UnknownPrediction,
} from "../../src/core/decoding/decoder";
import { frameOf, scaleOf } from "../../src/core/decoding/frame";
import { maskToLogits } from "../../src/core/decoding/maskLogits";
import { type EncodedPrompt, encodedPrompt, PromptError } from "../../src/core/decoding/prompts";
import { readTensors, TensorError } from "../../src/core/decoding/safetensors";
import { areaAbove, type Logits, stabilityOf, upscaledMask } from "../../src/core/decoding/upscale";
import { iou, maskArea } from "../../src/core/masks";
import { strokePoints } from "../../src/core/strokes";
import type { ImageXY } from "../../src/core/types";
import { block } from "./make";

const FRAME = frameOf(300, 400, 128);
const SIDE = 32;

/** Logits of a disc, in cells. */
function disc(x: number, y: number, radius: number): Logits {
  const values = Float32Array.from(
    { length: SIDE * SIDE },
    (_, i) => radius - Math.hypot((i % SIDE) + 0.5 - x, Math.floor(i / SIDE) + 0.5 - y),
  );
  return { side: SIDE, values };
}

describe("the frame", () => {
  test.each([
    [300, 400, 128, 96, 128],
    [1, 9, 16, 2, 16],
    [1, 5000, 416, 1, 416],
    [683, 1024, 1024, 683, 1024],
    [3, 3, 7, 7, 7],
  ])("%i x %i at %i becomes %i x %i", (height, width, input, resizedHeight, resizedWidth) => {
    expect(frameOf(height, width, input)).toMatchObject({ resizedHeight, resizedWidth });
  });
});

describe("upscaling", () => {
  test("a disc stays a disc of its size", () => {
    const mask = upscaledMask(disc(16, 10, 6), FRAME);
    const [scaleX, scaleY] = scaleOf(FRAME);
    const cells = FRAME.inputSize / SIDE;
    const expected = Math.PI * ((6 * cells) / scaleX) * ((6 * cells) / scaleY);
    expect(Math.abs(maskArea(mask) / expected - 1)).toBeLessThan(0.01);
    expect((mask.x + mask.width / 2) * scaleX).toBeCloseTo(16 * cells, 0);
  });

  test("what lies in the padding is cut off, and nothing is nothing", () => {
    expect(upscaledMask(disc(16, 30, 3), FRAME).bits).toHaveLength(0);
    expect(upscaledMask(disc(16, 10, -1), FRAME).bits).toHaveLength(0);
  });

  test("of a small mask every pixel is counted, of a large one about all", () => {
    const logits = disc(16, 11, 9);
    expect(areaAbove(logits, FRAME, 0)).toBe(maskArea(upscaledMask(logits, FRAME)));
    const large = frameOf(3000, 4000, 128);
    const exact = maskArea(upscaledMask(logits, large));
    expect(Math.abs(areaAbove(logits, large, 0) / exact - 1)).toBeLessThan(0.005);
    expect(stabilityOf(logits, large)).toBeCloseTo(stabilityOf(logits, FRAME), 2);
    expect(stabilityOf(disc(16, 11, -5), FRAME)).toBe(0);
  });
});

describe("a mask as logits", () => {
  test("is the mask again where cells are whole, and says how much of a cell it covers", () => {
    const frame = frameOf(64, 64, 64);
    const logits = maskToLogits(block(8, 8, 9, 8), frame, 16);
    const at = (x: number, y: number) => logits.values[y * 16 + x];
    expect(at(2, 2)).toBe(20);
    expect(at(4, 2)).toBe(-10); // one column of four
    expect(at(5, 2)).toBe(-20);
    const whole = maskToLogits(block(0, 0, 400, 300), FRAME, SIDE);
    expect(whole.values.slice(0, SIDE).every((value) => Math.abs(value - 20) < 1e-4)).toBe(true);
    expect(whole.values.at(-1)).toBe(-20);
  });

  test("through logits and back little is lost", () => {
    const mask = block(50, 40, 200, 150);
    expect(iou(upscaledMask(maskToLogits(mask, FRAME, SIDE), FRAME), mask)).toBeGreaterThan(0.95);
  });
});

describe("corrections", () => {
  const click = (x: number, y: number, label: 0 | 1) => [(x / SIDE) * 400, (y / SIDE) * 400, label] as const;
  const before = disc(10, 10, 5);
  /** The same disc, grown by another near it and one far away. */
  const after: Logits = {
    side: SIDE,
    values: before.values.map((value, i) =>
      Math.max(value, disc(16, 10, 4).values[i] as number, disc(27, 20, 3).values[i] as number),
    ),
  };

  test("take only what is connected to the click", () => {
    const taken = correctedLocally(before, after, click(18, 10, 1), FRAME);
    const set = (logits: Logits, x: number, y: number) => (logits.values[y * SIDE + x] as number) > 0;
    expect(set(taken, 18, 10)).toBe(true);
    expect(set(taken, 27, 20)).toBe(false);
    expect(set(taken, 10, 10)).toBe(true);
  });

  test("of an exclude click nothing is added", () => {
    const taken = correctedLocally(before, after, click(18, 10, 0), FRAME);
    expect(taken.values.map((value) => (value > 0 ? 1 : 0))).toEqual(
      before.values.map((value) => (value > 0 ? 1 : 0)),
    );
  });

  test("one that moves the mask away is much worse, one near the click is not", () => {
    expect(isMuchWorse(before, disc(25, 15, 6), click(25, 15, 1), FRAME)).toBe(true);
    expect(isMuchWorse(before, disc(25, 15, -1), click(10, 10, 0), FRAME)).toBe(true);
    expect(isMuchWorse(before, disc(10.5, 10, 5.3), click(15, 10, 1), FRAME)).toBe(false);
  });

  test("changed cells reach one cell further, and not round the row's end", () => {
    const one = { side: 4, values: new Float32Array(16).fill(-1) };
    const other = { side: 4, values: one.values.with(7, 1) };
    const set = [...changedCells(one, other).values].flatMap((value, i) => (value > 0 ? [i] : []));
    expect(set).toEqual([2, 3, 6, 7, 10, 11]);
  });
});

describe("prompts", () => {
  const encoded = (prompt: Parameters<typeof encodedPrompt>[0]) => encodedPrompt(prompt, null, FRAME, SIDE);

  test("points are padded where there is no box", () => {
    const { points, labels, isAmbiguous } = encoded({ points: [[200, 150, 1]] });
    expect([...points]).toEqual([64, 48, 0, 0]);
    expect([...labels]).toEqual([1, -1]);
    expect(isAmbiguous).toBe(true);
  });

  test("a box follows the points, cut to the picture", () => {
    const { points, labels, isAmbiguous } = encoded({ points: [[200, 150, 0]], box: [-50, 0, 400, 900] });
    expect([...points]).toEqual([64, 48, 0, 0, 128, 96]);
    expect([...labels]).toEqual([0, 2, 3]);
    expect(isAmbiguous).toBe(false);
  });

  test.each([
    ["nothing", {}],
    ["a point beside the picture", { points: [[401, 3, 1]] as const }],
    ["a point that is none", { points: [[Number.NaN, 3, 1]] as const }],
    ["a box without area", { box: [5, 5, 5, 9] as const }],
    ["a box beside the picture", { box: [500, 5, 600, 9] as const }],
    ["an empty mask", { mask: block(0, 0, 0, 0) }],
    [
      "a lasso round nothing",
      {
        polygon: [
          [1, 1],
          [1.1, 1.1],
          [1.2, 1],
        ] as readonly ImageXY[],
      },
    ],
    ["an empty scribble", { scribble: [[]] }],
  ])("%s is refused", (_what, prompt) => {
    expect(() => encoded(prompt)).toThrow(PromptError);
  });

  test("a stroke gives the middles of equal parts, eight at most", () => {
    expect(
      strokePoints(
        [
          [0, 0],
          [100, 0],
        ],
        [300, 400],
      ),
    ).toEqual([
      [12.5, 0],
      [37.5, 0],
      [62.5, 0],
      [87.5, 0],
    ]);
    expect(
      strokePoints(
        [
          [0, 0],
          [400, 0],
          [400, 300],
        ],
        [300, 400],
      ),
    ).toHaveLength(8);
    expect(strokePoints([[7, 8]], [300, 400])).toEqual([[7, 8]]);
    expect(
      strokePoints(
        [
          [7, 8],
          [7, 8],
        ],
        [300, 400],
      ),
    ).toEqual([[7, 8]]);
  });
});

describe("answers", () => {
  const model: ModelInfo = { sha256: "a", inputSize: 128, maskSize: SIDE, localCorrections: true };
  const asked: EncodedPrompt[] = [];
  const network = async (prompt: EncodedPrompt): Promise<NetworkAnswer> => {
    asked.push(prompt);
    const masks = [disc(10, 10, 4), disc(10, 10, 3), disc(10, 10, 6), disc(10, 10, 9)];
    const logits = Float32Array.from(masks.flatMap(({ values }) => [...values]));
    return { logits, scores: Float32Array.of(0.6, 0.7, 0.9, 0.8) };
  };
  const decoder = new Decoder(model, [300, 400], network);

  test("a click gets three candidates, the best first; its refinement one", async () => {
    const first = await decoder.predict({ points: [[125, 125, 1]] });
    expect(first.candidates.map(({ score }) => Math.round(score * 10))).toEqual([9, 8, 7]);
    const previous = { prediction: first.id as string, candidate: 2 };
    const second = await decoder.predict({
      points: [
        [125, 125, 1],
        [10, 10, 0],
      ],
      previous,
    });
    expect(second.candidates).toHaveLength(1);
    expect(asked.at(-1)?.mask?.values).toEqual(disc(10, 10, 3).values);
    expect(second.id).not.toBe(first.id);
  });

  test("a preview is one candidate, not kept", async () => {
    const preview = await decoder.predict({ points: [[125, 125, 1]] }, true);
    expect(preview).toMatchObject({ id: null, candidates: [{ stability: null }] });
  });

  test("an answer that is not known, or a candidate that it has not, is told", async () => {
    const { id } = await decoder.predict({ points: [[125, 125, 1]] });
    for (const previous of [
      { prediction: "?", candidate: 0 },
      { prediction: id as string, candidate: 3 },
    ]) {
      await expect(decoder.predict({ points: [[1, 1, 1]], previous })).rejects.toThrow(UnknownPrediction);
    }
  });
});

describe("safetensors", () => {
  function file(header: unknown, numbers: readonly number[]): ArrayBuffer {
    const text = new TextEncoder().encode(JSON.stringify(header));
    const data = new Uint8Array(8 + text.length + 4 * numbers.length);
    new DataView(data.buffer).setBigUint64(0, BigInt(text.length), true);
    data.set(text, 8);
    data.set(new Uint8Array(Float32Array.from(numbers).buffer), 8 + text.length);
    return data.buffer;
  }

  test("tensors by name, wherever their bytes begin", () => {
    for (const room of ["", " ", "  ", "   "]) {
      const header = { __metadata__: { room }, s8: { dtype: "F32", shape: [1, 2], data_offsets: [4, 12] } };
      expect(readTensors(file(header, [1, 2, 3])).get("s8")).toEqual({
        shape: [1, 2],
        values: Float32Array.of(2, 3),
      });
    }
  });

  test.each([
    ["cut off", { s8: { dtype: "F32", shape: [9], data_offsets: [0, 36] } }],
    ["of other numbers", { s8: { dtype: "F16", shape: [2], data_offsets: [0, 4] } }],
    ["of another length", { s8: { dtype: "F32", shape: [3], data_offsets: [0, 8] } }],
  ])("a tensor %s is refused", (_what, header) => {
    expect(() => readTensors(file(header, [1, 2]))).toThrow(TensorError);
  });

  test("a file that is none is refused", () => {
    expect(() => readTensors(new ArrayBuffer(3))).toThrow(TensorError);
    expect(() => readTensors(new Uint8Array(16).fill(255).buffer)).toThrow(TensorError);
  });
});
