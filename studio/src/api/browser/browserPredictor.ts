/** The decoder in the browser: a worker with the model's own graphs, fed with the server's embeddings. */

import type { ModelInfo } from "../../core/decoding/decoder";
import type { BoxXYXY, Id, Prediction, Prompt } from "../../core/types";
import { get, getBytes } from "../http";
import type { AskOptions, Picture, Predictor } from "../predictor";
import type { Ask, Question, Reply } from "./messages";

/** What the server tells of a model (`GET /models/{sha256}`). */
interface WireModel {
  readonly sha256: string;
  readonly input_size: number;
  readonly mask_size: number;
  readonly local_corrections: boolean;
  readonly graphs: readonly string[];
}

/** What is used of a worker. */
export interface WorkerLike {
  postMessage(message: Question, transfer: Transferable[]): void;
  terminate(): void;
  addEventListener(type: "message", listen: (event: MessageEvent<Reply>) => void): void;
  addEventListener(type: "error" | "messageerror", listen: (event: Event) => void): void;
}

/** The worker failed, or took too long. It is of no further use. */
export class WorkerFailure extends Error {
  override readonly name = "WorkerFailure";
}

/** A decoder takes a tenth of a second; one that is opened for the first time compiles 14 MB of WebAssembly. */
const PATIENCE = { predict: 10_000, picture: 20_000, model: 60_000 } as const;

interface Waiting {
  resolve(prediction: Prediction | null): void;
  reject(error: Error): void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** One worker, for one model. Every method rejects once it has failed: make a new one. */
export class BrowserPredictor implements Predictor {
  private readonly worker: WorkerLike;
  private readonly waiting = new Map<number, Waiting>();
  private readonly ready = new Set<Id>();
  private number = 0;
  private failure: WorkerFailure | null = null;
  private opening: Promise<void> | null = null;

  constructor(
    readonly model: string,
    makeWorker: () => WorkerLike = decoderWorker,
  ) {
    this.worker = makeWorker();
    this.worker.addEventListener("message", ({ data }) => this.heard(data));
    this.worker.addEventListener("error", (event) =>
      this.fail(event instanceof ErrorEvent ? event.message : ""),
    );
    this.worker.addEventListener("messageerror", () => this.fail("its answer could not be read"));
  }

  /** Whether it can be asked about a picture now. */
  has(picture: Id): boolean {
    return this.failure === null && this.ready.has(picture);
  }

  close(): void {
    this.fail("it was closed");
  }

  async prepare(picture: Picture, signal?: AbortSignal): Promise<void> {
    this.opening ??= this.open();
    await this.opening;
    if (this.ready.has(picture.id)) return;
    const embedding = await getBytes(
      `/images/${picture.id}/embedding-tensors`,
      { model: this.model },
      signal,
    );
    const size = [picture.height, picture.width] as const;
    await this.ask({ kind: "picture", picture: picture.id, size, embedding }, [embedding]);
    this.ready.add(picture.id);
  }

  async predict(picture: Picture, prompt: Prompt, options: AskOptions = {}): Promise<Prediction> {
    const preview = options.hover !== undefined;
    const prediction = await this.ask({ kind: "predict", picture: picture.id, prompt, preview });
    if (prediction === null) throw new WorkerFailure("the decoder gave no answer");
    return prediction;
  }

  async predictBoxes(picture: Picture, boxes: readonly BoxXYXY[]): Promise<readonly Prediction[]> {
    return Promise.all(boxes.map((box) => this.predict(picture, { box })));
  }

  private async open(): Promise<void> {
    const wire = await get<WireModel>(`/models/${this.model}`);
    if (wire.graphs.length === 0) throw new WorkerFailure("this model has no decoder for browsers");
    const graphs = Object.fromEntries(
      await Promise.all(
        wire.graphs.map(async (name) => {
          return [name, new Uint8Array(await getBytes(`/models/${this.model}/${name}.onnx`))] as const;
        }),
      ),
    );
    const buffers = Object.values(graphs).map(({ buffer }) => buffer as ArrayBuffer);
    await this.ask({ kind: "model", model: infoOf(wire), graphs }, buffers);
  }

  private ask(ask: Ask, transfer: Transferable[] = []): Promise<Prediction | null> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const number = ++this.number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail("it took too long"), PATIENCE[ask.kind]);
      this.waiting.set(number, { resolve, reject, timer });
      this.worker.postMessage({ ...ask, number }, transfer);
    });
  }

  private heard(reply: Reply): void {
    const waiting = this.waiting.get(reply.number);
    if (waiting === undefined) return;
    this.waiting.delete(reply.number);
    clearTimeout(waiting.timer);
    if ("prediction" in reply) waiting.resolve(reply.prediction);
    else waiting.reject(named(reply.error, reply.text));
  }

  private fail(reason: string): void {
    this.failure ??= new WorkerFailure(`the decoder in the browser failed${reason ? `: ${reason}` : ""}`);
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(this.failure);
    }
    this.waiting.clear();
    this.ready.clear();
    this.worker.terminate();
  }
}

function decoderWorker(): WorkerLike {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "decoder" });
}

function infoOf(wire: WireModel): ModelInfo {
  return {
    sha256: wire.sha256,
    inputSize: wire.input_size,
    maskSize: wire.mask_size,
    localCorrections: wire.local_corrections,
  };
}

function named(name: string, text: string): Error {
  const error = new Error(text);
  error.name = name;
  return error;
}
