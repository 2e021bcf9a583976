/** A model's decoder graphs in onnxruntime-web, as one function on an embedded picture. */

import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-web";
import type { Network, NetworkAnswer } from "../../core/decoding/decoder";
import { type EncodedPrompt, NOT_A_POINT } from "../../core/decoding/prompts";
import type { Tensor } from "../../core/decoding/safetensors";

/** What is used of onnxruntime-web; Node and browsers have different builds of it. */
export interface Ort {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (
    type: "float32" | "int32",
    data: Float32Array | Int32Array,
    dims: readonly number[],
  ) => OrtTensor;
}

/** Graphs by name, as the server lists them: `decoder` alone, or Segment Anything's decoder in steps. */
export type Graphs = Readonly<Record<string, Uint8Array>>;

type Values = Record<string, OrtTensor>;
type Sessions = Readonly<Record<string, InferenceSession>>;

const OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ["wasm"],
  graphOptimizationLevel: "all",
};

/** Opened graphs, ready for any number of pictures. */
export class DecoderGraphs {
  private constructor(
    private readonly ort: Ort,
    private readonly sessions: Sessions,
    private readonly maskSize: number,
  ) {}

  /** Rejects if a graph cannot be opened. */
  static async open(ort: Ort, graphs: Graphs, maskSize: number): Promise<DecoderGraphs> {
    const sessions: Record<string, InferenceSession> = {};
    for (const [name, bytes] of Object.entries(graphs)) {
      sessions[name] = await ort.InferenceSession.create(bytes, OPTIONS);
    }
    return new DecoderGraphs(ort, sessions, maskSize);
  }

  /** The decoder on a picture with these features. */
  async on(features: ReadonlyMap<string, Tensor>): Promise<Network> {
    const image: Values = {};
    for (const [name, { shape, values }] of features)
      image[name] = new this.ort.Tensor("float32", values, shape);
    if (this.sessions["prepare"] === undefined) return (prompt) => this.whole(image, prompt);
    const side = await this.run("prepare", image);
    return (prompt) => this.stepped(image, side, prompt);
  }

  private async whole(image: Values, prompt: EncodedPrompt): Promise<NetworkAnswer> {
    const none = prompt.labels.length === 0;
    const points = none ? new Float32Array(2) : prompt.points;
    const labels = none ? Int32Array.of(NOT_A_POINT) : prompt.labels;
    const answer = await this.run("decoder", {
      ...image,
      ...this.points(points, labels),
      mask_logits: this.mask(prompt.mask?.values ?? new Float32Array(this.maskSize ** 2)),
      has_mask: this.float([prompt.mask === null ? 0 : 1], [1]),
    });
    return { logits: numbers(answer, "logits"), scores: numbers(answer, "scores") };
  }

  /** Segment Anything's: what prompts share was worked out by `prepare`; a mask prompt changes it. */
  private async stepped(image: Values, side: Values, prompt: EncodedPrompt): Promise<NetworkAnswer> {
    const { tokens } = await this.run("prompt", this.points(prompt.points, prompt.labels));
    const asked = { tokens: tokens as OrtTensor };
    const decoded =
      prompt.mask === null
        ? await this.run("decoder", { ...side, ...asked })
        : await this.run("decoder_masked", {
            ...image,
            ...asked,
            mask_logits: this.mask(prompt.mask.values),
          });
    const { keys, mask_weights } = decoded as { keys: OrtTensor; mask_weights: OrtTensor };
    const upscaled = await this.run("upscale", { keys, mask_weights });
    return { logits: numbers(upscaled, "logits"), scores: numbers(decoded, "scores") };
  }

  private async run(name: string, inputs: Values): Promise<Values> {
    const session = this.sessions[name];
    if (session === undefined) throw new Error(`the model has no graph "${name}" for browsers`);
    return (await session.run(inputs)) as Values;
  }

  private points(points: Float32Array, labels: Int32Array): Values {
    return {
      points_xy: new this.ort.Tensor("float32", points, [1, labels.length, 2]),
      labels: new this.ort.Tensor("int32", labels, [1, labels.length]),
    };
  }

  private mask(values: Float32Array): OrtTensor {
    return new this.ort.Tensor("float32", values, [1, 1, this.maskSize, this.maskSize]);
  }

  private float(values: readonly number[], shape: readonly number[]): OrtTensor {
    return new this.ort.Tensor("float32", Float32Array.from(values), shape);
  }
}

function numbers(values: Values, name: string): Float32Array {
  const tensor = values[name];
  if (tensor === undefined || !(tensor.data instanceof Float32Array)) {
    throw new Error(`the decoder gave no "${name}"`);
  }
  return tensor.data;
}
