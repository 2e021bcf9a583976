/** One person labels pictures: from the first hover to the exported file. */

import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { test } from "./fixtures";

describe("a picture", () => {
  test("is hovered, clicked, refined, kept, labelled, undone, brushed, saved, loaded again", async ({
    studio,
  }) => {
    await studio.open("coffee.jpg");
    expect(await studio.maskCount()).toBe(0);

    await studio.hoverImage(285, 165);
    await studio.page.waitForFunction(() => window.__studio?.state().toolView.hover !== null);

    await studio.clickImage(285, 165);
    await studio.offered();
    expect((await studio.candidates()).length).toBe(3);
    expect(await studio.maskCount()).toBe(0);

    const chosen = () => studio.state((state) => state.draft?.chosen);
    const first = await chosen();
    await studio.key("c");
    expect(await chosen()).not.toBe(first);
    await studio.key("Shift+C");
    expect(await chosen()).toBe(first);
    await studio.page.getByTestId("candidate-2").click();
    expect(await chosen()).toBe(2);

    await studio.clickImage(440, 330, "right");
    await studio.offered();
    await studio.key("Enter");
    expect(await studio.maskCount()).toBe(1);

    await studio.addLabel("coffee");
    await studio.select((await studio.objects())[0]?.id ?? "");
    await studio.key("1");
    const labels = await studio.state((state) => state.labels.map(({ id, name }) => ({ id, name })));
    expect(labels.map(({ name }) => name)).toEqual(["coffee"]);
    expect((await studio.objects()).map(({ label }) => label)).toEqual([labels[0]?.id]);
    await studio.saved();

    await studio.key("Control+z");
    expect((await studio.objects()).map(({ label }) => label)).toEqual([null]);
    await studio.key("Control+z");
    expect(await studio.maskCount()).toBe(0);
    await studio.key("Control+Shift+Z", "Control+Shift+Z");
    expect((await studio.objects()).map(({ label }) => label)).toEqual([labels[0]?.id]);

    await studio.key("Escape");
    await studio.tool("brush");
    await studio.drag([520, 60], [560, 60]);
    const brushed = await studio.objects();
    expect(brushed.map(({ source }) => source)).toContain("brush");
    await studio.saved();

    const areas = brushed.map(({ id, area }) => `${id} ${area}`).sort();
    await studio.page.reload();
    await studio.ready("coffee.jpg");
    expect((await studio.objects()).map(({ id, area }) => `${id} ${area}`).sort()).toEqual(areas);

    // Undo reaches behind the reload, once the objects' histories are there.
    await studio.page.waitForFunction(() => window.__studio?.state().undoes !== null);
    await studio.key("Control+z");
    expect(await studio.maskCount()).toBe(1);
    await studio.saved();
    await studio.page.reload();
    await studio.ready("coffee.jpg");
    expect(await studio.maskCount()).toBe(1);
  });

  test("is exported as COCO", async ({ studio }) => {
    await studio.open("flower.jpg");
    await studio.make(308, 299);
    await studio.saved();
    const [object] = await studio.objects();
    const file = JSON.parse(readFileSync(await studio.export("coco"), "utf8"));
    const image = file.images.find((one: { file_name: string }) => one.file_name === "flower.jpg");
    const annotations = file.annotations.filter((one: { image_id: number }) => one.image_id === image.id);
    expect(annotations.map((one: { area: number }) => one.area)).toEqual([object?.area]);
  });

  test("is done, and the next of the queue comes", async ({ studio }) => {
    await studio.open("astronaut.jpg");
    await studio.key("Control+Enter");
    await studio.page.waitForFunction(() => {
      const state = window.__studio?.state();
      return state?.phase === "ready" && state.image?.name !== "astronaut.jpg";
    });
    await studio.gallery();
    const tile = studio.page.locator('[data-testid="tile"][data-name="astronaut.jpg"]');
    await expect.poll(() => tile.textContent()).toContain("Done");
  });
});
