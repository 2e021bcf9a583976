import type { WindowMask } from "../../core/types";

const MARGIN = 0.06;

/** RGBA pixels (size x size) of a mask's shape in one colour, centred, its long side filling the square but a margin. */
export function thumbnailPixels(
  mask: WindowMask,
  size: number,
  colour: string,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(size * size * 4);
  const longest = Math.max(mask.width, mask.height);
  if (longest === 0) return pixels;
  const [red, green, blue] = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
  const step = longest / (size * (1 - 2 * MARGIN));
  const left = (mask.width - size * step) / 2;
  const top = (mask.height - size * step) / 2;
  for (let y = 0; y < size; y += 1) {
    const row = Math.floor(top + (y + 0.5) * step);
    if (row < 0 || row >= mask.height) continue;
    for (let x = 0; x < size; x += 1) {
      const column = Math.floor(left + (x + 0.5) * step);
      if (column < 0 || column >= mask.width || mask.bits[row * mask.width + column] !== 1) continue;
      pixels.set([red ?? 0, green ?? 0, blue ?? 0, 255], (y * size + x) * 4);
    }
  }
  return pixels;
}
