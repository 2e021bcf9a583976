import { Hints } from "./Hints";
import { LabelPalette } from "./LabelPalette";
import { ObjectList } from "./ObjectList";
import { ProposalsPanel } from "./ProposalsPanel";
import { SelectionPanel } from "./SelectionPanel";

/** At the stage's side: labels, proposals, objects, and what is selected. */
export function SidePanel({ project }: { project: string }) {
  return (
    <aside className="side-panel" aria-label="Labels and objects">
      <LabelPalette project={project} />
      <ProposalsPanel />
      <ObjectList />
      <SelectionPanel />
      <Hints />
    </aside>
  );
}
