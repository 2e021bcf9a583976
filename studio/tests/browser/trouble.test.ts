/** Servers that die, lines that are slow or cut: nothing that was made is lost. */

import { expect } from "vitest";
import { test } from "./fixtures";
import { Studio } from "./studio";

test("a server killed and restarted in the middle loses nothing", async ({ studio, server, browser }) => {
  await studio.open("coffee.jpg");
  await studio.make(285, 165);
  await studio.saved();
  await server.kill();
  await studio.tool("brush");
  await studio.key("Escape");
  await studio.drag([520, 60], [560, 60]);
  await studio.page.waitForFunction(() => window.__studio?.state().save.state === "offline");
  expect(await studio.maskCount()).toBe(2);
  await server.start();
  await studio.saved();

  const other = await Studio.visit(browser, server.address);
  await other.open("coffee.jpg");
  expect((await other.objects()).map(({ area }) => area).sort()).toEqual(
    (await studio.objects()).map(({ area }) => area).sort(),
  );
  await other.leave();
  await studio.tool("click");
  await studio.make(100, 300);
  await studio.saved();
});

test("work that could not be sent survives closing the page", async ({ studio, server }) => {
  await studio.open("astronaut.jpg");
  await server.kill();
  await studio.tool("brush");
  await studio.drag([60, 60], [160, 60]);
  const [made] = await studio.objects();
  await studio.page.waitForFunction(() => window.__studio?.state().save.state === "offline");
  await studio.page.goto("about:blank");
  await server.start();
  await studio.page.goto(`${server.address}/`);
  await studio.open("astronaut.jpg");
  await studio.saved();
  expect((await studio.objects()).map(({ id, area }) => ({ id, area }))).toEqual([
    { id: made?.id, area: made?.area },
  ]);
  await studio.page.reload();
  await studio.ready("astronaut.jpg");
  expect((await studio.objects()).map(({ id }) => id)).toEqual([made?.id]);
});

test("a slow line delays, and mixes nothing up", async ({ studio }) => {
  await studio.open("flower.jpg");
  await studio.slowLine(150, 400);
  // Three clicks before the first answer: the mask is of all three.
  for (const [x, y] of [
    [308, 299],
    [280, 250],
    [340, 250],
  ] as const) {
    const place = await studio.at(x, y);
    await studio.page.mouse.click(place.x, place.y);
  }
  await studio.answered();
  await studio.offered();
  expect(await studio.state((state) => state.toolView.points.length)).toBe(3);
  await studio.key("Enter");
  expect(await studio.maskCount()).toBe(1);
  expect((await studio.objects())[0]?.area).toBeGreaterThan(20_000);
  await studio.saved();
});
