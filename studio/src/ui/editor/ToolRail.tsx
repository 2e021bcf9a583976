import { ActionIcon, Slider, Tooltip } from "@mantine/core";
import { Redo2, Undo2 } from "lucide-react";
import { Fragment } from "react";
import { editor } from "../../editor";
import { useEditor } from "../../state/editorStore";
import { KeyHint } from "../parts/KeyHint";
import { hasBrush, TOOL_GROUPS, type ToolFace } from "./tools";

function ToolButton({ face, active }: { face: ToolFace; active: boolean }) {
  return (
    <Tooltip position="right" label={<KeyHint command={`tool.${face.tool}`} text={face.label} />}>
      <ActionIcon
        size={38}
        className="tool-button"
        aria-label={face.label}
        aria-pressed={active}
        data-active={active || undefined}
        data-testid={`tool-${face.tool}`}
        onClick={() => editor.setTool(face.tool)}
      >
        <face.icon size={19} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

function BrushSize() {
  const brush = useEditor((state) => state.brush);
  return (
    <Tooltip position="right" label={`Brush size: ${Math.round(brush)} pixels`}>
      <div className="brush-size">
        <Slider
          orientation="vertical"
          size="sm"
          h={90}
          min={1}
          max={200}
          label={(value) => `${value} px`}
          value={Math.round(brush)}
          onChange={(value) => editor.setBrush(value)}
          thumbLabel="Brush size in pixels"
        />
      </div>
    </Tooltip>
  );
}

function History() {
  const undoes = useEditor((state) => state.undoes);
  const redoes = useEditor((state) => state.redoes);
  return (
    <>
      <Tooltip position="right" label={<KeyHint command="undo" text={undoes ? `Undo: ${undoes}` : "Undo"} />}>
        <ActionIcon
          size={38}
          aria-label="Undo"
          disabled={undoes === null}
          onClick={() => editor.undo()}
          data-testid="undo"
        >
          <Undo2 size={19} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Tooltip position="right" label={<KeyHint command="redo" text={redoes ? `Redo: ${redoes}` : "Redo"} />}>
        <ActionIcon
          size={38}
          aria-label="Redo"
          disabled={redoes === null}
          onClick={() => editor.redo()}
          data-testid="redo"
        >
          <Redo2 size={19} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </>
  );
}

/** The tools, one column of buttons at the stage's side. */
export function ToolRail() {
  const tool = useEditor((state) => state.tool);
  return (
    <div className="tool-rail" role="toolbar" aria-label="Tools" aria-orientation="vertical">
      {TOOL_GROUPS.map((group) => (
        <Fragment key={group[0]?.tool}>
          {group.map((face) => (
            <ToolButton key={face.tool} face={face} active={face.tool === tool} />
          ))}
          <hr className="rail-line" />
        </Fragment>
      ))}
      <History />
      {hasBrush(tool) ? <BrushSize /> : null}
    </div>
  );
}
