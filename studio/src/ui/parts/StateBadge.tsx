import { Check, CheckCheck, Circle, CircleDot, X } from "lucide-react";
import type { ImageState } from "../data/types";

const STATES = {
  new: { label: "New", icon: Circle },
  in_progress: { label: "In progress", icon: CircleDot },
  done: { label: "Done", icon: Check },
  accepted: { label: "Accepted", icon: CheckCheck },
  rejected: { label: "Rejected", icon: X },
} as const;

export const IMAGE_STATES = Object.keys(STATES) as ImageState[];

export function stateLabel(state: ImageState): string {
  return STATES[state].label;
}

/** Where a picture stands: icon, word and colour, so that none of them carries it alone. */
export function StateBadge({ state }: { state: ImageState }) {
  const { label, icon: Icon } = STATES[state];
  return (
    <span className="state-badge" data-state={state}>
      <Icon size={12} aria-hidden />
      {label}
    </span>
  );
}
