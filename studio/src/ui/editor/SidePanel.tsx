import { LabelPalette } from "./LabelPalette";
import { ObjectList } from "./ObjectList";

/** At the stage's side: labels and objects. */
export function SidePanel({ project }: { project: string }) {
  return (
    <aside className="side-panel" aria-label="Labels and objects">
      <LabelPalette project={project} />
      <ObjectList />
    </aside>
  );
}
