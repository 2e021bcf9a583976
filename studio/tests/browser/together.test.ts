/** Two people in two browsers, with accounts. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { StudioServer } from "./server";
import { launch, Studio } from "./studio";

const PASSWORD = "correct horse battery";

let browser: Browser;
let server: StudioServer;
let anna: Studio;
let bert: Studio;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), StudioServer.start({ options: ["--accounts"] })]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test("the first administrator comes in by the link that was printed, and invites another", async () => {
  const link = /comes in once at (\S+)/.exec(server.said)?.[1];
  expect(link).toBeDefined();
  anna = await Studio.visit(browser, server.address, { hash: new URL(link ?? "").hash });
  await enter(anna, "anna");
  await anna.page.getByRole("button", { name: "Invite" }).click();
  await anna.page.getByRole("button", { name: "Make a link" }).click();
  const invitation = await anna.page.getByLabel("Link").inputValue();
  await anna.page.getByRole("button", { name: "Done" }).click();

  bert = await Studio.visit(browser, server.address, { hash: new URL(invitation).hash });
  await enter(bert, "bert");
  await bert.page.getByTestId("user-menu").waitFor();
  await bert.gallery();
  expect(await bert.page.getByTestId("nav-versions").count()).toBe(0);

  const again = await Studio.visit(browser, server.address, { hash: new URL(invitation).hash });
  await enter(again, "carl");
  await again.page.getByRole("alert").waitFor();
  await again.leave();
});

test("a wrong password does not let in, the right one does", async () => {
  const page = await Studio.visit(browser, server.address);
  await page.page.locator("input[name=name]").fill("anna");
  await page.page.locator("input[name=password]").fill("wrong password!");
  await page.page.getByRole("button", { name: "Log in" }).click();
  await page.page.getByRole("alert").waitFor();
  await page.page.locator("input[name=password]").fill(PASSWORD);
  await page.page.getByRole("button", { name: "Log in" }).click();
  await page.page.getByTestId("user-menu").waitFor();
  await page.gallery();
  await page.leave();
});

test("one sees what the other makes", async () => {
  await anna.open("coffee.jpg");
  await anna.make(285, 165);
  await anna.saved();
  await bert.open("coffee.jpg");
  expect(await bert.maskCount()).toBe(1);
  await anna.make(100, 300);
  await anna.saved();
  await expect.poll(() => bert.maskCount(), { timeout: 20_000 }).toBe(2);
});

test("of two changes of one object nothing is lost: the second person chooses", async () => {
  const [object] = await anna.objects();
  const id = object?.id ?? "";
  await bert.context.setOffline(true);
  await bert.tool("eraser");
  await bert.select(id);
  await bert.drag([250, 165], [320, 165]);
  await anna.tool("brush");
  await anna.select(id);
  await anna.drag([250, 120], [320, 120]);
  await anna.saved();
  await bert.context.setOffline(false);
  await bert.page.waitForFunction(() => (window.__studio?.state().conflicts.length ?? 0) > 0);
  await bert.page.getByTestId("save-state").click();
  await bert.still();
  const theirs = (await anna.objects()).find((one) => one.id === id)?.area;
  const mine = await bert.state((state) => state.conflicts[0]?.mine?.area);
  expect(mine).not.toBe(theirs);
  await bert.page.getByTestId("keep-mine").click();
  await bert.saved();
  await expect
    .poll(async () => (await anna.objects()).find((one) => one.id === id)?.area, { timeout: 20_000 })
    .toBe(mine);
});

test("no two people are given the same picture", async () => {
  const given = async (studio: Studio) => {
    await studio.key("Control+Enter");
    await studio.page.waitForFunction(() => {
      const state = window.__studio?.state();
      return state?.phase === "ready" && state.image?.name !== "coffee.jpg" && state.task !== null;
    });
    return await studio.state((state) => state.image?.name);
  };
  const [first, second] = [await given(anna), await given(bert)];
  expect(first).toBeDefined();
  expect(second).not.toBe(first);
});

test("whoever is locked out is out at once", async () => {
  await anna.page.goto(`${server.address}/#/people`);
  await anna.page.getByRole("button", { name: "Lock out: bert" }).click();
  await anna.page.getByText("Locked out").waitFor();
  await bert.page.reload();
  await bert.page.getByRole("button", { name: "Log in" }).waitFor();
  await anna.leave();
  await bert.context.close();
});

async function enter(studio: Studio, name: string): Promise<void> {
  await studio.page.locator("input[name=name]").fill(name);
  await studio.page.locator("input[name=password]").fill(PASSWORD);
  await studio.page.locator('button[type="submit"]').click();
}
