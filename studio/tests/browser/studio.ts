/** The studio as a person uses it: `studio.open("coffee.jpg"); studio.clickImage(120, 84); studio.maskCount()`. */

import {
  type Browser,
  type BrowserContext,
  type CDPSession,
  chromium as driver,
  type Page,
} from "playwright-core";
import { expect } from "vitest";
import type { EditorState } from "../../src/state/editorStore";
import { chromium } from "./server";

type Button = "left" | "right";

/** What tests want to know of one object. */
export interface Shown {
  readonly id: string;
  readonly area: number;
  readonly label: string | null;
  readonly source: string;
}

const WAIT = 45_000;

export async function launch(): Promise<Browser> {
  return await driver.launch({
    executablePath: chromium(),
    // Without a GPU and as root, as in CI; no background throttling, for a second window is a second person.
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-timer-throttling", "--hide-scrollbars"],
  });
}

/** One person's browser window. Fails the test at the end if the page raised an error or broke its own policy. */
export class Studio {
  readonly problems: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly address: string,
  ) {
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      // A failed request is logged by the browser itself; tests that cut the line expect it.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        this.problems.push(message.text());
    });
  }

  static async visit(
    browser: Browser,
    address: string,
    { theme = "dark" as "dark" | "light", hash = "" } = {},
  ): Promise<Studio> {
    const context = await browser.newContext({
      viewport: { width: 1366, height: 768 },
      colorScheme: theme,
      reducedMotion: "reduce",
      acceptDownloads: true,
    });
    context.setDefaultTimeout(WAIT);
    const studio = new Studio(context, await context.newPage(), address);
    await studio.page.goto(`${address}/${hash}`);
    await studio.wear(theme);
    return studio;
  }

  /** Switches to a theme by the button for it. */
  async wear(theme: "dark" | "light"): Promise<void> {
    const button = this.page.getByTestId("theme-toggle");
    await button.waitFor();
    const worn = () => this.page.evaluate(() => document.documentElement.dataset["mantineColorScheme"] ?? "");
    if ((await worn()) !== theme) await button.click();
    await expect.poll(worn).toBe(theme);
  }

  async leave(): Promise<void> {
    await this.context.close();
    expect(this.problems).toEqual([]);
  }

  // -- the gallery

  /** Opens a picture from the gallery and waits until the model is ready for it. */
  async open(name: string): Promise<void> {
    await this.gallery();
    await this.page.locator(`[data-testid="tile"][data-name="${name}"]`).click();
    await this.ready(name);
    // The first steps lie over the picture until they are read.
    const read = this.page.getByRole("button", { name: "Got it" });
    if (await read.isVisible()) await read.click();
  }

  async gallery(): Promise<void> {
    if ((await this.page.getByTestId("tile").count()) > 0) return;
    const here = this.page.getByTestId("nav-gallery");
    if (await here.isVisible().catch(() => false)) await here.click();
    else await this.page.goto(`${this.address}/`);
    await this.page.getByTestId("tile").first().waitFor();
  }

  /** Opens the menu of a picture in the gallery. */
  async menuOf(name: string): Promise<void> {
    await this.gallery();
    await this.page.locator(`[data-testid="tile"][data-name="${name}"]`).hover();
    await this.page.getByRole("button", { name: `Menu of ${name}` }).click();
    await this.page.getByTestId("remove-picture").waitFor();
  }

  /** The id of the project that is shown. */
  async project(): Promise<string> {
    await this.page.waitForFunction(() => /#\/p\/[0-9a-f]+/.test(window.location.hash));
    return /#\/p\/([0-9a-f]+)/.exec(new URL(this.page.url()).hash)?.[1] ?? "";
  }

  async ready(name: string): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => {
        const state = window.__studio?.state();
        return state?.image?.name === wanted && state.phase === "ready" && state.embedded;
      },
      name,
      { timeout: WAIT },
    );
    await this.still();
  }

  // -- the stage

  /** Where a point of the picture is in the window. */
  async at(x: number, y: number): Promise<{ x: number; y: number }> {
    return await this.page.evaluate(
      ([left, top]) => {
        const hook = window.__studio;
        if (!hook) throw new Error("there is no stage");
        return hook.toScreen(left as number, top as number);
      },
      [x, y],
    );
  }

  async hoverImage(x: number, y: number): Promise<void> {
    const { x: left, y: top } = await this.at(x, y);
    await this.page.mouse.move(left - 3, top - 3);
    await this.page.mouse.move(left, top);
  }

  async clickImage(x: number, y: number, button: Button = "left"): Promise<void> {
    const { x: left, y: top } = await this.at(x, y);
    await this.page.mouse.click(left, top, { button });
    await this.answered();
  }

  async drag(...points: (readonly [number, number])[]): Promise<void> {
    const places = await Promise.all(points.map(([x, y]) => this.at(x, y)));
    const [first, ...rest] = places;
    if (!first) return;
    await this.page.mouse.move(first.x, first.y);
    await this.page.mouse.down();
    for (const place of rest) await this.page.mouse.move(place.x, place.y, { steps: 6 });
    await this.page.mouse.up();
    await this.answered();
  }

  /** Waits until no question to the model is open. */
  async answered(): Promise<void> {
    await this.page.waitForTimeout(50);
    await this.page.waitForFunction(() => window.__studio?.state().asking === 0);
  }

  async tool(name: string): Promise<void> {
    await this.page.getByTestId(`tool-${name}`).click();
  }

  /** Picks objects in the list, the first alone, the others with Ctrl. */
  async select(...ids: string[]): Promise<void> {
    for (const [index, id] of ids.entries())
      await this.page
        .locator(`[data-testid="object-row"][data-object="${id}"]`)
        .click({ modifiers: index > 0 ? ["Control"] : [] });
  }

  /** Makes a label of this name by typing it. */
  async addLabel(name: string): Promise<void> {
    const input = this.page.getByTestId("label-input");
    await input.fill(name);
    await input.press("Enter");
    await this.page.getByTestId(`label-${name}`).waitFor();
    await input.press("Escape");
    await input.blur();
  }

  async key(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  // -- what is there

  async state<T>(look: (state: EditorState) => T): Promise<T> {
    // Sent to the page as text: it may use nothing but its argument.
    return (await this.page.evaluate(`(${look.toString()})(window.__studio.state())`)) as T;
  }

  async objects(): Promise<Shown[]> {
    return await this.state((state) =>
      state.order.map(({ id, area, label, source }) => ({ id, area, label, source })),
    );
  }

  async maskCount(): Promise<number> {
    return (await this.objects()).length;
  }

  async candidates(): Promise<{ area: number; score: number }[]> {
    return await this.state(
      (state) => state.draft?.candidates.map(({ area, score }) => ({ area, score })) ?? [],
    );
  }

  /** Waits until the model offers a mask for what was asked. */
  async offered(): Promise<void> {
    await this.page.waitForFunction(() => (window.__studio?.state().draft?.candidates.length ?? 0) > 0);
  }

  /** Click, take the model's best answer. */
  async make(x: number, y: number): Promise<void> {
    const before = await this.maskCount();
    await this.clickImage(x, y);
    await this.offered();
    await this.key("Enter");
    await this.page.waitForFunction((count) => window.__studio?.state().order.length === count, before + 1);
  }

  /** Waits until everything that was done is on the server's disk. */
  async saved(): Promise<void> {
    await this.page.waitForFunction(() => {
      const save = window.__studio?.state().save;
      return save?.state === "saved";
    });
  }

  // -- dialogs

  async export(format: string): Promise<string> {
    await this.gallery();
    await this.page.getByTestId("export").click();
    await this.page.getByTestId(`format-${format}`).click();
    const download = this.page.waitForEvent("download");
    await this.page.getByTestId("export-start").click();
    return await (await download).path();
  }

  /** Waits until nothing moves: for pictures and for clicks on what slides in. */
  async still(): Promise<void> {
    await this.page.waitForFunction(() =>
      document.getAnimations().every((one) => one.playState !== "running"),
    );
    await this.page.waitForTimeout(150);
  }

  // -- the line

  async slowLine(kilobytesPerSecond: number, latency: number): Promise<CDPSession> {
    const session = await this.context.newCDPSession(this.page);
    await session.send("Network.enable");
    const bytes = kilobytesPerSecond * 1024;
    await session.send("Network.emulateNetworkConditions", {
      offline: false,
      latency,
      downloadThroughput: bytes,
      uploadThroughput: bytes,
    });
    return session;
  }
}
