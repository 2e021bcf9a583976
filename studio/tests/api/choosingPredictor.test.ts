/** Who is asked: the browser's decoder or the server, and what happens when one of them fails. */

import { describe, expect, test } from "vitest";
import { BrowserPredictor, type WorkerLike } from "../../src/api/browser/browserPredictor";
import {
  type ChoosingOptions,
  ChoosingPredictor,
  type DecoderPlace,
  type EmbeddingPredictor,
} from "../../src/api/browser/choosingPredictor";
import type { Question, Reply } from "../../src/api/browser/messages";
import { ApiError } from "../../src/api/http";
import type { Prediction, Prompt } from "../../src/core/types";
import { predicted } from "../core/toolHand";

const PICTURE = { id: "a".repeat(32), width: 200, height: 100 };
const CLICK: Prompt = { points: [[10, 20, 1]] };

/** A server that remembers what it was asked. */
class FakeServer implements EmbeddingPredictor {
  readonly asked: Prompt[] = [];
  readonly recorded: { prompt: Prompt; id: string }[] = [];
  forgets = false;
  model = "m1";

  async prepare(): Promise<void> {}
  async embed() {
    return { model_sha256: this.model };
  }
  async predict(_picture: unknown, prompt: Prompt): Promise<Prediction> {
    this.asked.push(prompt);
    if (this.forgets && prompt.previous) throw new ApiError(404, "unknown_prediction", "no longer");
    return predicted(`server-${this.asked.length}`, 3);
  }
  async predictBoxes(_picture: unknown, boxes: readonly unknown[]): Promise<readonly Prediction[]> {
    return boxes.map(() => predicted("box"));
  }
  async record(_picture: unknown, prompt: Prompt, { id }: { id: string }): Promise<void> {
    this.recorded.push({ prompt, id });
  }
}

/** A browser's decoder without a worker. */
class FakeBrowser {
  readonly asked: Prompt[] = [];
  closed = false;
  error: Error | null = null;
  ready = false;

  constructor(readonly model: string) {}

  has(): boolean {
    return this.ready && !this.closed;
  }
  close(): void {
    this.closed = true;
  }
  async prepare(): Promise<void> {
    if (this.error) throw this.error;
    this.ready = true;
  }
  async predict(_picture: unknown, prompt: Prompt): Promise<Prediction> {
    this.asked.push(prompt);
    if (this.error) throw this.error;
    return predicted(`browser-${this.asked.length}`, 3);
  }
  async predictBoxes(_picture: unknown, boxes: readonly unknown[]): Promise<readonly Prediction[]> {
    if (this.error) throw this.error;
    return boxes.map((_, i) => predicted(`browser-box-${i}`));
  }
}

function chosen(place: DecoderPlace, options: Partial<ChoosingOptions> = {}) {
  const server = new FakeServer();
  const browsers: FakeBrowser[] = [];
  const makeBrowser = (model: string) => {
    const browser = new FakeBrowser(model);
    browsers.push(browser);
    return browser as unknown as BrowserPredictor;
  };
  const predictor = new ChoosingPredictor(server, {
    place: () => place,
    isLocal: false,
    makeBrowser,
    ...options,
  });
  return { server, browsers, predictor };
}

/** Lets what runs beside go on. */
async function settled(): Promise<void> {
  await new Promise((done) => setTimeout(done, 0));
}

async function prepared(place: DecoderPlace, options: Partial<ChoosingOptions> = {}) {
  const made = chosen(place, options);
  await made.predictor.prepare(PICTURE);
  await settled();
  return { ...made, browser: made.browsers[0] as FakeBrowser };
}

describe("who answers", () => {
  test.each<[DecoderPlace, boolean, "browser" | "server"]>([
    ["auto", true, "server"],
    ["auto", false, "browser"],
    ["browser", true, "browser"],
    ["server", false, "server"],
  ])("wanted %s, server on this machine %s: the %s", async (place, isLocal, who) => {
    const heard: string[] = [];
    const { predictor, server } = await prepared(place, { isLocal, answered: (by) => heard.push(by) });
    await predictor.predict(PICTURE, CLICK);
    expect(heard).toEqual([who]);
    expect(server.asked).toHaveLength(who === "server" ? 1 : 0);
  });

  test("the server, while the browser is not ready", async () => {
    const { predictor, server } = chosen("browser");
    await predictor.predict(PICTURE, CLICK);
    expect(server.asked).toEqual([CLICK]);
  });

  test("what the browser answered is written down, previews are not", async () => {
    const { predictor, server } = await prepared("browser");
    await predictor.predict(PICTURE, CLICK);
    await predictor.predictBoxes(PICTURE, [[1, 2, 3, 4]]);
    expect(server.recorded).toEqual([
      { prompt: CLICK, id: "browser-1" },
      { prompt: { box: [1, 2, 3, 4] }, id: "browser-box-0" },
    ]);
  });

  test("another model gets a new worker", async () => {
    const { predictor, server, browsers } = await prepared("browser");
    server.model = "m2";
    await predictor.prepare(PICTURE);
    await settled();
    expect(browsers.map(({ model, closed }) => [model, closed])).toEqual([
      ["m1", true],
      ["m2", false],
    ]);
  });
});

