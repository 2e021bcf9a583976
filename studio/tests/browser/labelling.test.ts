/** One person labels a picture: from the first hover to the exported file. */

import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { StudioServer } from "./server";
import { launch, Studio } from "./studio";

let browser: Browser;
let server: StudioServer;
let studio: Studio;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), StudioServer.start()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});
beforeEach(async () => {
  studio = await Studio.visit(browser, server.address);
});
afterEach(async () => {
  await studio.leave();
});

describe("a picture", () => {
  test("is hovered, clicked, refined, kept, labelled, undone, brushed, saved, loaded again", async () => {
    await studio.open("coffee.jpg");
    expect(await studio.maskCount()).toBe(0);

    await studio.hoverImage(285, 165);
    await studio.page.waitForFunction(() => window.__studio?.state().toolView.hover !== null);

    await studio.clickImage(285, 165);
    await studio.offered();
    const offered = await studio.candidates();
    expect(offered.length).toBe(3);
    expect(await studio.maskCount()).toBe(0);

    const chosen = () => studio.state((state) => state.draft?.chosen);
    const first = await chosen();
    await studio.key("c");
    expect(await chosen()).not.toBe(first);
    await studio.key("Shift+C");
    expect(await chosen()).toBe(first);

    await studio.clickImage(440, 330, "right");
    const refined = await studio.candidates();
    expect(refined.length).toBeGreaterThan(0);

    await studio.key("Enter");
    expect(await studio.maskCount()).toBe(1);
    await studio.saved();

    await studio.key("Control+z");
    expect(await studio.maskCount()).toBe(0);
    await studio.key("Control+Shift+Z");
    expect(await studio.maskCount()).toBe(1);

    const before = (await studio.objects())[0];
    await studio.tool("brush");
    await studio.drag([520, 60], [560, 60]);
    const brushed = await studio.objects();
    expect(brushed.some((object) => object.area !== before?.area)).toBe(true);
    await studio.saved();

    const areas = brushed.map(({ id, area }) => `${id} ${area}`).sort();
    await studio.page.reload();
    await studio.ready("coffee.jpg");
    expect((await studio.objects()).map(({ id, area }) => `${id} ${area}`).sort()).toEqual(areas);
  });

  test("is exported as COCO", async () => {
    await studio.open("flower.jpg");
    await studio.make(308, 299);
    await studio.saved();
    const [object] = await studio.objects();
    const file = JSON.parse(readFileSync(await studio.export("coco"), "utf8"));
    const image = file.images.find((one: { file_name: string }) => one.file_name === "flower.jpg");
    const annotations = file.annotations.filter((one: { image_id: number }) => one.image_id === image.id);
    expect(annotations.map((one: { area: number }) => one.area)).toEqual([object?.area]);
  });
});
