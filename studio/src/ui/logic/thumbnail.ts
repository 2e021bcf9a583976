import type { WindowMask } from "../../core/types";

/** A part of the picture's plane, pixels; may reach beyond the picture. */
export interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

const MARGIN = 0.12;

/** The frame of one aspect (width / height) that holds all masks with some room round them; null if all are empty. */
export function frameOf(masks: readonly WindowMask[], aspect = 1): Frame | null {
  const present = masks.filter((mask) => mask.width > 0);
  if (present.length === 0) return null;
  const left = Math.min(...present.map((mask) => mask.x));
  const top = Math.min(...present.map((mask) => mask.y));
  const right = Math.max(...present.map((mask) => mask.x + mask.width));
  const bottom = Math.max(...present.map((mask) => mask.y + mask.height));
  const height = Math.max((right - left) / aspect, bottom - top) * (1 + 2 * MARGIN);
  const width = height * aspect;
  return { x: (left + right - width) / 2, y: (top + bottom - height) / 2, width, height };
}

/** RGBA pixels (width x height) of the part of a mask that lies in a frame, in one colour (#rrggbb) and opacity 0 to 1. */
export function maskPixels(
  mask: WindowMask,
  frame: Frame,
  [width, height]: readonly [number, number],
  colour: string,
  opacity = 1,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(width * height * 4);
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) =>
    Number.parseInt(colour.slice(start, start + 2), 16),
  );
  const alpha = Math.round(opacity * 255);
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(frame.y + ((y + 0.5) * frame.height) / height) - mask.y;
    if (row < 0 || row >= mask.height) continue;
    for (let x = 0; x < width; x += 1) {
      const column = Math.floor(frame.x + ((x + 0.5) * frame.width) / width) - mask.x;
      if (column < 0 || column >= mask.width || mask.bits[row * mask.width + column] !== 1) continue;
      pixels.set([red, green, blue, alpha], (y * width + x) * 4);
    }
  }
  return pixels;
}
