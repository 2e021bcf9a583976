import { ActionIcon, Button, Divider, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { Archive, ArchiveRestore, Merge, Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { mergeLabel, updateLabel } from "../data/mutations";
import type { Label, LabelAttribute } from "../data/types";
import { parseChoices } from "../logic/attributes";
import { useAttempt } from "../parts/useAttempt";

const KINDS: { value: LabelAttribute["kind"]; label: string }[] = [
  { value: "select", label: "Choice" },
  { value: "checkbox", label: "Yes or no" },
  { value: "number", label: "Number" },
  { value: "text", label: "Text" },
];

/** An attribute while it is typed; its choices as one text. */
interface Draft {
  key: number;
  name: string;
  kind: LabelAttribute["kind"];
  choices: string;
}

function draftOf(attribute: LabelAttribute, key: number): Draft {
  return { key, name: attribute.name, kind: attribute.kind, choices: attribute.choices.join(", ") };
}

function attributeOf({ name, kind, choices }: Draft): LabelAttribute {
  return { name: name.trim(), kind, choices: kind === "select" ? parseChoices(choices) : [] };
}

interface AttributeProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  remove: () => void;
}

function Attribute({ draft, change, remove }: AttributeProps) {
  return (
    <div className="attribute-row">
      <TextInput
        aria-label="Attribute"
        placeholder="such as: colour"
        size="xs"
        required
        maxLength={100}
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <Select
        aria-label={`Kind of ${draft.name || "the attribute"}`}
        size="xs"
        allowDeselect={false}
        data={KINDS}
        value={draft.kind}
        onChange={(kind) => change({ kind: kind as LabelAttribute["kind"] })}
      />
      <ActionIcon size={28} aria-label={`Take ${draft.name || "the attribute"} away`} onClick={remove}>
        <Trash2 size={15} aria-hidden />
      </ActionIcon>
      {draft.kind === "select" ? (
        <TextInput
          className="attribute-choices"
          aria-label={`Choices of ${draft.name || "the attribute"}`}
          placeholder="Choices with commas: red, green, blue"
          size="xs"
          required
          value={draft.choices}
          onChange={(event) => change({ choices: event.currentTarget.value })}
        />
      ) : null}
    </div>
  );
}

function useDrafts(label: Label) {
  const [drafts, setDrafts] = useState(() => label.attributes.map(draftOf));
  const [next, setNext] = useState(label.attributes.length);
  return {
    drafts,
    add: () => {
      setDrafts([...drafts, { key: next, name: "", kind: "select", choices: "" }]);
      setNext(next + 1);
    },
    change: (key: number, part: Partial<Draft>) =>
      setDrafts(drafts.map((draft) => (draft.key === key ? { ...draft, ...part } : draft))),
    remove: (key: number) => setDrafts(drafts.filter((draft) => draft.key !== key)),
  };
}

interface LabelDialogProps {
  project: string;
  label: Label;
  labels: readonly Label[];
  close: () => void;
}

function MergeInto({ project, label, labels, close }: LabelDialogProps) {
  const [into, setInto] = useState<string | null>(null);
  const target = labels.find((other) => other.id === into);
  const merging = useAttempt(async () => {
    if (into) await mergeLabel(project, label.id, into);
    close();
  }, `“${label.name}” is now “${target?.name}”.`);
  const others = labels.filter((other) => other.id !== label.id && !other.archived);
  return (
    <div className="row-with-button">
      <Select
        aria-label="Merge into"
        placeholder="Merge into another label"
        size="xs"
        searchable
        data={others.map((other) => ({ value: other.id, label: other.name }))}
        value={into}
        onChange={setInto}
      />
      <Button
        size="xs"
        variant="default"
        leftSection={<Merge size={15} aria-hidden />}
        disabled={into === null}
        loading={merging.running}
        onClick={() => void merging.run()}
      >
        Merge
      </Button>
    </div>
  );
}

/** Name and attributes of a label; merging it into another, putting it away. */
export function LabelDialog(props: LabelDialogProps) {
  const { project, label, close } = props;
  const [name, setName] = useState(label.name);
  const { drafts, add, change, remove } = useDrafts(label);
  const saving = useAttempt(async () => {
    await updateLabel(project, label.id, { name: name.trim(), attributes: drafts.map(attributeOf) });
    close();
  });
  const archiving = useAttempt(async () => {
    await updateLabel(project, label.id, { archived: !label.archived });
    close();
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    void saving.run();
  }
  return (
    <Modal opened onClose={close} title={`Label: ${label.name}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Name"
            required
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <div>
            <Text size="sm" fw={500}>
              Attributes
            </Text>
            <Text size="xs" c="dimmed" mb={6}>
              Asked for each object of this label.
            </Text>
            <Stack gap={6}>
              {drafts.map((draft) => (
                <Attribute
                  key={draft.key}
                  draft={draft}
                  change={(part) => change(draft.key, part)}
                  remove={() => remove(draft.key)}
                />
              ))}
              <Button
                size="compact-sm"
                variant="default"
                w="fit-content"
                leftSection={<Plus size={14} aria-hidden />}
                onClick={add}
              >
                Add an attribute
              </Button>
            </Stack>
          </div>
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={saving.running}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
      <Divider my="md" />
      <Stack gap="xs">
        <MergeInto {...props} />
        <Button
          size="xs"
          variant="default"
          w="fit-content"
          leftSection={
            label.archived ? <ArchiveRestore size={15} aria-hidden /> : <Archive size={15} aria-hidden />
          }
          loading={archiving.running}
          onClick={() => void archiving.run()}
        >
          {label.archived ? "Use it again" : "Archive: no longer offer it"}
        </Button>
      </Stack>
    </Modal>
  );
}
