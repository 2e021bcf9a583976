import type { Command, Scope } from "../../core/commands";
import type { Keymap } from "../../core/keys";

export interface CommandGroup {
  group: string;
  commands: Command[];
}

/** The commands of a place and of everywhere that have keys, by group in the list's own order. */
export function groupedCommands(commands: readonly Command[], scope: Scope, keymap: Keymap): CommandGroup[] {
  const groups = new Map<string, Command[]>();
  for (const command of commands) {
    const isHere = command.scope === scope || command.scope === "everywhere";
    if (!isHere || (keymap.get(command.name) ?? []).length === 0) continue;
    groups.set(command.group, [...(groups.get(command.group) ?? []), command]);
  }
  return [...groups].map(([group, list]) => ({ group, commands: list }));
}
