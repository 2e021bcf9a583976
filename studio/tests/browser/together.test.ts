/** Two people in two browsers, with accounts. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { check } from "./axe";
import { StudioServer } from "./server";
import { launch, Studio } from "./studio";

const PASSWORD = "correct horse battery";
const BETTER = "staple 10 batteries";

let browser: Browser;
let server: StudioServer;
let anna: Studio;
let bert: Studio;
/** Id of the object that was made first: something round 285, 165. */
let id: string;

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
  await enter(page, "anna", "wrong password!");
  await page.page.getByRole("alert").waitFor();
  await comeIn(page, "anna", PASSWORD);
  await page.leave();
});

test("one sees what the other makes", async () => {
  await anna.open("coffee.jpg");
  await anna.make(285, 165);
  await anna.saved();
  id = (await anna.objects())[0]?.id ?? "";
  await bert.open("coffee.jpg");
  expect(await bert.maskCount()).toBe(1);
  await anna.make(100, 300);
  await anna.saved();
  await expect.poll(() => bert.maskCount(), { timeout: 20_000 }).toBe(2);
});

test("of two changes of one object nothing is lost: the second person chooses", async () => {
  const area = async (studio: Studio) => (await studio.objects()).find((one) => one.id === id)?.area;
  const before = await area(anna);
  await bert.context.setOffline(true);
  await bert.tool("eraser");
  await bert.select(id);
  await bert.drag([250, 165], [320, 165]);
  await expect.poll(() => area(bert)).not.toBe(before);
  await anna.tool("brush");
  await anna.select(id);
  await anna.drag([30, 30], [100, 30]);
  await expect.poll(() => area(anna)).not.toBe(before);
  await anna.saved();
  await bert.context.setOffline(false);
  await bert.page.waitForFunction(() => (window.__studio?.state().conflicts.length ?? 0) > 0);
  await bert.page.getByTestId("save-state").click();
  await bert.still();
  const theirs = await area(anna);
  const mine = await bert.state((state) => state.conflicts[0]?.mine?.area);
  expect(mine).not.toBe(theirs);
  await bert.page.getByTestId("keep-mine").click();
  await bert.saved();
  await expect.poll(() => area(anna), { timeout: 20_000 }).toBe(mine);
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

test("people change their own password, told what is wrong at the field; elsewhere they are logged out", async () => {
  const elsewhere = await Studio.visit(browser, server.address);
  await comeIn(elsewhere, "bert", PASSWORD);

  const { page } = bert;
  const dialog = page.getByRole("dialog");
  const field = (name: string) => dialog.locator(`input[name=${name}]`);
  // With the keyboard alone.
  await page.getByTestId("user-menu").focus();
  await bert.key("Enter");
  await page.getByTestId("change-password").focus();
  await bert.key("Enter");
  await dialog.waitFor();
  await focused(bert, "[name=old]");
  await page.keyboard.type("not my password");
  await field("fresh").fill("short");
  await bert.key("Enter");
  await focused(bert, "[name=fresh]");
  await dialog.getByText("Use at least 10 characters.").waitFor();
  await field("fresh").fill(BETTER);
  await field("again").fill(PASSWORD);
  await bert.key("Enter");
  await focused(bert, "[name=again]");
  await field("again").fill(BETTER);
  await bert.key("Enter");
  await dialog.getByText("This is not your password.").waitFor();
  await focused(bert, "[name=old]");
  for (const theme of ["dark", "light"] as const) {
    // The button for it lies behind the dialog.
    await page.evaluate((worn) => {
      document.documentElement.dataset["mantineColorScheme"] = worn;
    }, theme);
    await check(bert, `password, ${theme}`);
  }
  await field("old").fill(PASSWORD);
  await bert.key("Enter");
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("Your password is changed.").waitFor();
  await focused(bert, '[data-testid="user-menu"]');

  // The new session works on, also for writing; the other one has ended.
  await bert.open("astronaut.jpg");
  await bert.tool("click");
  await bert.make(220, 120);
  await bert.saved();
  await elsewhere.page.reload();
  await elsewhere.page.getByRole("button", { name: "Log in" }).waitFor();
  await enter(elsewhere, "bert");
  await elsewhere.page.getByRole("alert").waitFor();
  await comeIn(elsewhere, "bert", BETTER);
  await elsewhere.leave();
});

test("administrators remove a picture for good, and nobody else can", async () => {
  await bert.open("flower.jpg");
  await bert.tool("click");
  await bert.make(308, 299);
  await bert.saved();
  expect(await bert.page.getByTestId("picture-menu").count()).toBe(0);
  const elsewhere = await Studio.visit(browser, server.address);
  await comeIn(elsewhere, "bert", BETTER);
  expect(await elsewhere.page.getByTestId("tile-menu").count()).toBe(0);

  await anna.page.goto(`${server.address}/#/p/${await anna.project()}`);
  await anna.menuOf("flower.jpg");
  await anna.page.getByTestId("remove-picture").press("Enter");
  const dialog = anna.page.getByRole("dialog");
  const start = anna.page.getByTestId("removal-start");
  await dialog.getByText("1 mask, ").waitFor();
  await dialog.getByText("The file flower.jpg stays on the disk").waitFor();
  await focused(anna, '[data-testid="removal-name"]');
  await anna.key("Escape");
  await dialog.waitFor({ state: "hidden" });
  await focused(anna, '[aria-label="Menu of flower.jpg"]');
  await anna.key("Enter");
  await anna.page.getByTestId("remove-picture").press("Enter");
  await focused(anna, '[data-testid="removal-name"]');
  await anna.page.keyboard.type("flower");
  await anna.key("Enter");
  expect(await start.isDisabled()).toBe(true);
  await anna.page.keyboard.type(".jpg");
  expect(await start.isEnabled()).toBe(true);
  await anna.key("Enter");
  await dialog.waitFor({ state: "hidden" });

  const tiles = (studio: Studio) =>
    studio.page
      .getByTestId("tile")
      .evaluateAll((all) => all.map((tile) => (tile as HTMLElement).dataset["name"]));
  const rest = ["astronaut.jpg", "chelsea.jpg", "coffee.jpg"];
  expect(await tiles(anna)).toEqual(rest);
  await focused(anna, '[data-testid="tile"]');
  await anna.page.getByText("3 pictures", { exact: true }).waitFor();
  // Whoever has a gallery or the picture itself open sees it go.
  await expect.poll(() => tiles(elsewhere)).toEqual(rest);
  await bert.page.getByTestId("failure").waitFor();
  expect(await bert.state((state) => [state.image, state.order.length, state.save.state])).toEqual([
    null,
    0,
    "saved",
  ]);
  await elsewhere.leave();

  // Its file lies there still.
  await anna.page.getByRole("button", { name: "Look for new pictures in the folder" }).click();
  await anna.page.getByText("4 pictures", { exact: true }).waitFor();
  await anna.open("flower.jpg");
  expect(await anna.maskCount()).toBe(0);

  // From its own page, too.
  await anna.page.getByTestId("picture-menu").click();
  await anna.page.getByTestId("remove-picture").click();
  await anna.page.getByTestId("removal-name").fill("flower.jpg");
  await start.click();
  await anna.page.getByText("3 pictures", { exact: true }).waitFor();
  expect(await tiles(anna)).toEqual(rest);
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

async function enter(studio: Studio, name: string, password = PASSWORD): Promise<void> {
  await studio.page.locator("input[name=name]").fill(name);
  await studio.page.locator("input[name=password]").fill(password);
  await studio.page.locator('button[type="submit"]').click();
}

/** Logs in, and sees the pictures. */
async function comeIn(studio: Studio, name: string, password: string): Promise<void> {
  await enter(studio, name, password);
  await studio.page.getByTestId("user-menu").waitFor();
  await studio.gallery();
}

/** Waits until what the selector names has the focus. */
async function focused(studio: Studio, selector: string): Promise<void> {
  await studio.page.waitForFunction((wanted) => document.activeElement?.matches(wanted) ?? false, selector);
}
