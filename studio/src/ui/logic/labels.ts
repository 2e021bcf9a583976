import type { Label } from "../../core/types";

/** Labels in use whose name holds the words of `search`, in any order; those that begin with it come first. */
export function matchingLabels(labels: readonly Label[], search: string): Label[] {
  const words = search.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = labels.filter((label) => {
    const name = label.name.toLowerCase();
    return !label.archived && words.every((word) => name.includes(word));
  });
  const rank = (label: Label) => (label.name.toLowerCase().startsWith(words[0] ?? "") ? 0 : 1);
  return words.length === 0 ? found : found.sort((a, b) => rank(a) - rank(b) || a.position - b.position);
}
