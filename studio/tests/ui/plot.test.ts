import { describe, expect, it } from "vitest";
import { daysBetween, linePath, position, ticks } from "../../src/ui/logic/plot";
import { dayLines } from "../../src/ui/logic/progress";

describe("plots", () => {
  it.each([0.3, 1, 4, 7.5, 10, 34, 99.9, 1234])("ticks up to %f are round, even, and reach it", (top) => {
    const marks = ticks(top);
    const step = (marks[1] ?? 0) - (marks[0] ?? 0);
    expect(marks[0]).toBe(0);
    expect(marks.at(-1)).toBeGreaterThanOrEqual(top);
    expect(marks.at(-1)).toBeLessThan(top + step);
    expect(marks.length).toBeLessThanOrEqual(6);
    expect([1, 2, 5]).toContain(Number((step / 10 ** Math.floor(Math.log10(step) + 1e-9)).toFixed(6)));
  });

  it("has ticks where there is nothing to show", () => {
    expect(ticks(0)).toEqual([0, 1]);
    expect(ticks(Number.NaN)).toEqual([0, 1]);
  });

  it("places values, a lone one in the middle", () => {
    expect(position({ domain: [0, 10], range: [100, 0] }, 2.5)).toBe(75);
    expect(position({ domain: [3, 3], range: [0, 10] }, 3)).toBe(5);
  });

  it("draws points in the order of x", () => {
    const scale = { domain: [0, 10], range: [0, 100] } as const;
    const points = [
      { x: 10, y: 0 },
      { x: 0, y: 10 },
    ];
    expect(
      linePath(points, { ...scale, domain: [0, 10], range: [0, 100] }, { domain: [0, 10], range: [50, 0] }),
    ).toBe("M0 0L100 50");
  });

  it("knows all days between, over months and clock changes", () => {
    expect(daysBetween(["2026-03-30", "2026-03-28", "2026-03-28"])).toEqual([
      "2026-03-28",
      "2026-03-29",
      "2026-03-30",
    ]);
    expect(daysBetween(["2025-12-31", "2026-01-01"])).toEqual(["2025-12-31", "2026-01-01"]);
    expect(daysBetween([])).toEqual([]);
  });

  it("has a line a person, without days on which nothing was made", () => {
    const day = (user_id: string, name: string, on: string, seconds_per_mask: number | null) => ({
      user_id,
      name,
      day: on,
      masks: 2,
      seconds: 20,
      prompts: 3,
      seconds_per_mask,
    });
    const lines = dayLines([
      day("2", "Zoe", "2026-01-01", 12),
      day("1", "Ada", "2026-01-01", null),
      day("1", "Ada", "2026-01-02", 8),
      day("3", "Idle", "2026-01-02", null),
    ]);
    expect(lines.map(({ name, points }) => [name, points.map(({ day, value }) => [day, value])])).toEqual([
      ["Ada", [["2026-01-02", 8]]],
      ["Zoe", [["2026-01-01", 12]]],
    ]);
    expect(new Set(lines.map(({ colour }) => colour)).size).toBe(2);
  });
});
