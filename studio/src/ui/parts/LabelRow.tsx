import { ActionIcon, Badge, Button, ColorInput, Select, Tooltip } from "@mantine/core";
import { ArrowDown, ArrowUp, Pencil } from "lucide-react";
import { type LabelChange, updateLabel } from "../data/mutations";
import type { Label } from "../data/types";
import { isHexColour } from "../logic/colour";
import { plural } from "../logic/format";
import { SWATCHES } from "../logic/labels";
import { showProblem } from "./useAttempt";

interface LabelRowProps {
  project: string;
  label: Label;
  masks: number;
  before: Label | undefined;
  after: Label | undefined;
  edit: () => void;
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];

/** One label: colour, name, key, how often it is used, its place in the list. */
export function LabelRow({ project, label, masks, before, after, edit }: LabelRowProps) {
  const change = (part: LabelChange) => updateLabel(project, label.id, part).catch(showProblem);
  function swap(other: Label | undefined) {
    if (!other) return;
    const [mine, theirs] = [other.position, label.position];
    Promise.all([
      updateLabel(project, label.id, { position: mine }),
      updateLabel(project, other.id, { position: theirs }),
    ]).catch(showProblem);
  }
  return (
    <li className="label-row" data-testid={`label-row-${label.name}`}>
      <ColorInput
        aria-label={`Colour of ${label.name}`}
        size="xs"
        w={100}
        withEyeDropper={false}
        format="hex"
        swatches={SWATCHES}
        defaultValue={label.colour}
        key={label.colour}
        onChangeEnd={(colour) => (isHexColour(colour) ? change({ colour: colour.toLowerCase() }) : undefined)}
      />
      <span className="label-row-name">
        {label.name}
        {label.archived ? (
          <Badge color="gray" variant="outline" size="sm" tt="none" ml={8}>
            Archived
          </Badge>
        ) : null}
      </span>
      <span className="dimmed label-row-count">{plural(masks, "mask")}</span>
      <Select
        aria-label={`Key of ${label.name}`}
        size="xs"
        w={84}
        placeholder="no key"
        clearable
        clearButtonProps={{ "aria-label": `No key for ${label.name}` }}
        data={DIGITS}
        value={label.hotkey}
        onChange={(hotkey) => change({ hotkey: hotkey ?? "" })}
      />
      <span className="label-row-buttons">
        <Tooltip label="Up">
          <ActionIcon
            size={28}
            aria-label={`${label.name} up`}
            disabled={!before}
            onClick={() => swap(before)}
          >
            <ArrowUp size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Down">
          <ActionIcon
            size={28}
            aria-label={`${label.name} down`}
            disabled={!after}
            onClick={() => swap(after)}
          >
            <ArrowDown size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<Pencil size={13} aria-hidden />}
          onClick={edit}
          aria-label={`Edit ${label.name}`}
        >
          Edit
        </Button>
      </span>
    </li>
  );
}
