import { Avatar, Tooltip } from "@mantine/core";
import { useAppStore } from "../../state/appStore";
import { initials } from "../logic/format";

const SHOWN = 4;

/** The others who look at this project now. */
export function Presence() {
  const present = useAppStore((state) => state.present);
  if (present.length === 0) return null;
  const rest = present.length - SHOWN;
  return (
    <Avatar.Group spacing={6} role="group" aria-label="People here now">
      {present.slice(0, SHOWN).map((person) => (
        <Tooltip key={person.user} label={person.name}>
          <Avatar size={26} radius="xl" color="initials" name={person.name} alt={person.name}>
            {initials(person.name)}
          </Avatar>
        </Tooltip>
      ))}
      {rest > 0 ? (
        <Avatar size={26} radius="xl" alt={`${rest} more`}>
          +{rest}
        </Avatar>
      ) : null}
    </Avatar.Group>
  );
}
