import { useEffect, useRef } from "react";
import { editor } from "../editor";
import { useEditor } from "../state/editorStore";
import { StageView } from "./stageView";
import { installHook } from "./testHook";

interface StageProps {
  project: string;
  image: string;
  review?: boolean;
}

/** The picture with its masks, where tools work. Opens the picture in the editor, and closes it when it goes. */
export function Stage({ project, image, review = false }: StageProps) {
  const root = useRef<HTMLDivElement>(null);
  const name = useEditor((state) => state.image?.name ?? "Picture");

  useEffect(() => {
    if (!root.current) return;
    const stage = new StageView(root.current, editor);
    const unhook = installHook(stage, root.current);
    const keys = new AbortController();
    window.addEventListener("keydown", (event) => holdSpace(stage, event, true), { signal: keys.signal });
    window.addEventListener("keyup", (event) => holdSpace(stage, event, false), { signal: keys.signal });
    return () => {
      keys.abort();
      unhook();
      stage.destroy();
    };
  }, []);

  useEffect(() => {
    void editor.open(project, image, review);
    return () => void editor.close();
  }, [project, image, review]);

  useEffect(() => {
    if (review) editor.setTool("review");
    else if (editor.state.tool === "review") editor.setTool("click");
  }, [review]);

  // The stage is worked on with the pointer; everything it does can be done from the keyboard and the object list, too.
  return (
    <div
      ref={root}
      className="stage"
      data-testid="stage"
      role="application"
      aria-label={name}
      tabIndex={-1}
      style={{ position: "absolute", inset: 0, overflow: "hidden" }}
    />
  );
}

function holdSpace(stage: StageView, event: KeyboardEvent, held: boolean): void {
  if (event.key === "Control" && !held) editor.send({ type: "release" });
  if (event.code !== "Space" || isControl(event.target)) return;
  stage.space = held;
  event.preventDefault(); // the page would scroll
}

/** Whether the space bar belongs to what has the focus: a field, or a button that it presses. */
function isControl(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("input, textarea, select, button, a, [contenteditable]") !== null
  );
}
