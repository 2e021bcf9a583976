import { describe, expect, it } from "vitest";
import { gridMove, gridShape } from "../../src/ui/logic/grid";

describe("the gallery's grid", () => {
  it.each([0, 1, 189, 190, 391, 392, 1334, 5000])("fills a width of %d pixels", (width) => {
    const { columns, rows, cell } = gridShape(width, 100, 190, 12);
    expect(columns).toBeGreaterThanOrEqual(1);
    expect(rows).toBe(Math.ceil(100 / columns));
    if (width >= 190) {
      expect(cell).toBeGreaterThanOrEqual(190);
      expect(columns * cell + (columns - 1) * 12).toBeLessThanOrEqual(width);
      expect((columns + 1) * 190 + columns * 12).toBeGreaterThan(width);
    }
  });

  it("moves by keys and stops at the edges", () => {
    const move = (key: string, from: number) => gridMove(key, from, 10, 4);
    expect([move("ArrowRight", 3), move("ArrowLeft", 4), move("ArrowDown", 1), move("ArrowUp", 5)]).toEqual([
      4, 3, 5, 1,
    ]);
    expect([move("ArrowLeft", 0), move("ArrowRight", 9), move("ArrowUp", 2)]).toEqual([0, 9, 2]);
    expect([move("Home", 7), move("End", 2)]).toEqual([0, 9]);
  });

  it("goes down to the last picture where the last row is short, and no further", () => {
    expect(gridMove("ArrowDown", 7, 10, 4)).toBe(9);
    expect(gridMove("ArrowDown", 8, 10, 4)).toBe(8);
  });

  it("leaves other keys and empty grids alone", () => {
    expect(gridMove("a", 1, 10, 4)).toBeNull();
    expect(gridMove("ArrowDown", 0, 0, 4)).toBeNull();
  });
});
