/** Pointer events of the stage as what tools understand, and as moves of the camera: mouse, pen and fingers. */

import type { Pointer } from "../core/tools/tool";
import { type Camera, toImage } from "../core/view";

export interface PointerTarget {
  camera(): Camera;
  tool(event: { type: "down" | "move" | "up" | "double" } & Pointer): void;
  leave(): void;
  cancel(): void;
  pan(dx: number, dy: number): void;
  zoom(factor: number, at: readonly [number, number]): void;
  pull(from: readonly [number, number], to: readonly [number, number], factor: number): void;
}

/** CSS pixels a finger may move before it is no tap, and milliseconds in which a second finger makes it a pinch. */
const FINGER_SLACK = 6;
const FINGER_WAIT = 90;
const WHEEL_SPEED = 0.0016;
const LINE_HEIGHT = 16;

interface Finger {
  x: number;
  y: number;
}

export class StagePointer {
  readonly #fingers = new Map<number, Finger>();
  #panning: { id: number; x: number; y: number } | null = null;
  #using: number | null = null;
  /** A finger that has not shown yet whether it taps, draws or pinches. */
  #held: { event: PointerEvent; timer: ReturnType<typeof setTimeout> } | null = null;
  #space = false;
  readonly #ends = new AbortController();

  constructor(
    private readonly element: HTMLElement,
    private readonly target: PointerTarget,
  ) {
    const { signal } = this.#ends;
    element.style.touchAction = "none";
    element.addEventListener("pointerdown", (event) => this.#down(event), { signal });
    element.addEventListener("pointermove", (event) => this.#move(event), { signal });
    element.addEventListener("pointerup", (event) => this.#up(event), { signal });
    element.addEventListener("pointercancel", (event) => this.#lost(event), { signal });
    element.addEventListener("pointerleave", () => this.#using === null && target.leave(), { signal });
    element.addEventListener("dblclick", (event) => this.#double(event), { signal });
    element.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
    element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  }

  destroy(): void {
    this.#ends.abort();
    if (this.#held) clearTimeout(this.#held.timer);
  }

  /** While the space bar is held, the main button pans. */
  set space(held: boolean) {
    this.#space = held;
    this.element.classList.toggle("stage-grab", held);
  }

  #down(event: PointerEvent): void {
    if (event.pointerType === "mouse") event.preventDefault(); // no text selection, no autoscroll
    this.element.focus({ preventScroll: true }); // else Space would press the button that was used last
    this.element.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") this.#touch(event);
    else if (event.button === 1 || (this.#space && event.button === 0))
      this.#panning = { id: event.pointerId, x: event.clientX, y: event.clientY };
    else this.#begin(event);
  }

  #begin(event: PointerEvent): void {
    this.#using = event.pointerId;
    this.target.tool({ type: "down", ...this.#pointer(event) });
  }

  #touch(event: PointerEvent): void {
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#fingers.size === 1) {
      this.#held = { event, timer: setTimeout(() => this.#commitFinger(), FINGER_WAIT) };
      return;
    }
    if (this.#held) clearTimeout(this.#held.timer);
    else if (this.#using !== null) this.target.cancel();
    this.#held = null;
    this.#using = null;
  }

  #commitFinger(): void {
    const held = this.#held;
    this.#held = null;
    if (!held) return;
    clearTimeout(held.timer);
    this.#begin(held.event);
  }

  #move(event: PointerEvent): void {
    if (this.#panning?.id === event.pointerId) {
      this.#drag(event);
      return;
    }
    if (this.#fingers.has(event.pointerId) && this.#finger(event)) return;
    const drawing = this.#using === event.pointerId;
    const parts = drawing ? event.getCoalescedEvents() : [];
    for (const part of parts.length > 0 ? parts : [event])
      this.target.tool({ type: "move", ...this.#pointer(part, event) });
  }

  #drag(event: PointerEvent): void {
    const from = this.#panning;
    if (!from) return;
    this.target.pan(event.clientX - from.x, event.clientY - from.y);
    from.x = event.clientX;
    from.y = event.clientY;
  }

  /** Whether the finger belongs to a pinch, or has not shown yet what it is. */
  #finger(event: PointerEvent): boolean {
    const before = [...this.#fingers.values()].map((finger) => ({ ...finger }));
    const finger = this.#fingers.get(event.pointerId) as Finger;
    if (this.#held && Math.hypot(event.clientX - finger.x, event.clientY - finger.y) > FINGER_SLACK)
      this.#commitFinger();
    if (this.#held) return true;
    finger.x = event.clientX;
    finger.y = event.clientY;
    if (this.#fingers.size < 2) return false;
    this.#pinch(before, [...this.#fingers.values()]);
    return true;
  }

  #pinch(before: readonly Finger[], after: readonly Finger[]): void {
    const [was, is] = [middle(before), middle(after)];
    const factor = was.spread > 0 && is.spread > 0 ? is.spread / was.spread : 1;
    this.target.pull(this.#local(was.x, was.y), this.#local(is.x, is.y), factor);
  }

  #up(event: PointerEvent): void {
    if (this.#held?.event.pointerId === event.pointerId) this.#commitFinger();
    this.#fingers.delete(event.pointerId);
    if (this.#panning?.id === event.pointerId) this.#panning = null;
    else if (this.#using === event.pointerId) {
      this.#using = null;
      this.target.tool({ type: "up", ...this.#pointer(event) });
    }
  }

  #lost(event: PointerEvent): void {
    this.#fingers.delete(event.pointerId);
    if (this.#held) clearTimeout(this.#held.timer);
    this.#held = null;
    if (this.#panning?.id === event.pointerId) this.#panning = null;
    if (this.#using !== event.pointerId) return;
    this.#using = null;
    this.target.cancel();
  }

  #double(event: MouseEvent): void {
    this.target.tool({ type: "double", ...this.#pointer(event as PointerEvent) });
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_HEIGHT : 1;
    if (event.shiftKey && !event.ctrlKey) {
      this.target.pan(-(event.deltaX || event.deltaY) * unit, 0);
      return;
    }
    // A pinch on a touchpad comes as a wheel with Ctrl and small steps.
    const speed = event.ctrlKey ? 6 * WHEEL_SPEED : WHEEL_SPEED;
    this.target.zoom(Math.exp(-event.deltaY * unit * speed), this.#local(event.clientX, event.clientY));
  }

  #local(clientX: number, clientY: number): [number, number] {
    const box = this.element.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  }

  /** `keys`: the event that has the keys, because the parts of a move have not. */
  #pointer(event: PointerEvent, keys: PointerEvent = event): Pointer {
    const camera = this.target.camera();
    return {
      at: toImage(camera, ...this.#local(event.clientX, event.clientY)),
      button: keys.button === 2 || keys.buttons === 2 ? 2 : keys.button === 1 ? 1 : 0,
      alt: keys.altKey,
      shift: keys.shiftKey,
      ctrl: keys.ctrlKey || keys.metaKey,
      pressure: event.pressure || 0.5,
      scale: camera.scale,
    };
  }
}

function middle(fingers: readonly Finger[]): Finger & { spread: number } {
  const [one, other] = [fingers[0] as Finger, fingers[1] as Finger];
  return {
    x: (one.x + other.x) / 2,
    y: (one.y + other.y) / 2,
    spread: Math.hypot(one.x - other.x, one.y - other.y),
  };
}
