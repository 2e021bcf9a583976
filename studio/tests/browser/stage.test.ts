/** The stage itself: how the picture moves under mouse and fingers, and what is drawn where. */

import type { CDPSession, Page } from "playwright-core";
import { describe, expect } from "vitest";
import { test } from "./fixtures";
import type { Studio } from "./studio";

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Fingers on the page, each at a place. */
async function touch(
  session: CDPSession,
  type: "Start" | "Move" | "End",
  places: readonly Place[],
): Promise<void> {
  const touchPoints = places.map(({ x, y }, id) => ({ x: Math.round(x), y: Math.round(y), id }));
  await session.send("Input.dispatchTouchEvent", { type: `touch${type}`, touchPoints });
}

async function zoom(studio: Studio): Promise<number> {
  await studio.page.waitForTimeout(400); // the motion is not an animation of the document
  return await studio.state((state) => state.zoom);
}

/** What the page shows at a place of the window: a picture of one pixel, good for comparing. */
async function pixelAt(page: Page, { x, y }: Place): Promise<string> {
  const clip = { x: Math.round(x), y: Math.round(y), width: 1, height: 1 };
  return (await page.screenshot({ clip })).toString("base64");
}

describe("the camera", () => {
  test("the wheel zooms round the cursor", async ({ studio }) => {
    await studio.open("coffee.jpg");
    const before = await zoom(studio);
    const place = await studio.at(150, 100);
    await studio.page.mouse.move(place.x, place.y);
    await studio.page.mouse.wheel(0, -300);
    expect(await zoom(studio)).toBeGreaterThan(1.3 * before);
    const after = await studio.at(150, 100);
    expect(Math.hypot(after.x - place.x, after.y - place.y)).toBeLessThan(2);
  });

  test("space and drag pans, and asks the model nothing", async ({ studio }) => {
    await studio.open("coffee.jpg");
    const [from, before] = [await studio.at(300, 200), await zoom(studio)];
    await studio.page.mouse.move(from.x, from.y);
    await studio.page.keyboard.down("Space");
    await studio.page.mouse.down();
    await studio.page.mouse.move(from.x + 60, from.y + 40, { steps: 5 });
    await studio.page.mouse.up();
    await studio.page.keyboard.up("Space");
    expect(await zoom(studio)).toBeCloseTo(before, 5);
    const after = await studio.at(300, 200);
    expect([Math.round(after.x - from.x), Math.round(after.y - from.y)]).toEqual([60, 40]);
    expect(await studio.candidates()).toEqual([]);
    expect(await studio.state((state) => state.draft)).toBeNull();
  });

  test("two fingers zoom and move the picture, and draw nothing", async ({ studio }) => {
    await studio.open("coffee.jpg");
    const before = await zoom(studio);
    const session = await studio.context.newCDPSession(studio.page);
    const middle = await studio.at(300, 200);
    const fingers = (spread: number, shift: number) => [
      { x: middle.x - spread + shift, y: middle.y },
      { x: middle.x + spread + shift, y: middle.y },
    ];
    await touch(session, "Start", fingers(60, 0).slice(0, 1));
    await touch(session, "Start", fingers(60, 0));
    for (let step = 1; step <= 6; step++) await touch(session, "Move", fingers(60 + 15 * step, 5 * step));
    await touch(session, "End", []);
    expect((await zoom(studio)) / before).toBeCloseTo(150 / 60, 0);
    const after = await studio.at(300, 200);
    expect(Math.abs(after.x - middle.x - 30)).toBeLessThan(6);
    expect(await studio.state((state) => state.draft)).toBeNull();
    expect(await studio.maskCount()).toBe(0);
  });

  test("a finger's tap is a click", async ({ studio }) => {
    await studio.open("coffee.jpg");
    const session = await studio.context.newCDPSession(studio.page);
    await touch(session, "Start", [await studio.at(285, 165)]);
    await touch(session, "End", []);
    await studio.offered();
    expect(
      await studio.state((state) => state.toolView.points.map(([x, y]) => [Math.round(x), Math.round(y)])),
    ).toEqual([[285, 165]]);
  });
});

describe("what is drawn", () => {
  test("a mask lies on its very pixels, at any zoom", async ({ studio }) => {
    await studio.open("chelsea.jpg");
    await studio.tool("brush");
    await studio.drag([100, 100], [160, 100]);
    await studio.key("Escape");
    await studio.page.mouse.move(5, 5);
    const mask = await studio.state((state) => {
      const { x, y, width, height } = (
        state.order[0] as { mask: { x: number; y: number; width: number; height: number } }
      ).mask;
      return { x, y, width, height };
    });
    const inside: [number, number] = [mask.x + mask.width / 2, mask.y + mask.height / 2];
    const outside: [number, number] = [mask.x + mask.width / 2, mask.y - 3];
    for (const steps of [0, -600, -600]) {
      const place = await studio.at(...inside);
      await studio.page.mouse.move(place.x, place.y);
      if (steps !== 0) await studio.page.mouse.wheel(0, steps);
      await zoom(studio);
      await studio.page.mouse.move(5, 5);
      const look = async (hidden: boolean) => {
        const here = await studio.state((state) => state.view.allHidden);
        if (here !== hidden) await studio.key("Shift+H");
        await studio.page.waitForTimeout(500); // the worker draws
        return [
          await pixelAt(studio.page, await studio.at(...inside)),
          await pixelAt(studio.page, await studio.at(...outside)),
        ];
      };
      const [bareInside, bareOutside] = await look(true);
      const [maskedInside, maskedOutside] = await look(false);
      expect(maskedInside).not.toEqual(bareInside);
      expect(maskedOutside).toEqual(bareOutside);
    }
  });
});

describe("cut-outs", () => {
  test("of several pictures come together on the collage, which outlives a reload", async ({ studio }) => {
    await studio.open("flower.jpg");
    await studio.make(308, 299);
    await studio.key("Control+a", "Control+Shift+l");
    await studio.page.waitForFunction(() =>
      window.__studio?.state().notices.some(({ text }) => text.includes("collage")),
    );
    const project = await studio.project();
    await studio.page.goto(`${studio.address}/#/p/${project}/collage`);
    await studio.page.reload();
    const pieces = studio.page.getByTestId("collage-piece");
    await pieces.first().waitFor();
    expect(await pieces.count()).toBe(1);

    const sheet = await studio.page.getByTestId("collage-sheet").boundingBox();
    if (!sheet) throw new Error("there is no sheet");
    const centre = { x: sheet.x + sheet.width / 2, y: sheet.y + sheet.height / 2 };
    await studio.page.mouse.move(centre.x, centre.y);
    await studio.page.mouse.down();
    await studio.page.mouse.move(centre.x - 120, centre.y - 60, { steps: 4 });
    await studio.page.mouse.up();
    const across = Number(await studio.page.getByLabel("Across").inputValue());
    expect(Math.abs(across - (600 - (120 * 1200) / sheet.width))).toBeLessThan(3);

    const download = studio.page.waitForEvent("download");
    await studio.page.getByTestId("collage-export").click();
    expect((await download).suggestedFilename()).toBe("collage.png");
  });
});
