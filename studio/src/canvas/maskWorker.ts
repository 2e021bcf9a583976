/** Draws all masks of a picture away from the page's thread, so that the page stays smooth with thousands of them. */

import type { WindowMask } from "../core/types";
import type { DrawMessage, Drawn, ShowMessage, ToWorker } from "./maskMessages";
import { drawMask } from "./painting";

interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: Drawn, transfer: Transferable[]): void;
}

const scope = self as unknown as WorkerScope;
const masks = new Map<number, WindowMask>();
let order = new Int32Array();
let colours: readonly string[] = [];
const canvas = new OffscreenCanvas(1, 1);

scope.onmessage = ({ data }) => {
  if (data.type === "show") show(data);
  else draw(data);
};

function show(message: ShowMessage): void {
  for (const key of message.drop) masks.delete(key);
  for (const [key, mask] of message.put) masks.set(key, mask);
  order = message.order as Int32Array<ArrayBuffer>;
  colours = message.colours;
}

function draw({ camera, margin, ratio, look }: DrawMessage): void {
  const width = Math.max(1, Math.round(camera.width * (1 + 2 * margin) * ratio));
  const height = Math.max(1, Math.round(camera.height * (1 + 2 * margin) * ratio));
  canvas.width = width;
  canvas.height = height;
  const to = canvas.getContext("2d");
  if (!to) throw new Error("this browser gives workers no 2D canvas");
  const scale = camera.scale * ratio;
  const [left, top] = [camera.x - width / scale / 2, camera.y - height / scale / 2];
  const [right, bottom] = [left + width / scale, top + height / scale];
  to.setTransform(scale, 0, 0, scale, -left * scale, -top * scale);
  to.lineJoin = "round";
  for (let i = 0; i < order.length; i++) {
    const mask = masks.get(order[i] as number);
    if (!mask || mask.x >= right || mask.y >= bottom) continue;
    if (mask.x + mask.width <= left || mask.y + mask.height <= top) continue;
    drawMask(to, mask, colours[i] as string, look, camera.scale);
  }
  const bitmap = canvas.transferToImageBitmap();
  scope.postMessage({ bitmap }, [bitmap]);
}
