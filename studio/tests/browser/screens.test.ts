/** The main screens in both themes at 1366 x 768: nothing sticks out; pictures for the documentation. */

import { mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { test } from "./fixtures";
import { Studio } from "./studio";

const FOLDER = process.env["STUDIO_PICTURES"] ?? resolve(import.meta.dirname, "../../../out/screens");
const LARGEST = 150_000;

test.for(["dark", "light"] as const)("screens of the %s theme", async (theme, { browser, server }) => {
  mkdirSync(FOLDER, { recursive: true });
  const studio = await Studio.visit(browser, server.address, { theme });
  const shot = (name: string) => picture(studio, `${name}-${theme}`);
  if (theme === "dark") await label(studio);

  await studio.gallery();
  await shot("gallery");
  const project = await studio.project();
  await studio.menuOf("coffee.jpg");
  await studio.page.getByTestId("remove-picture").click();
  await studio.page.getByTestId("removal-name").waitFor();
  await shot("removal");
  await studio.key("Escape");
  await studio.page.getByRole("dialog").waitFor({ state: "hidden" });
  await studio.open("coffee.jpg");
  await studio.clickImage(290, 212);
  await studio.offered();
  await shot("candidates");
  await studio.key("Escape");
  await studio.key("Escape");
  await studio.select((await studio.objects()).at(-1)?.id ?? "");
  await shot("editor");
  await studio.key("?");
  await studio.page.getByRole("dialog").waitFor();
  await shot("keys");
  await studio.key("Escape");
  for (const page of ["review", "labels", "progress", "engine", "versions"]) {
    await studio.page.goto(`${server.address}/#/p/${project}/${page}`);
    await studio.page.getByRole("main").waitFor();
    await shot(page);
  }
  await studio.page.goto(`${server.address}/#/settings`);
  await shot("settings");
  await studio.leave();
});

/** Something to be seen. */
async function label(studio: Studio): Promise<void> {
  // File, point, which of the candidates fits, label.
  const objects: [string, number, number, number, string][] = [
    ["coffee.jpg", 130, 250, 1, "cup and saucer"],
    ["coffee.jpg", 285, 165, 0, "coffee"],
    ["chelsea.jpg", 150, 250, 0, "cat"],
    ["flower.jpg", 308, 299, 1, "dahlia"],
  ];
  let opened = "";
  for (const [file, x, y, candidate, name] of objects) {
    if (file !== opened) await studio.open(file);
    opened = file;
    await studio.addLabel(name);
    await studio.clickImage(x, y);
    await studio.offered();
    await studio.page.getByTestId(`candidate-${candidate}`).click();
    await studio.key("Enter");
  }
  await studio.saved();
  await studio.key("Control+Enter");
  await studio.page.waitForFunction(() => window.__studio?.state().image?.name !== "flower.jpg");
}

async function picture(studio: Studio, name: string): Promise<void> {
  await studio.still();
  const [wide, high] = await studio.page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.scrollHeight,
  ]);
  expect(wide, `${name} is wider than the window`).toBeLessThanOrEqual(1366);
  expect(high, `${name} is higher than the window`).toBeLessThanOrEqual(768);
  const path = join(FOLDER, `${name}.jpg`);
  await studio.page.screenshot({ path, type: "jpeg", quality: 72 });
  expect(statSync(path).size, name).toBeLessThan(LARGEST);
}
