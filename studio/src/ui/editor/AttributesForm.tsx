import { Checkbox, NumberInput, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { LabelAttribute, MaskObject } from "../../core/types";
import { editor } from "../../editor";
import { attributeValue, withAttribute } from "../logic/attributes";

interface FieldProps {
  field: LabelAttribute;
  object: MaskObject;
}

function set(object: MaskObject, name: string, value: string | number | boolean | null) {
  editor.setAttributes(object.id, withAttribute(object.attributes, name, value));
}

/** Text and numbers are kept when one leaves the field, so that each letter is no step of its own. */
function TypedField({ field, object }: FieldProps) {
  const [text, setText] = useState(String(attributeValue(object.attributes, field) ?? ""));
  const common = {
    label: field.name,
    size: "xs" as const,
    disabled: object.locked,
    value: text,
    onKeyDown: (event: { key: string; currentTarget: HTMLElement }) => {
      if (event.key === "Enter") event.currentTarget.blur();
    },
  };
  if (field.kind === "number") {
    const keep = () => set(object, field.name, text.trim() === "" ? null : Number(text));
    return <NumberInput {...common} onChange={(value) => setText(String(value))} onBlur={keep} />;
  }
  const keep = () => set(object, field.name, text.trim() === "" ? null : text.trim());
  return (
    <TextInput
      {...common}
      maxLength={2000}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={keep}
    />
  );
}

function Field({ field, object }: FieldProps) {
  const value = attributeValue(object.attributes, field);
  if (field.kind === "checkbox") {
    return (
      <Checkbox
        size="xs"
        label={field.name}
        disabled={object.locked}
        checked={value === true}
        onChange={(event) => set(object, field.name, event.currentTarget.checked)}
      />
    );
  }
  if (field.kind === "select") {
    return (
      <Select
        label={field.name}
        size="xs"
        clearable
        clearButtonProps={{ "aria-label": `No ${field.name}` }}
        disabled={object.locked}
        data={[...field.choices]}
        value={typeof value === "string" ? value : null}
        onChange={(choice) => set(object, field.name, choice)}
      />
    );
  }
  return <TypedField field={field} object={object} />;
}

/** What a label asks to be filled in for each of its objects. */
export function AttributesForm({
  object,
  fields,
}: {
  object: MaskObject;
  fields: readonly LabelAttribute[];
}) {
  return (
    <fieldset className="attributes">
      <legend>Attributes</legend>
      {fields.map((field) => (
        <Field key={`${object.id} ${object.label} ${field.name}`} field={field} object={object} />
      ))}
    </fieldset>
  );
}
