/** axe-core over what a window shows. */

import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { Studio } from "./studio";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

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

/** Fails where a rule of WCAG 2.2 AA is broken. `where`: what is shown, for the message. */
export async function check(studio: Studio, where: string): Promise<void> {
  await studio.still();
  expect(await violations(studio.page), where).toEqual([]);
}
