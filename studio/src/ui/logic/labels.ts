import type { Label } from "../../core/types";

/** Labels in use whose name holds the words of `search`, in any order: the one of that name first, then those
 * that begin with it. */
export function matchingLabels(labels: readonly Label[], search: string): Label[] {
  const words = search.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = labels.filter((label) => {
    const name = label.name.toLowerCase();
    return !label.archived && words.every((word) => name.includes(word));
  });
  const whole = search.trim().toLowerCase();
  const rank = ({ name }: Label) =>
    name.toLowerCase() === whole ? 0 : name.toLowerCase().startsWith(words[0] ?? "") ? 1 : 2;
  return words.length === 0 ? found : found.sort((a, b) => rank(a) - rank(b) || a.position - b.position);
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];

/** The first digit key that no label in use has; null if all are taken. */
export function freeHotkey(labels: readonly Label[]): string | null {
  const taken = new Set(labels.filter(({ archived }) => !archived).map(({ hotkey }) => hotkey));
  return DIGITS.find((digit) => !taken.has(digit)) ?? null;
}

/** Colours that people with any colour vision tell apart, to choose from (after Okabe and Ito, 2008; Tol, 2018). */
export const SWATCHES: string[] = [
  "#e69f00",
  "#56b4e9",
  "#009e73",
  "#f0e442",
  "#0072b2",
  "#d55e00",
  "#cc79a7",
  "#44aa99",
  "#ddcc77",
  "#aa4499",
  "#88ccee",
  "#cc6677",
];
