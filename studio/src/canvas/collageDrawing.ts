/** Draws a collage: as it is on the screen with handles, and as the picture that is exported. */

import { cornersOf, knobOf, type Piece, type Sheet } from "../core/collage";
import type { Id } from "../core/types";

/** CSS pixels. */
export const HANDLE = 6;
export const KNOB = 28;

const FRAME = "#3ee0ff";
const HALO = "rgba(0, 0, 0, 0.65)";

type Pictures = ReadonlyMap<Id, ImageBitmap>;

/** The sheet at `scale` pixels of the canvas per pixel of the sheet; a transparent ground stays so. */
export function drawSheet(
  to: CanvasRenderingContext2D,
  sheet: Sheet,
  pictures: Pictures,
  scale: number,
): void {
  to.setTransform(scale, 0, 0, scale, 0, 0);
  to.clearRect(0, 0, sheet.width, sheet.height);
  to.imageSmoothingQuality = "high";
  if (sheet.background !== null) {
    to.fillStyle = sheet.background;
    to.fillRect(0, 0, sheet.width, sheet.height);
  }
  for (const piece of sheet.pieces) {
    const picture = pictures.get(piece.id);
    if (!picture) continue;
    to.save();
    to.translate(piece.x, piece.y);
    to.rotate((piece.angle * Math.PI) / 180);
    to.scale(piece.scale, piece.scale);
    to.drawImage(picture, -piece.width / 2, -piece.height / 2);
    to.restore();
  }
}

/** Frame, corners and knob of the chosen piece. `ratio`: pixels of the canvas per CSS pixel. */
export function drawHandles(to: CanvasRenderingContext2D, piece: Piece, scale: number, ratio: number): void {
  to.setTransform(1, 0, 0, 1, 0, 0);
  const corners = cornersOf(piece).map(([x, y]) => [x * scale, y * scale] as const);
  const knob = knobOf(piece, (KNOB * ratio) / scale);
  const [knobX, knobY] = [knob[0] * scale, knob[1] * scale];
  const [left, right] = [corners[0] as readonly [number, number], corners[1] as readonly [number, number]];
  for (const [colour, width] of [
    [HALO, 4],
    [FRAME, 1.75],
  ] as const) {
    to.strokeStyle = colour;
    to.lineWidth = width * ratio;
    to.beginPath();
    for (const [x, y] of corners) to.lineTo(x, y);
    to.closePath();
    to.moveTo((left[0] + right[0]) / 2, (left[1] + right[1]) / 2);
    to.lineTo(knobX, knobY);
    to.stroke();
  }
  to.fillStyle = "#ffffff";
  to.strokeStyle = "#000000";
  to.lineWidth = 1.25 * ratio;
  for (const [x, y] of [...corners, [knobX, knobY] as const]) {
    to.beginPath();
    to.arc(x, y, HANDLE * ratio, 0, 2 * Math.PI);
    to.fill();
    to.stroke();
  }
}

/** The collage as a PNG of the sheet's size. */
export async function exportSheet(sheet: Sheet, pictures: Pictures): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = sheet.width;
  canvas.height = sheet.height;
  const to = canvas.getContext("2d");
  if (!to) throw new Error("this browser gives no 2D canvas");
  drawSheet(to, sheet, pictures, 1);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob)
    throw new Error(`a picture of ${sheet.width} x ${sheet.height} pixels is too large for this browser`);
  return blob;
}
