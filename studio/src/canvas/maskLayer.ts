/**
 * All masks of the picture on one canvas that is larger than the stage.
 *
 * While the picture moves, the drawn canvas is moved along by a CSS transform, which costs nothing; behind it the masks
 * are drawn anew for the present camera, a few milliseconds a frame, and shown when they are complete. So a frame
 * takes as long with 5,000 masks as with five.
 */

import type { BoxXYXY, WindowMask } from "../core/types";
import type { Camera } from "../core/view";
import { pathOf } from "./paths";

export interface Masked {
  readonly mask: WindowMask;
}

export interface Style<T> {
  readonly colour: (object: T) => string;
  /** Opacity of the fills, 0 to 1. */
  readonly fill: number;
  readonly outlines: boolean;
}

export interface Content<T> extends Style<T> {
  /** In drawing order. */
  readonly objects: readonly T[];
}

/** The canvas reaches beyond the stage by this share of its sides, for what a motion brings into sight. */
const MARGIN = 0.25;
const SLICE_MILLISECONDS = 6;
const OUTLINE = 1.25;
const MOST_PIXEL_RATIO = 2;
/** More new objects than this are not worth drawing twice. */
const FRESH = 64;

interface Job<T> {
  readonly content: Content<T>;
  readonly camera: Camera;
  next: number;
}

export class MaskLayer<T extends Masked> {
  readonly canvas: HTMLCanvasElement;
  readonly #shown: CanvasRenderingContext2D;
  readonly #back: CanvasRenderingContext2D;
  #content: Content<T> | null = null;
  #camera: Camera | null = null;
  #drawn: { content: Content<T>; camera: Camera } | null = null;
  #job: Job<T> | null = null;
  #frame = 0;

  /** `completed` is called whenever a drawing is shown. */
  constructor(private readonly completed: () => void) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "stage-masks";
    this.canvas.style.cssText = "position:absolute;pointer-events:none;transform-origin:0 0";
    this.#shown = context(this.canvas);
    this.#back = context(document.createElement("canvas"));
  }

  show(content: Content<T>): void {
    this.#content = content;
    this.#schedule();
  }

  look(camera: Camera): void {
    this.#camera = camera;
    this.#place();
    this.#schedule();
  }

  /** Objects that the canvas does not show yet as they are; the overlay draws them in the meantime. */
  get fresh(): readonly T[] {
    if (!this.#content || !this.#drawn || this.#drawn.content.objects === this.#content.objects) return [];
    const drawn = new Set(this.#drawn.content.objects);
    const fresh = this.#content.objects.filter((object) => !drawn.has(object));
    return fresh.length <= FRESH ? fresh : [];
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    this.canvas.remove();
  }

  #schedule(): void {
    if (this.#frame === 0 && this.#isStale()) this.#frame = requestAnimationFrame(() => this.#work());
  }

  #isStale(): boolean {
    if (!this.#content || !this.#camera || this.#camera.width === 0) return false;
    return this.#drawn?.content !== this.#content || !sameCamera(this.#drawn.camera, this.#camera);
  }

  #work(): void {
    this.#frame = 0;
    if (!this.#content || !this.#camera) return;
    // A drawing of older content is pointless; one of an older camera is shown in its place meanwhile.
    if (this.#job?.content !== this.#content)
      this.#job = { content: this.#content, camera: this.#camera, next: 0 };
    if (this.#draw(this.#job)) this.#finish(this.#job);
    this.#schedule();
    if (this.#job !== null && this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#work());
  }

  /** Draws on for a few milliseconds; true when all is drawn. */
  #draw(job: Job<T>): boolean {
    const { canvas } = this.#back;
    const ratio = pixelRatio();
    const { camera, content } = job;
    if (job.next === 0) prepare(this.#back, camera, ratio);
    const scale = camera.scale * ratio;
    const [left, top] = [camera.x - canvas.width / 2 / scale, camera.y - canvas.height / 2 / scale];
    this.#back.setTransform(scale, 0, 0, scale, -left * scale, -top * scale);
    const sight: BoxXYXY = [left, top, left + canvas.width / scale, top + canvas.height / scale];
    const deadline = performance.now() + SLICE_MILLISECONDS;
    for (; job.next < content.objects.length; job.next++) {
      if (job.next % 8 === 7 && performance.now() > deadline) return false;
      const object = content.objects[job.next] as T;
      if (isSeen(object, sight)) drawObject(this.#back, object, content, scale / ratio);
    }
    return true;
  }

  #finish(job: Job<T>): void {
    const { canvas } = this.#back;
    if (this.canvas.width !== canvas.width || this.canvas.height !== canvas.height) {
      this.canvas.width = canvas.width;
      this.canvas.height = canvas.height;
    } else this.#shown.clearRect(0, 0, canvas.width, canvas.height);
    this.#shown.drawImage(canvas, 0, 0);
    this.#drawn = { content: job.content, camera: job.camera };
    this.#job = null;
    this.#place();
    this.completed();
  }

  /** Puts the drawn canvas where the present camera sees it. */
  #place(): void {
    if (!this.#drawn || !this.#camera) return;
    const [from, to] = [this.#drawn.camera, this.#camera];
    const [width, height] = [this.canvas.width / pixelRatio(), this.canvas.height / pixelRatio()];
    const factor = to.scale / from.scale;
    const x = (from.x - to.x) * to.scale + to.width / 2 - (width / 2) * factor;
    const y = (from.y - to.y) * to.scale + to.height / 2 - (height / 2) * factor;
    const { style } = this.canvas;
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.transform = `translate(${x}px, ${y}px) scale(${factor})`;
  }
}

export function pixelRatio(): number {
  return Math.min(globalThis.devicePixelRatio || 1, MOST_PIXEL_RATIO);
}

/** Fill and outline of one object; the context maps pixels of the picture, `scale` is CSS pixels each. */
export function drawObject<T extends Masked>(
  to: CanvasRenderingContext2D,
  object: T,
  { colour, fill, outlines }: Style<T>,
  scale: number,
): void {
  const { mask } = object;
  if (mask.width === 0) return;
  to.fillStyle = to.strokeStyle = colour(object);
  to.globalAlpha = fill;
  if (Math.max(mask.width, mask.height) * scale < 2) {
    to.globalAlpha = Math.max(fill, 0.6);
    to.fillRect(mask.x, mask.y, mask.width, mask.height);
  } else {
    const path = pathOf(mask);
    if (fill > 0) to.fill(path, "evenodd");
    if (outlines) {
      to.globalAlpha = 0.9;
      to.lineWidth = OUTLINE / scale;
      to.stroke(path);
    }
  }
  to.globalAlpha = 1;
}

function isSeen({ mask }: Masked, [x0, y0, x1, y1]: BoxXYXY): boolean {
  return mask.x < x1 && mask.y < y1 && mask.x + mask.width > x0 && mask.y + mask.height > y0;
}

function prepare(to: CanvasRenderingContext2D, camera: Camera, ratio: number): void {
  const width = Math.ceil(camera.width * (1 + 2 * MARGIN) * ratio);
  const height = Math.ceil(camera.height * (1 + 2 * MARGIN) * ratio);
  to.setTransform(1, 0, 0, 1, 0, 0);
  if (to.canvas.width !== width || to.canvas.height !== height) {
    to.canvas.width = width;
    to.canvas.height = height;
  } else to.clearRect(0, 0, width, height);
  to.lineJoin = "round";
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

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d");
  if (!found) throw new Error("this browser gives no 2D canvas");
  return found;
}
