import { describe, expect, it } from "vitest";
import type { WindowMask } from "../../src/core/types";
import { frameOf, maskPixels } from "../../src/ui/logic/thumbnail";

function mask(
  x: number,
  y: number,
  width: number,
  height: number,
  on: (i: number, j: number) => boolean = () => true,
): WindowMask {
  const bits = new Uint8Array(width * height);
  for (let j = 0; j < height; j += 1)
    for (let i = 0; i < width; i += 1) bits[j * width + i] = on(i, j) ? 1 : 0;
  return { x, y, width, height, bits };
}

describe("thumbnails of masks", () => {
  it("frame all masks, centred, with room, in the asked shape", () => {
    const frame = frameOf([mask(10, 20, 30, 10), mask(50, 0, 10, 10)], 2);
    if (!frame) throw new Error("no frame");
    expect(frame.width / frame.height).toBeCloseTo(2, 9);
    expect(frame.x).toBeLessThan(10);
    expect(frame.y).toBeLessThan(0);
    expect(frame.x + frame.width).toBeGreaterThan(60);
    expect(frame.y + frame.height).toBeGreaterThan(30);
    expect(frame.x + frame.width / 2).toBeCloseTo(35, 9);
    expect(frame.y + frame.height / 2).toBeCloseTo(15, 9);
    expect(frameOf([mask(0, 0, 0, 0)])).toBeNull();
  });

  it("show every pixel where it lies", () => {
    const checks = mask(3, 5, 4, 4, (i, j) => (i + j) % 2 === 0);
    const frame = { x: 1, y: 4, width: 8, height: 8 };
    const pixels = maskPixels(checks, frame, [8, 8], "#0a141e", 0.5);
    for (let y = 0; y < 8; y += 1) {
      for (let x = 0; x < 8; x += 1) {
        const [i, j] = [x + 1 - 3, y + 4 - 5];
        const on = i >= 0 && j >= 0 && i < 4 && j < 4 && (i + j) % 2 === 0;
        expect([...pixels.slice((y * 8 + x) * 4, (y * 8 + x) * 4 + 4)]).toEqual(
          on ? [10, 20, 30, 128] : [0, 0, 0, 0],
        );
      }
    }
  });

  it("scale down and up", () => {
    const block = mask(0, 0, 100, 100);
    const small = maskPixels(block, { x: 0, y: 0, width: 200, height: 200 }, [10, 10], "#ffffff");
    const opaque = [...Array(100).keys()].filter((index) => small[index * 4 + 3] === 255);
    expect(opaque).toEqual(
      [...Array(5).keys()].flatMap((row) => [...Array(5).keys()].map((column) => row * 10 + column)),
    );
  });
});
