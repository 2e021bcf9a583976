/** Reading safetensors: eight bytes with the header's length, a JSON header, then the tensors' bytes. */

export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** No safetensors, or one with other than float32 tensors. */
export class TensorError extends Error {
  override readonly name = "TensorError";
}

/** The float32 tensors of a file, by name; their values are views of it where they lie at whole words. */
export function readTensors(data: ArrayBuffer): Map<string, Tensor> {
  if (data.byteLength < 8) throw new TensorError("the embedding is cut off");
  const length = Number(new DataView(data).getBigUint64(0, true));
  if (8 + length > data.byteLength) throw new TensorError("the embedding is cut off");
  const header: unknown = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 8, length)));
  if (typeof header !== "object" || header === null) throw new TensorError("the embedding has no header");
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, tensorOf(name, entry, data, 8 + length));
  }
  return tensors;
}

function tensorOf(name: string, entry: unknown, data: ArrayBuffer, begin: number): Tensor {
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  const numbers = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every(Number.isSafeInteger);
  if (dtype !== "F32" || !numbers(shape) || !numbers(offsets) || offsets.length !== 2) {
    throw new TensorError(`the embedding's tensor "${name}" is not of float32 numbers`);
  }
  const [from, to] = offsets as [number, number];
  const count = shape.reduce((product, side) => product * side, 1);
  if (from < 0 || to - from !== 4 * count || begin + to > data.byteLength) {
    throw new TensorError(`the embedding's tensor "${name}" is cut off`);
  }
  const at = begin + from;
  const bytes = at % 4 === 0 ? data : data.slice(at, begin + to);
  return { shape, values: new Float32Array(bytes, at % 4 === 0 ? at : 0, count) };
}
