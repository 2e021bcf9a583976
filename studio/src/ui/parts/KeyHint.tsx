import { Kbd } from "@mantine/core";
import { useKeyText } from "../keys";

/** A command's name with its key, for tooltips and menus. */
export function KeyHint({ command, text }: { command: string; text: string }) {
  const key = useKeyText(command);
  return (
    <span className="key-hint">
      {text}
      {key ? <Kbd size="xs">{key}</Kbd> : null}
    </span>
  );
}
