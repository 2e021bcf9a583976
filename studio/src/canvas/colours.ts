import type { Id, Label, MaskObject } from "../core/types";

/** For objects without a label: apart in lightness as well as in hue, and rare in photographs. */
const PALETTE = [
  "#56b4e9",
  "#f0e442",
  "#cc79a7",
  "#2ecc9a",
  "#a78bfa",
  "#ff6b9d",
  "#b2df8a",
  "#4dd4e8",
] as const;

function hash(text: string): number {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16777619);
  return value >>> 0;
}

/** #rrggbb of an object: its label's, or one of its own that stays the same. */
export function colourOf(object: Pick<MaskObject, "id" | "label">, labels: ReadonlyMap<Id, Label>): string {
  const label = object.label === null ? undefined : labels.get(object.label);
  return label?.colour ?? (PALETTE[hash(object.id) % PALETTE.length] as string);
}
