/** What three answers to one click usually are, named by their sizes. */

const ALIKE = 0.9;

/**
 * "Whole", "Part" and "Detail" by area, the largest first, in the order of `areas`; where two areas are nearly the same
 * (the smaller has 90 % or more of the larger) size tells nothing and they are numbered.
 */
export function candidateNames(areas: readonly number[]): string[] {
  const numbered = areas.map((_, index) => `${index + 1}`);
  if (areas.length !== 3) return numbered;
  const sorted = [...areas].sort((a, b) => b - a);
  const isAlike = sorted.some((area, index) => index > 0 && area >= ALIKE * (sorted[index - 1] ?? 0));
  if (isAlike) return numbered;
  const names = ["Whole", "Part", "Detail"];
  return areas.map((area) => names[sorted.indexOf(area)] ?? "");
}
