import type { Attributes, LabelAttribute } from "../../core/types";

/** An object's value of an attribute, null where there is none or it does not fit the kind. */
export function attributeValue(
  attributes: Attributes,
  field: LabelAttribute,
): string | number | boolean | null {
  const value = attributes[field.name];
  if (value === undefined) return null;
  switch (field.kind) {
    case "checkbox":
      return typeof value === "boolean" ? value : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "select":
      return typeof value === "string" && field.choices.includes(value) ? value : null;
    case "text":
      return String(value);
  }
}

/** The attributes with one value set, or taken away by null or a number that is none. */
export function withAttribute(
  attributes: Attributes,
  name: string,
  value: string | number | boolean | null,
): Attributes {
  const { [name]: _, ...others } = attributes;
  if (value === null || Number.isNaN(value)) return others;
  return { ...others, [name]: value };
}

/** Choices typed as "red, green, blue": trimmed, none empty, none twice. */
export function parseChoices(text: string): string[] {
  return [...new Set(text.split(",").map((choice) => choice.trim()))].filter(Boolean);
}
