/** axe-core on every page and dialog, in both themes; and the keyboard alone. */

import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { test } from "./fixtures";
import { Studio } from "./studio";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const PAGES = ["gallery", "review", "labels", "engine", "progress", "versions", "collage"];

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate(
    (tags) =>
      // biome-ignore lint/suspicious/noExplicitAny: axe puts itself there
      (window as any).axe
        .run(document, { runOnly: tags })
        .then((result: { violations: unknown }) => result.violations),
    RULES,
  )) as Violation[];
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ""}`),
  );
}

async function check(studio: Studio, where: string): Promise<void> {
  await studio.still();
  expect(await violations(studio.page), where).toEqual([]);
}

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
