import { ActionIcon, Button, Menu, Tooltip } from "@mantine/core";
import {
  Clipboard,
  Copy,
  Crosshair,
  Download,
  History,
  type LucideIcon,
  PaintBucket,
  Scissors,
  Shapes,
  Sparkle,
  SquaresIntersect,
  SquaresSubtract,
  SquaresUnite,
  Trash2,
} from "lucide-react";
import { useState } from "react";
import type { MaskObject } from "../../core/types";
import { editor } from "../../editor";
import { type EditorState, useEditor } from "../../state/editorStore";
import { HistoryDialog } from "../dialogs/HistoryDialog";
import { formatSeconds, plural } from "../logic/format";
import { sourceText } from "../logic/objects";
import { KeyHint } from "../parts/KeyHint";
import { AttributesForm } from "./AttributesForm";
import { SimplifyControl } from "./SimplifyControl";

interface ActionProps {
  icon: LucideIcon;
  label: string;
  command: string;
  onClick: () => void;
  disabled?: boolean;
  danger?: boolean;
}

function Action({ icon: Icon, label, command, onClick, disabled = false, danger = false }: ActionProps) {
  return (
    <Tooltip label={<KeyHint command={command} text={label} />}>
      <ActionIcon
        size={28}
        aria-label={label}
        disabled={disabled}
        onClick={onClick}
        data-danger={danger || undefined}
        data-testid={command}
      >
        <Icon size={17} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

function CutOut({ ids }: { ids: readonly string[] }) {
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Tooltip label="Cut out">
          <ActionIcon size={28} aria-label="Cut out" data-testid="cut-out">
            <Scissors size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Clipboard size={15} />} onClick={() => void editor.cutOut(ids, "clipboard")}>
          Copy
        </Menu.Item>
        <Menu.Item leftSection={<Download size={15} />} onClick={() => void editor.cutOut(ids, "file")}>
          Save as PNG
        </Menu.Item>
        <Menu.Item leftSection={<Shapes size={15} />} onClick={() => void editor.cutOut(ids, "collage")}>
          Put on the collage
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Actions({ ids, only }: { ids: readonly string[]; only: MaskObject | undefined }) {
  const several = ids.length > 1;
  return (
    <div className="selection-actions" role="toolbar" aria-label="Selected objects">
      <Action
        icon={Crosshair}
        label="Refine with clicks"
        command="object.refine"
        disabled={several || only?.locked === true}
        onClick={() => (only ? editor.refine(only.id) : undefined)}
      />
      <Action
        icon={PaintBucket}
        label="Fill holes"
        command="mask.fillHoles"
        onClick={() => editor.fillHoles(ids)}
      />
      <Action
        icon={Sparkle}
        label="Remove islands"
        command="mask.removeIslands"
        onClick={() => editor.removeIslands(ids)}
      />
      <Action
        icon={SquaresUnite}
        label="Unite"
        command="mask.union"
        disabled={!several}
        onClick={() => editor.combine(ids, "union")}
      />
      <Action
        icon={SquaresSubtract}
        label="Take the others from the first"
        command="mask.subtract"
        disabled={!several}
        onClick={() => editor.combine(ids, "subtract")}
      />
      <Action
        icon={SquaresIntersect}
        label="Keep what they share"
        command="mask.intersect"
        disabled={!several}
        onClick={() => editor.combine(ids, "intersect")}
      />
      <CutOut ids={ids} />
      <Action
        icon={Copy}
        label="Duplicate"
        command="object.duplicate"
        onClick={() => editor.duplicate(ids)}
      />
      <Action
        icon={Trash2}
        label="Delete"
        command="object.delete"
        danger
        onClick={() => editor.remove(ids)}
      />
    </div>
  );
}

function Facts({ object }: { object: MaskObject }) {
  const parts = [
    sourceText(object.source),
    object.score === null ? null : `score ${Math.round(object.score * 100)} %`,
    object.seconds > 0 ? formatSeconds(object.seconds) : null,
  ];
  return <p className="panel-note">{parts.filter(Boolean).join(" · ")}</p>;
}

function One({ object }: { object: MaskObject }) {
  const [showsHistory, setShowsHistory] = useState(false);
  const label = useEditor((state) => state.labels.find(({ id }) => id === object.label));
  return (
    <>
      <Facts object={object} />
      <SimplifyControl key={object.id} object={object} />
      {label && label.attributes.length > 0 ? (
        <AttributesForm object={object} fields={label.attributes} />
      ) : null}
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        className="history-button"
        leftSection={<History size={14} aria-hidden />}
        onClick={() => setShowsHistory(true)}
      >
        History
      </Button>
      {showsHistory ? (
        <HistoryDialog object={object.id} locked={object.locked} close={() => setShowsHistory(false)} />
      ) : null}
    </>
  );
}

const onlySelected = (state: EditorState) => {
  const [first, second] = state.view.selection;
  return first !== undefined && second === undefined ? state.objects.get(first) : undefined;
};

/** What can be done with the selected objects. */
export function SelectionPanel() {
  const selection = useEditor((state) => state.view.selection);
  const only = useEditor(onlySelected);
  if (selection.size === 0) return null;
  const ids = [...selection];
  return (
    <section className="panel-section selection-panel" aria-label="Selection" data-testid="selection">
      <div className="panel-head">
        <h2>{plural(ids.length, "object")} selected</h2>
      </div>
      <Actions ids={ids} only={only} />
      {only ? <One object={only} /> : null}
    </section>
  );
}
