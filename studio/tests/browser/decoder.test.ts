/** The decoder in the browser: the server embeds, the page answers. */

import { expect } from "vitest";
import { test } from "./fixtures";

test("clicks are answered in the page, and the server keeps the mask", async ({ studio }) => {
  const asked: string[] = [];
  await studio.page.addInitScript(() => localStorage.setItem("anymask.decoder", "browser"));
  await studio.page.reload();
  studio.page.on("request", (request) => {
    if (request.method() === "POST") asked.push(new URL(request.url()).pathname.split("/").at(-1) ?? "");
  });
  await studio.open("coffee.jpg");
  // The decoder gets ready beside: until then the server answers, and nobody need notice.
  const answering = () => studio.page.evaluate(() => document.documentElement.dataset["decoder"]);
  await expect
    .poll(
      async () => {
        await studio.clickImage(300, 150);
        await studio.key("Escape");
        return answering();
      },
      { timeout: 120_000, interval: 1000 },
    )
    .toBe("browser");
  asked.length = 0;
  await studio.clickImage(300, 150);
  await studio.offered();
  expect(await studio.candidates()).toHaveLength(3);
  await studio.clickImage(150, 300, "right");
  await studio.key("Enter");
  await expect.poll(() => studio.maskCount()).toBe(1);
  await studio.saved();
  expect(asked).not.toContain("prompt");
  expect(asked.filter((name) => name === "prompts")).toHaveLength(2);
  expect(asked).toContain("masks");
});
