/** axe-core on every page and dialog, in both themes; and the keyboard alone. */

import { describe, expect } from "vitest";
import { check } from "./axe";
import { test } from "./fixtures";
import { Studio } from "./studio";

const PAGES = ["gallery", "review", "labels", "engine", "progress", "versions", "collage"];

describe.each(["dark", "light"] as const)("in the %s theme", (theme) => {
  test("every page and dialog passes axe", async ({ browser, server }) => {
    const studio = await Studio.visit(browser, server.address, { theme });
    await studio.gallery();
    const project = await studio.project();
    for (const page of PAGES) {
      await studio.page.goto(`${server.address}/#/p/${project}/${page}`);
      await studio.page.getByRole("main").waitFor();
      await check(studio, page);
    }
    for (const page of ["projects", "people", "settings", "nowhere"]) {
      await studio.page.goto(`${server.address}/#/${page}`);
      await check(studio, page);
    }

    await studio.page.goto(`${server.address}/#/p/${project}/gallery`);
    await studio.gallery();
    for (const name of ["Export", "Import"]) {
      await studio.page.getByRole("button", { name, exact: true }).click();
      await studio.page.getByRole("dialog").waitFor();
      await check(studio, name);
      await studio.key("Escape");
      await studio.page.getByRole("dialog").waitFor({ state: "hidden" });
    }

    await studio.menuOf("coffee.jpg");
    await check(studio, "menu of a picture");
    await studio.page.getByTestId("remove-picture").click();
    await studio.page.getByTestId("removal-name").waitFor();
    await check(studio, "removal");
    await studio.page.getByTestId("removal-name").fill("coffee.jpg");
    await check(studio, "removal, ready to begin");
    await studio.key("Escape");
    await studio.page.getByRole("dialog").waitFor({ state: "hidden" });
    await studio.page.getByTestId("user-menu").click();
    await studio.page.getByRole("menuitem", { name: "Settings" }).waitFor();
    await check(studio, "menu of the person");
    // There is no password where nobody logs in.
    expect(await studio.page.getByTestId("change-password").count()).toBe(0);
    await studio.key("Escape");

    await studio.open("coffee.jpg");
    await check(studio, "an open picture");
    await studio.clickImage(285, 165);
    await studio.offered();
    await check(studio, "candidates");
    await studio.key("Enter");
    await studio.addLabel(`coffee ${theme}`);
    const id = (await studio.objects()).at(-1)?.id ?? "";
    await studio.select(id);
    await check(studio, "a selected object");
    await studio.key("?");
    await studio.page.getByRole("dialog").waitFor();
    await check(studio, "keys and help");
    await studio.key("Escape");
    await studio.page.getByRole("dialog").waitFor({ state: "hidden" });
    await studio.key("Control+k");
    await studio.page.getByTestId("palette-search").waitFor();
    await check(studio, "palette");
    await studio.key("Escape");
    await studio.page.getByTestId("view-options").click();
    await check(studio, "view options");
    await studio.key("Escape");
    await studio.tool("brush");
    await check(studio, "the brush and its size");
    await studio.leave();
  });
});

test("a mask is made and labelled without a mouse button of the panels", async ({ studio }) => {
  await studio.open("flower.jpg");
  await studio.clickImage(308, 299);
  await studio.offered();
  await studio.key("Enter");
  // The palette reaches every command by name.
  await studio.key("Control+k");
  await studio.page.getByTestId("palette-search").fill("fill holes");
  await studio.page.getByRole("option", { name: /Fill holes/ }).waitFor();
  await studio.key("Escape");
  await studio.key("j");
  expect(await studio.state((state) => state.view.selection.size)).toBe(1);
  await studio.key("Delete");
  expect(await studio.maskCount()).toBe(0);
  await studio.key("Control+z");
  expect(await studio.maskCount()).toBe(1);
});

test("keys do nothing while somebody types", async ({ studio }) => {
  await studio.open("chelsea.jpg");
  const tool = await studio.state((state) => state.tool);
  await studio.page.getByTestId("label-input").focus();
  await studio.page.keyboard.type("box w x p");
  expect(await studio.page.getByTestId("label-input").inputValue()).toBe("box w x p");
  expect(await studio.state((state) => state.tool)).toBe(tool);
});
