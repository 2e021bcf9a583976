/** The decoder in TypeScript and WebAssembly against the Python model's answers to the same prompts. */

import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { DecoderGraphs, type Graphs, type Ort } from "../../src/api/browser/network";
import { candidateOf, type WireCandidate } from "../../src/api/wire";
import { Decoder, type ModelInfo } from "../../src/core/decoding/decoder";
import { readTensors } from "../../src/core/decoding/safetensors";
import { iou, isEmpty } from "../../src/core/masks";
import { decodeRle } from "../../src/core/rle";
import type { Prompt, Rle } from "../../src/core/types";

interface Step {
  readonly prompt: Omit<Prompt, "mask" | "previous"> & {
    readonly mask?: Rle & { readonly offset: readonly [number, number] };
  };
  /** Which candidate of the step before it refines. */
  readonly refines?: number;
  readonly preview?: boolean;
  readonly candidates: readonly WireCandidate[];
  readonly worse: boolean;
}

interface Fixture {
  readonly model: ModelInfo;
  readonly graphs: readonly string[];
  readonly size: readonly [number, number];
  readonly works: readonly { readonly name: string; readonly steps: readonly Step[] }[];
}

const folder = process.env["PARITY"] ?? "";
const fixture = JSON.parse(readFileSync(`${folder}/fixture.json`, "utf8")) as Fixture;

let decoder: Decoder;

beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  const graphs: Record<string, Uint8Array> = {};
  for (const name of fixture.graphs) graphs[name] = new Uint8Array(readFileSync(`${folder}/${name}.onnx`));
  const opened = await DecoderGraphs.open(ort as unknown as Ort, graphs as Graphs, fixture.model.maskSize);
  const embedding = new Uint8Array(readFileSync(`${folder}/embedding.safetensors`));
  decoder = new Decoder(fixture.model, fixture.size, await opened.on(readTensors(embedding.buffer)));
}, 120_000);

describe(`answers of ${fixture.model.sha256.slice(0, 12)}`, () => {
  test.each(fixture.works)("$name", { timeout: 60_000 }, async ({ steps }) => {
    let id: string | null = null;
    for (const step of steps) {
      const { mask, ...plain } = step.prompt;
      const prompt: Prompt = {
        ...plain,
        ...(mask && { mask: decodeRle(mask, mask.offset) }),
        ...(step.refines !== undefined &&
          id !== null && { previous: { prediction: id, candidate: step.refines } }),
      };
      const prediction = await decoder.predict(prompt, step.preview);
      expect(prediction.worse).toBe(step.worse);
      expect(prediction.candidates).toHaveLength(step.candidates.length);
      prediction.candidates.forEach((candidate, i) => {
        const expected = candidateOf(step.candidates[i] as WireCandidate);
        expect(Math.abs(candidate.score - expected.score)).toBeLessThan(1e-3);
        expect(iou(candidate.mask, expected.mask)).toBeGreaterThanOrEqual(0.99);
        if (!isEmpty(expected.mask)) expect(Math.abs(candidate.area / expected.area - 1)).toBeLessThan(0.01);
        if (expected.stability === null) expect(candidate.stability).toBeNull();
        else expect(Math.abs((candidate.stability ?? -1) - expected.stability)).toBeLessThan(0.01);
      });
      id = prediction.id;
    }
  });
});
