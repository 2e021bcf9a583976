/** Every tool once, as a hand would use it. */

import { expect } from "vitest";
import { test } from "./fixtures";

test("a box gives the object inside", async ({ studio }) => {
  await studio.open("flower.jpg");
  await studio.tool("box");
  await studio.drag([168, 84], [446, 360]);
  await studio.offered();
  await studio.key("Enter");
  const object = (await studio.objects()).at(-1);
  expect(object?.source).toBe("box");
  expect(object?.area).toBeGreaterThan(30_000);
  expect(object?.area).toBeLessThan(278 * 276);
});

test("several boxes give an object each", async ({ studio }) => {
  await studio.open("chelsea.jpg");
  await studio.tool("boxes");
  await studio.drag([136, 85], [206, 148]);
  await studio.drag([296, 110], [343, 164]);
  await studio.key("Enter");
  await studio.answered();
  await studio.key("Enter");
  await expect.poll(() => studio.maskCount()).toBe(2);
});

test("lasso, scribble and rough paint snap to the object", async ({ studio }) => {
  await studio.open("coffee.jpg");
  await studio.tool("lasso");
  await studio.drag([205, 140], [285, 92], [372, 140], [330, 195], [250, 195], [205, 140]);
  await studio.offered();
  await studio.key("Enter");
  await studio.tool("scribble");
  await studio.drag([120, 250], [150, 300], [220, 350]);
  await studio.offered();
  await studio.key("Enter");
  await studio.tool("rough");
  await studio.drag([235, 150], [285, 165], [340, 150]);
  await studio.offered();
  await studio.key("Enter");
  expect((await studio.objects()).map(({ source }) => source)).toEqual(["lasso", "scribble", "brush"]);
});

test("brush and eraser change pixels of the selected object", async ({ studio }) => {
  await studio.open("astronaut.jpg");
  await studio.tool("brush");
  await studio.drag([60, 60], [160, 60]);
  const painted = (await studio.objects())[0];
  expect(painted?.source).toBe("brush");
  await studio.select(painted?.id ?? "");
  await studio.tool("eraser");
  await studio.drag([110, 40], [110, 80]);
  const [erased] = await studio.objects();
  expect(erased?.id).toBe(painted?.id);
  expect(erased?.area).toBeLessThan(painted?.area ?? 0);
  await studio.key("Control+z");
  expect((await studio.objects())[0]?.area).toBe(painted?.area);
});

test("a polygon is drawn corner by corner", async ({ studio }) => {
  await studio.open("astronaut.jpg");
  const before = await studio.maskCount();
  await studio.tool("polygon");
  for (const [x, y] of [
    [300, 40],
    [380, 40],
    [380, 120],
    [300, 120],
  ] as const)
    await studio.clickImage(x, y);
  await studio.key("Enter");
  await expect.poll(() => studio.maskCount()).toBe(before + 1);
  const object = (await studio.objects()).at(-1);
  expect(object?.source).toBe("polygon");
  expect(Math.abs((object?.area ?? 0) - 80 * 80)).toBeLessThan(400);
});

test("selected objects are united, and split again", async ({ studio }) => {
  await studio.open("chelsea.jpg");
  await studio.tool("brush");
  for (const y of [20, 280]) {
    await studio.key("Escape");
    await studio.drag([380, y], [430, y]);
  }
  const before = await studio.maskCount();
  const two = (await studio.objects()).slice(-2);
  await studio.tool("select");
  await studio.select(...two.map(({ id }) => id));
  await studio.key("m");
  expect(await studio.maskCount()).toBe(before - 1);
  expect((await studio.objects()).map(({ area }) => area)).toContain(
    two.reduce((sum, { area }) => sum + area, 0),
  );
  await studio.key("Alt+m");
  await expect.poll(() => studio.maskCount()).toBe(before);
});

test("everything finds objects, thresholds filter them, and some are kept", async ({ studio }) => {
  await studio.open("coffee.jpg");
  const before = await studio.maskCount();
  await studio.tool("everything");
  const proposals = () => studio.state((state) => state.proposals.length);
  if ((await proposals()) === 0) await studio.page.getByTestId("everything-start").click();
  await studio.page.waitForFunction(
    () => {
      const state = window.__studio?.state();
      return state?.everything?.running === false && state.proposals.length > 0;
    },
    undefined,
    { timeout: 150_000 },
  );
  const all = await proposals();
  const slider = studio.page.getByRole("slider").first();
  await slider.press("End"); // a score of 100 percent
  await expect.poll(proposals, { timeout: 20_000 }).toBe(0);
  await slider.press("Home");
  await expect.poll(proposals, { timeout: 20_000 }).toBeGreaterThanOrEqual(all);
  await studio.page.getByTestId("accept-all").click();
  await expect.poll(() => studio.maskCount()).toBeGreaterThan(before);
  await studio.saved();
});
