/**
 * All masks of the picture on one canvas that is larger than the stage.
 *
 * A worker draws it. While the picture moves, what was drawn last is moved along by a CSS transform, and the worker
 * draws anew for the camera as it is by then. So a frame takes as long with 5,000 masks as with five.
 */

import type { WindowMask } from "../core/types";
import type { Camera } from "../core/view";
import type { Drawn, ToWorker } from "./maskMessages";
import type { Look } from "./painting";

export interface Content<T> extends Look {
  /** In drawing order. */
  readonly objects: readonly T[];
  readonly colour: (object: T) => string;
}

/** The canvas reaches beyond the stage by this share of its sides, for what a motion brings into sight. */
const MARGIN = 0.25;
const MOST_PIXEL_RATIO = 2;
/** More new objects than this are not worth drawing twice. */
const FRESH = 64;

interface Frame<T> {
  readonly content: Content<T>;
  readonly camera: Camera;
}

export class MaskLayer<T extends { readonly mask: WindowMask }> {
  readonly canvas: HTMLCanvasElement;
  readonly #to: ImageBitmapRenderingContext;
  readonly #worker: Worker;
  readonly #keys = new Map<WindowMask, number>();
  #lastKey = 0;
  #content: Content<T> | null = null;
  #camera: Camera | null = null;
  /** What the canvas shows. */
  #shown: Frame<T> | null = null;
  /** What the worker draws now. */
  #asked: Frame<T> | null = null;
  #fresh: readonly T[] = [];

  /** `completed` is called whenever a drawing is shown. */
  constructor(private readonly completed: () => void) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "stage-masks";
    this.canvas.style.cssText =
      "position:absolute;left:0;top:0;pointer-events:none;transform-origin:0 0;will-change:transform";
    this.canvas.hidden = true;
    const context = this.canvas.getContext("bitmaprenderer");
    if (!context) throw new Error("this browser shows no bitmaps on a canvas");
    this.#to = context;
    this.#worker = new Worker(new URL("./maskWorker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Drawn>) => this.#show(data);
  }

  show(content: Content<T>): void {
    this.#content = content;
    this.#tell(content);
    this.#compare();
    this.#draw();
  }

  look(camera: Camera): void {
    this.#camera = camera;
    this.#place();
    this.#draw();
  }

  /** Objects that the canvas does not show yet as they are; the overlay draws them in the meantime. */
  get fresh(): readonly T[] {
    return this.#fresh;
  }

  destroy(): void {
    this.#worker.terminate();
    this.canvas.remove();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Tells the worker which masks came and went, and the order. */
  #tell({ objects, colour }: Content<T>): void {
    const put: [number, WindowMask][] = [];
    const gone = new Map(this.#keys);
    const order = new Int32Array(objects.length);
    for (const [index, { mask }] of objects.entries()) {
      let key = this.#keys.get(mask);
      if (key === undefined) {
        key = ++this.#lastKey;
        this.#keys.set(mask, key);
        put.push([key, mask]);
      } else gone.delete(mask);
      order[index] = key;
    }
    for (const mask of gone.keys()) this.#keys.delete(mask);
    this.#send({ type: "show", put, drop: [...gone.values()], order, colours: objects.map(colour) });
  }

  /** Asks for a drawing, unless one is under way or the canvas is as it should be. */
  #draw(): void {
    const [content, camera] = [this.#content, this.#camera];
    if (this.#asked || !content || !camera || camera.width === 0) return;
    if (this.#shown?.content === content && sameCamera(this.#shown.camera, camera)) return;
    if (content.objects.length === 0) {
      // A hidden canvas costs the browser nothing, an empty one a copy at every change.
      this.canvas.hidden = true;
      this.#shown = { content, camera };
      this.#compare();
      return;
    }
    this.#asked = { content, camera };
    const { fill, outlines } = content;
    this.#send({ type: "draw", camera, margin: MARGIN, ratio: pixelRatio(), look: { fill, outlines } });
  }

  #show({ bitmap }: Drawn): void {
    const asked = this.#asked;
    this.#asked = null;
    const { style } = this.canvas;
    style.width = `${bitmap.width / pixelRatio()}px`;
    style.height = `${bitmap.height / pixelRatio()}px`;
    this.#to.transferFromImageBitmap(bitmap);
    this.canvas.hidden = false;
    this.#shown = asked;
    this.#compare();
    this.#place();
    this.#draw();
    this.completed();
  }

  #compare(): void {
    const [wanted, shown] = [this.#content?.objects ?? [], this.#shown?.content.objects ?? []];
    if (wanted === shown) this.#fresh = [];
    else {
      const drawn = new Set(shown);
      const fresh = wanted.filter((object) => !drawn.has(object));
      this.#fresh = fresh.length <= FRESH ? fresh : [];
    }
  }

  /** Puts the drawn canvas where the present camera sees it. */
  #place(): void {
    if (!this.#shown || !this.#camera) return;
    const [from, to] = [this.#shown.camera, this.#camera];
    const factor = to.scale / from.scale;
    const [width, height] = [from.width * (1 + 2 * MARGIN), from.height * (1 + 2 * MARGIN)];
    const x = (from.x - to.x) * to.scale + to.width / 2 - (width / 2) * factor;
    const y = (from.y - to.y) * to.scale + to.height / 2 - (height / 2) * factor;
    this.canvas.style.transform = `translate(${x}px, ${y}px) scale(${factor})`;
  }
}

export function pixelRatio(): number {
  return Math.min(globalThis.devicePixelRatio || 1, MOST_PIXEL_RATIO);
}

function sameCamera(one: Camera, other: Camera): boolean {
  return (
    one.x === other.x &&
    one.y === other.y &&
    one.scale === other.scale &&
    one.width === other.width &&
    one.height === other.height
  );
}
