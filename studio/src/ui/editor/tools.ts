import {
  Brush,
  Eraser,
  Highlighter,
  Lasso,
  type LucideIcon,
  MousePointer2,
  MousePointerClick,
  Pentagon,
  ScanSearch,
  Spline,
  SquareDashedMousePointer,
  SquareStack,
} from "lucide-react";
import type { ToolName } from "../../state/editorStore";

export interface ToolFace {
  tool: ToolName;
  icon: LucideIcon;
  label: string;
  /** What to do with it, in one sentence, for the status bar. */
  hint: string;
}

/** The tools in the order of the rail; a group ends where the next one begins. */
export const TOOL_GROUPS: readonly (readonly ToolFace[])[] = [
  [
    {
      tool: "click",
      icon: MousePointerClick,
      label: "Click",
      hint: "Click an object. Click again to add a part, right-click or Alt-click to take one away. Enter keeps it.",
    },
    {
      tool: "box",
      icon: SquareDashedMousePointer,
      label: "Box",
      hint: "Drag a box around one object, then correct it with clicks.",
    },
    {
      tool: "boxes",
      icon: SquareStack,
      label: "Several boxes",
      hint: "Drag a box around each object. Enter asks for all.",
    },
    {
      tool: "lasso",
      icon: Lasso,
      label: "Lasso",
      hint: "Draw around an object. The outline snaps to it; hold Alt at the end to keep it as drawn.",
    },
    {
      tool: "scribble",
      icon: Spline,
      label: "Scribble",
      hint: "Draw a line over the object. Alt draws over what is not part of it.",
    },
    {
      tool: "rough",
      icon: Highlighter,
      label: "Rough paint",
      hint: "Paint roughly over the object. The model finds its edge.",
    },
    {
      tool: "everything",
      icon: ScanSearch,
      label: "Everything",
      hint: "Find all objects, then click those to keep.",
    },
  ],
  [
    { tool: "brush", icon: Brush, label: "Brush", hint: "Paint pixels exactly. [ and ] change the size." },
    { tool: "eraser", icon: Eraser, label: "Eraser", hint: "Wipe pixels away. [ and ] change the size." },
    {
      tool: "polygon",
      icon: Pentagon,
      label: "Polygon",
      hint: "Click corner after corner. Enter or the first corner closes it; Alt-click the first corner to snap.",
    },
  ],
  [
    {
      tool: "select",
      icon: MousePointer2,
      label: "Select",
      hint: "Click an object, Shift adds more. Drag its corners or its line to reshape it, Alt-click a corner to drop it.",
    },
  ],
];

const FACES: ReadonlyMap<ToolName, ToolFace> = new Map(TOOL_GROUPS.flat().map((face) => [face.tool, face]));

export function toolFace(tool: ToolName): ToolFace | undefined {
  return FACES.get(tool);
}

/** Tools that paint, and so have a size. */
export function hasBrush(tool: ToolName): boolean {
  return tool === "brush" || tool === "eraser" || tool === "rough";
}
