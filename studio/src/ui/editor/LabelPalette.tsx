import { ActionIcon, TextInput, Tooltip, UnstyledButton } from "@mantine/core";
import { Plus, Settings2 } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { editor } from "../../editor";
import { type EditorState, useEditor } from "../../state/editorStore";
import { addLabel } from "../data/mutations";
import { useMay } from "../data/queries";
import type { Label } from "../data/types";
import { inkOn } from "../logic/colour";
import { matchingLabels } from "../logic/labels";
import { showProblem } from "../parts/useAttempt";
import { navigate } from "../router";

/** A label for what is selected, or for the next object. */
function assign(label: string | null, selection: ReadonlySet<string>) {
  editor.setLabel(label);
  if (selection.size > 0) editor.relabel(selection, label);
}

interface LabelButtonProps {
  label: Label;
  active: boolean;
  onClick: () => void;
}

function LabelButton({ label, active, onClick }: LabelButtonProps) {
  return (
    <UnstyledButton
      className="label-button"
      aria-pressed={active}
      data-active={active || undefined}
      data-testid={`label-${label.name}`}
      onClick={onClick}
    >
      <span
        className="label-swatch"
        style={{ background: label.colour, color: inkOn(label.colour) }}
        aria-hidden
      >
        {label.hotkey}
      </span>
      <span className="label-name">{label.name}</span>
    </UnstyledButton>
  );
}

function usePalette(project: string) {
  const labels = useEditor((state) => state.labels);
  const selection = useEditor((state) => state.view.selection);
  const may = useMay();
  const [search, setSearch] = useState("");
  const shown = matchingLabels(labels, search);
  const known = labels.some((label) => label.name.toLowerCase() === search.trim().toLowerCase());

  async function create() {
    const name = search.trim();
    if (name === "") return;
    try {
      assign((await addLabel(project, name, labels)).id, selection);
      setSearch("");
    } catch (error) {
      showProblem(error);
    }
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const [first] = shown;
    if (first && search.trim() !== "") {
      assign(first.id, selection);
      setSearch("");
    } else if (!known && may.review) void create();
  }

  return { labels, selection, search, setSearch, shown, known, create, onKeyDown };
}

const currentLabel = (state: EditorState) => {
  const [only] = state.view.selection;
  return only === undefined ? state.label : (state.objects.get(only)?.label ?? null);
};

/** The project's labels: one press or digit labels what is selected and everything made next. */
export function LabelPalette({ project }: { project: string }) {
  const palette = usePalette(project);
  const current = useEditor(currentLabel);
  const { search, shown, known, labels, selection } = palette;
  const may = useMay();
  const isNew = may.review && search.trim() !== "" && !known;
  return (
    <section className="panel-section" aria-label="Labels">
      <div className="panel-head">
        <h2>Labels</h2>
        {may.review ? (
          <Tooltip label="Manage labels">
            <ActionIcon
              size="sm"
              aria-label="Manage labels"
              onClick={() => navigate({ page: "labels", project })}
            >
              <Settings2 size={15} aria-hidden />
            </ActionIcon>
          </Tooltip>
        ) : null}
      </div>
      <TextInput
        size="xs"
        aria-label={may.review ? "Find or add a label" : "Find a label"}
        placeholder={may.review ? "Find or add a label" : "Find a label"}
        value={search}
        onChange={(event) => palette.setSearch(event.currentTarget.value)}
        onKeyDown={palette.onKeyDown}
        data-testid="label-input"
        rightSection={
          isNew ? (
            <ActionIcon
              size="xs"
              aria-label={`Add the label ${search.trim()}`}
              onClick={() => void palette.create()}
            >
              <Plus size={14} aria-hidden />
            </ActionIcon>
          ) : null
        }
      />
      <div className="label-list">
        {shown.map((label) => (
          <LabelButton
            key={label.id}
            label={label}
            active={label.id === current}
            onClick={() => assign(label.id === current ? null : label.id, selection)}
          />
        ))}
        {labels.length === 0 ? (
          <p className="panel-note">
            {may.review
              ? "Type a name such as “cat” and press Enter. Objects may also stay without a label."
              : "A reviewer has not made labels yet. Objects may stay without one."}
          </p>
        ) : null}
      </div>
    </section>
  );
}
