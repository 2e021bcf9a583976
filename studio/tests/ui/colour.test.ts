import { describe, expect, it } from "vitest";
import { contrast, inkOn, isHexColour, luminance } from "../../src/ui/logic/colour";
import { SWATCHES } from "../../src/ui/logic/labels";
import { theme, variables } from "../../src/ui/theme";

describe("colours", () => {
  it("agrees with WCAG's examples", () => {
    expect(luminance("#ffffff")).toBeCloseTo(1, 6);
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 6);
    expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
    expect(contrast("#ffffff", "#777777")).toBe(contrast("#777777", "#ffffff"));
  });

  it("writes readably on any colour", () => {
    for (let value = 0; value < 0xffffff; value += 4099) {
      const colour = `#${value.toString(16).padStart(6, "0")}`;
      expect(contrast(colour, inkOn(colour))).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("knows colours from other text", () => {
    expect(["#12ab9F", "#fff", "red", "#12345g", "x#123456"].map(isHexColour)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it("offers different label colours that show on dark and light grounds", () => {
    expect(new Set(SWATCHES).size).toBe(SWATCHES.length);
    for (const swatch of SWATCHES) expect(contrast(swatch, "#0d0e10")).toBeGreaterThan(3);
  });
});

describe.each(["light", "dark"] as const)("the %s theme", (scheme) => {
  const all = variables({} as Parameters<typeof variables>[0])[scheme] as Readonly<Record<string, string>>;
  const colour = (name: string) => all[name] as string;

  it.each(["--studio-ground", "--studio-panel", "--studio-raised"])(
    "has readable quiet text on %s",
    (ground) => {
      for (const ink of ["--mantine-color-dimmed", "--mantine-color-error", "--mantine-color-placeholder"])
        expect(contrast(colour(ink), colour(ground))).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(["good", "warn", "bad"])("has a readable %s badge", (tone) => {
    expect(contrast(colour(`--studio-${tone}`), colour(`--studio-${tone}-ground`))).toBeGreaterThanOrEqual(
      4.5,
    );
    expect(contrast(colour(`--studio-${tone}`), colour("--studio-panel"))).toBeGreaterThanOrEqual(4.5);
  });

  it("has readable text on what is active, and quiet text on what is hovered", () => {
    expect(contrast(colour("--studio-active-ink"), colour("--studio-active"))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colour("--mantine-color-dimmed"), colour("--studio-hover"))).toBeGreaterThanOrEqual(4.5);
  });

  it("has white on the accent, and an accent that shows on panels", () => {
    const accent = theme.colors?.["azure"]?.[6] as string;
    expect(contrast("#ffffff", accent)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(accent, colour("--studio-panel"))).toBeGreaterThanOrEqual(3);
  });
});
