/** The decoder's worker: everything heavy, off the page's thread. */

import glue from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import * as ort from "onnxruntime-web/wasm";
import { Decoder, type ModelInfo } from "../../core/decoding/decoder";
import { readTensors } from "../../core/decoding/safetensors";
import type { Id, Prediction } from "../../core/types";
import type { Question, Reply } from "./messages";
import { DecoderGraphs, type Ort } from "./network";

/** Pictures whose features are kept: 2.4 MB each for `lite`. */
const MOST_PICTURES = 4;

const pictures = new Map<Id, Decoder>();
let opened: { readonly model: ModelInfo; readonly graphs: DecoderGraphs } | null = null;
/** onnxruntime-web runs one thing at a time. */
let queue: Promise<void> = Promise.resolve();

self.addEventListener("message", (event: MessageEvent<Question>) => {
  queue = queue.then(() => answer(event.data));
});

async function answer(question: Question): Promise<void> {
  const { number } = question;
  let reply: Reply;
  try {
    reply = { number, prediction: await done(question) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    reply = { number, error: name, text: message };
  }
  self.postMessage(reply);
}

async function done(question: Question): Promise<Prediction | null> {
  switch (question.kind) {
    case "model":
      ort.env.wasm.wasmPaths = { wasm, mjs: glue };
      // One thread answers in a tenth of a second; more of them never started up in Chromium's module workers.
      ort.env.wasm.numThreads = 1;
      opened = {
        model: question.model,
        graphs: await DecoderGraphs.open(ort as unknown as Ort, question.graphs, question.model.maskSize),
      };
      pictures.clear();
      return null;
    case "picture": {
      if (opened === null) throw new Error("no model has been opened");
      const network = await opened.graphs.on(readTensors(question.embedding));
      pictures.delete(question.picture);
      pictures.set(question.picture, new Decoder(opened.model, question.size, network));
      const [oldest] = pictures.keys();
      if (pictures.size > MOST_PICTURES && oldest !== undefined) pictures.delete(oldest);
      return null;
    }
    case "predict": {
      const decoder = pictures.get(question.picture);
      if (decoder === undefined) throw new Error("the picture has not been made ready");
      return decoder.predict(question.prompt, question.preview);
    }
  }
}
