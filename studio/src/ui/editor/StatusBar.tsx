import { ActionIcon, Loader, Tooltip } from "@mantine/core";
import { Maximize, Minus, Plus } from "lucide-react";
import { editor } from "../../editor";
import { type EditorState, useEditor } from "../../state/editorStore";
import { KeyHint } from "../parts/KeyHint";
import { toolFace } from "./tools";
import { ViewPopover } from "./ViewPopover";

function zoomText(zoom: number): string {
  const value = zoom * 100;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

function Zoom() {
  const zoom = useEditor((state) => state.zoom);
  return (
    <div className="zoom">
      <ActionIcon size={26} aria-label="Zoom out" onClick={() => editor.zoomBy(1 / 1.25)}>
        <Minus size={14} aria-hidden />
      </ActionIcon>
      <span className="zoom-value" data-testid="zoom">
        {zoomText(zoom)}
      </span>
      <ActionIcon size={26} aria-label="Zoom in" onClick={() => editor.zoomBy(1.25)}>
        <Plus size={14} aria-hidden />
      </ActionIcon>
      <Tooltip label={<KeyHint command="view.fit" text="Fit the picture" />}>
        <ActionIcon size={26} aria-label="Fit the picture" onClick={() => editor.fit()}>
          <Maximize size={14} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

const isPreparing = (state: EditorState) => state.phase === "ready" && !state.embedded;

function Readiness() {
  const preparing = useEditor(isPreparing);
  const asking = useEditor((state) => state.asking > 0);
  if (!preparing && !asking) return null;
  return (
    <span className="status-busy" role="status">
      <Loader size={12} aria-hidden />
      {preparing ? "The model looks at the picture" : "Asking the model"}
    </span>
  );
}

function Cursor() {
  const cursor = useEditor((state) => state.cursor);
  const image = useEditor((state) => state.image);
  if (!image) return null;
  return (
    <span className="status-place">
      {cursor ? `${Math.floor(cursor[0])}, ${Math.floor(cursor[1])} · ` : ""}
      {image.width} × {image.height}
    </span>
  );
}

/** Below the stage: what the tool wants, what the model does, where the cursor is, the zoom. */
export function StatusBar() {
  const tool = useEditor((state) => state.tool);
  return (
    <div className="status-bar">
      <span className="status-hint">{toolFace(tool)?.hint}</span>
      <Readiness />
      <Cursor />
      <ViewPopover />
      <Zoom />
    </div>
  );
}
