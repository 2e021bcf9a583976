/** `anymask studio` as a process of its own, over a folder of the example pictures. */

import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../..");
const PICTURES = ["astronaut.jpg", "chelsea.jpg", "coffee.jpg", "flower.jpg"];
const START_MILLISECONDS = 120_000;

export interface ServerOptions {
  /** Of examples/; all four unless said otherwise. */
  readonly pictures?: readonly string[];
  /** Further options of the command. */
  readonly options?: readonly string[];
}

/** A folder of pictures with a studio over it, which can be killed and started again at the same address. */
export class StudioServer {
  readonly address: string;
  #process: ChildProcess | null = null;
  #said = "";

  private constructor(
    readonly folder: string,
    private readonly port: number,
    private readonly options: readonly string[],
  ) {
    this.address = `http://127.0.0.1:${port}`;
  }

  static async start({ pictures = PICTURES, options = [] }: ServerOptions = {}): Promise<StudioServer> {
    const folder = join(mkdtempSync(join(tmpdir(), "anymask-studio-")), "photos");
    mkdirSync(folder);
    for (const picture of pictures) copyFileSync(join(ROOT, "examples", picture), join(folder, picture));
    const server = new StudioServer(folder, await freePort(), options);
    await server.start();
    return server;
  }

  /** What it printed so far. */
  get said(): string {
    return this.#said;
  }

  async start(): Promise<void> {
    const python = process.env["ANYMASK_PYTHON"] ?? join(ROOT, ".venv/bin/python");
    const options = ["--port", String(this.port), "--no-browser", "--threads", "1", ...this.options];
    const child = spawn(python, ["-m", "anymask", "studio", this.folder, ...options], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (part: Buffer) => {
        this.#said += part.toString();
      });
    await this.#answers(child);
  }

  /** As a power cut would: nothing is finished, nothing said. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGINT");
    rmSync(dirname(this.folder), { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    const hurry = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await ended;
    clearTimeout(hurry);
  }

  async #answers(child: ChildProcess): Promise<void> {
    const end = Date.now() + START_MILLISECONDS;
    while (Date.now() < end) {
      if (child.exitCode !== null) throw new Error(`the studio ended at once: ${this.#said}`);
      const answer = await fetch(`${this.address}/api/v1/me`).catch(() => null);
      if (answer?.ok || answer?.status === 401) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`the studio does not answer: ${this.#said}`);
  }
}

/** The browser's program. */
export function chromium(): string {
  const named = process.env["CHROMIUM"];
  const found = [named, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
    (path) => path !== undefined && existsSync(path),
  );
  if (found === undefined)
    throw new Error("Chromium is not on this machine; apt-get install chromium, or set CHROMIUM");
  return found;
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const listener = createServer();
    listener.once("error", fail);
    listener.listen(0, "127.0.0.1", () => {
      const address = listener.address();
      listener.close(() =>
        typeof address === "object" && address !== null ? done(address.port) : fail(new Error("no port")),
      );
    });
  });
}
