import type { Label, MaskObject, MaskSource } from "../../core/types";

/** The objects from the topmost to the lowest, those whose label's name holds `search`. */
export function listedObjects(
  order: readonly MaskObject[],
  labels: ReadonlyMap<string, Label>,
  search: string,
): MaskObject[] {
  const wanted = search.trim().toLowerCase();
  const nameOf = (object: MaskObject) => (object.label ? (labels.get(object.label)?.name ?? "") : "no label");
  return order.filter((object) => wanted === "" || nameOf(object).toLowerCase().includes(wanted)).reverse();
}

/** The ids from one to another as they stand in the list, both included, whichever comes first. */
export function rangeBetween(ids: readonly string[], from: string, to: string): string[] {
  const [first, last] = [ids.indexOf(from), ids.indexOf(to)].sort((a, b) => a - b) as [number, number];
  return first < 0 ? [to] : ids.slice(first, last + 1);
}

/** The row that an arrow key, Home or End leads to from the row of `id`; null for other keys. */
export function stepFrom(rows: readonly { id: string }[], id: string, key: string): number | null {
  const index = rows.findIndex((row) => row.id === id);
  const last = rows.length - 1;
  const target = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: last }[key];
  return index < 0 || target === undefined ? null : Math.min(last, Math.max(0, target));
}

const SOURCES: Readonly<Record<MaskSource, string>> = {
  click: "By clicks",
  box: "From a box",
  lasso: "From a lasso",
  scribble: "From a scribble",
  brush: "Painted",
  polygon: "Drawn as a polygon",
  everything: "Found by everything mode",
  propagate: "From another picture",
  import: "Imported",
  text: "Found by words",
  edit: "Edited",
};

/** How a mask came about, in words. */
export function sourceText(source: MaskSource): string {
  return SOURCES[source];
}
