import { Chip, Group, Text } from "@mantine/core";
import { useId } from "react";
import type { ImageState } from "../data/types";
import { IMAGE_STATES, stateLabel } from "./StateBadge";

interface StateChipsProps {
  label: string;
  value: ImageState[];
  change: (states: ImageState[]) => void;
}

/** A choice of pictures by where they stand. */
export function StateChips({ label, value, change }: StateChipsProps) {
  const id = useId();
  return (
    <div>
      <Text size="sm" fw={500} mb={6} id={id}>
        {label}
      </Text>
      <Chip.Group multiple value={value} onChange={(states) => change(states as ImageState[])}>
        <Group gap={6} role="group" aria-labelledby={id}>
          {IMAGE_STATES.map((state) => (
            <Chip key={state} value={state} size="xs" variant="outline">
              {stateLabel(state)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </div>
  );
}
