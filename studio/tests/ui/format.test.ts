import { describe, expect, it } from "vitest";
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatSeconds,
  initials,
  percent,
  plural,
} from "../../src/ui/logic/format";

describe("what people read", () => {
  it.each([
    [0, "0.0 s"],
    [8.44, "8.4 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [125, "2 min 5 s"],
    [119.7, "2 min"],
    [3600, "1 h"],
    [11_400, "3 h 10 min"],
    [86_400 * 2, "2 days"],
    [Number.NaN, "–"],
    [-1, "–"],
  ])("%f seconds are %s", (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  it.each([
    [0, "0 bytes"],
    [999, "999 bytes"],
    [1000, "1.0 kB"],
    [1_234_567, "1.2 MB"],
    [250_000_000, "250 MB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it("counts things", () => {
    expect([plural(0, "mask"), plural(1, "mask"), plural(1234, "mask")]).toEqual([
      "0 masks",
      "1 mask",
      "1,234 masks",
    ]);
    expect(plural(2, "person", "people")).toBe("2 people");
    expect(formatCount(1e6)).toBe("1,000,000");
  });

  it("never says 100 % before all is done", () => {
    expect([percent(999, 1000), percent(1000, 1000), percent(0, 0), percent(1, 3)]).toEqual([99, 100, 0, 33]);
  });

  it("tells how long ago something was", () => {
    const now = Date.parse("2026-01-02T12:00:00Z");
    expect(formatAgo("2026-01-02T11:59:40Z", now)).toBe("just now");
    expect(formatAgo("2026-01-02T11:15:00Z", now)).toBe("45 min ago");
    expect(formatAgo("2026-01-02T09:00:00Z", now)).toBe("3 h ago");
    expect(formatAgo("2025-12-24T09:00:00.123Z", now)).toBe("2025-12-24");
    expect(formatAgo("not a time", now)).toBe("not a time");
  });

  it("shortens names", () => {
    expect([
      initials("Ada Lovelace"),
      initials(" ada "),
      initials("A. B. C."),
      initials("é"),
      initials(""),
    ]).toEqual(["AL", "A", "AC", "É", "?"]);
  });
});