describe("failures go unseen", () => {
  test("the server is asked in its place, with the mask of what the browser had answered", async () => {
    const { predictor, server, browser } = await prepared("browser");
    const first = await predictor.predict(PICTURE, CLICK);
    browser.error = new Error("out of memory");
    const refined: Prompt = { ...CLICK, previous: { prediction: first.id ?? "", candidate: 1 } };
    const second = await predictor.predict(PICTURE, refined);
    expect(second.id).toBe("server-1");
    expect(server.asked).toEqual([{ ...CLICK, mask: first.candidates[1]?.mask }]);
    expect(browser.closed).toBe(true);
  });

  test("the next picture gets a new worker, up to three", async () => {
    const { predictor, browsers, browser } = await prepared("browser");
    browser.error = new Error("broken");
    await predictor.predict(PICTURE, CLICK);
    for (let i = 0; i < 5; i++) {
      await predictor.prepare(PICTURE);
      await settled();
      const last = browsers.at(-1) as FakeBrowser;
      last.error = new Error("broken");
      await predictor.predict(PICTURE, CLICK);
    }
    expect(browsers).toHaveLength(3);
  });

  test("a prompt that cannot be meant is the server's to refuse, and no failure", async () => {
    const { predictor, browser, server } = await prepared("browser");
    browser.error = Object.assign(new Error("no"), { name: "PromptError" });
    await predictor.predict(PICTURE, CLICK);
    expect(server.asked).toHaveLength(1);
    expect(browser.closed).toBe(false);
  });

  test("what the server answered goes to the browser as its mask", async () => {
    const { predictor, browser } = chosenAndLate();
    const first = await predictor.predict(PICTURE, CLICK);
    await predictor.prepare(PICTURE);
    await settled();
    await predictor.predict(PICTURE, { ...CLICK, previous: { prediction: first.id ?? "", candidate: 0 } });
    expect(browser().asked).toEqual([{ ...CLICK, mask: first.candidates[0]?.mask }]);
  });

  test("what the server forgot is sent as its mask", async () => {
    const { predictor, server } = chosen("server");
    const first = await predictor.predict(PICTURE, CLICK);
    server.forgets = true;
    await predictor.predict(PICTURE, { ...CLICK, previous: { prediction: first.id ?? "", candidate: 2 } });
    expect(server.asked.at(-1)).toEqual({ ...CLICK, mask: first.candidates[2]?.mask });
  });

  test("other errors of the server are the caller's", async () => {
    const { predictor, server } = chosen("server");
    server.predict = async () => {
      throw new ApiError(422, "unusable", "no");
    };
    await expect(predictor.predict(PICTURE, CLICK)).rejects.toThrow("no");
  });

  function chosenAndLate() {
    const made = chosen("browser");
    return { ...made, browser: () => made.browsers[0] as FakeBrowser };
  }
});

describe("the worker", () => {
  class FakeWorker implements WorkerLike {
    readonly questions: Question[] = [];
    terminated = false;
    private readonly listeners = new Map<string, (event: never) => void>();

    postMessage(question: Question): void {
      this.questions.push(question);
    }
    terminate(): void {
      this.terminated = true;
    }
    addEventListener(type: string, listen: (event: never) => void): void {
      this.listeners.set(type, listen);
    }
    say(data: Reply): void {
      this.listeners.get("message")?.({ data } as never);
    }
    break(): void {
      this.listeners.get("messageerror")?.({} as never);
    }
  }

  test("answers are matched by number, errors keep their name", async () => {
    const worker = new FakeWorker();
    const browser = new BrowserPredictor("m", () => worker);
    const [one, other] = [browser.predict(PICTURE, CLICK), browser.predict(PICTURE, CLICK)];
    const answer = predicted("p");
    worker.say({ number: 2, prediction: answer });
    worker.say({ number: 1, error: "PromptError", text: "empty" });
    expect(await other).toBe(answer);
    await expect(one).rejects.toMatchObject({ name: "PromptError", message: "empty" });
  });

  test("once it broke all that waited fails, it ends, and it is of no further use", async () => {
    const worker = new FakeWorker();
    const browser = new BrowserPredictor("m", () => worker);
    const waiting = browser.predict(PICTURE, CLICK);
    worker.break();
    await expect(waiting).rejects.toMatchObject({ name: "WorkerFailure" });
    await expect(browser.predict(PICTURE, CLICK)).rejects.toMatchObject({ name: "WorkerFailure" });
    expect(worker.terminated).toBe(true);
    expect(browser.has(PICTURE.id)).toBe(false);
  });
});
