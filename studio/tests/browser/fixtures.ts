/** What a browser test is given: a browser, a server over the example pictures, a person's window. */

import type { Browser } from "playwright-core";
import { test as base } from "vitest";
import { StudioServer } from "./server";
import { launch, Studio } from "./studio";

interface Fixtures {
  /** Of all tests of a file. */
  browser: Browser;
  /** Of all tests of a file. */
  server: StudioServer;
  /** A fresh window; at the end of the test it must have had no problem. */
  studio: Studio;
}

export const test = base.extend<Fixtures>({
  browser: [
    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the names of the fixtures that one needs from here
    async ({}, use) => {
      const browser = await launch();
      await use(browser);
      await browser.close();
    },
    { scope: "file" },
  ],
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: as above
    async ({}, use) => {
      const server = await StudioServer.start();
      await use(server);
      await server.stop();
    },
    { scope: "file" },
  ],
  studio: async ({ browser, server }, use) => {
    const studio = await Studio.visit(browser, server.address);
    await use(studio);
    await studio.leave();
  },
});
