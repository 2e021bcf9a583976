import { ActionIcon, Button, CloseButton, Kbd, Text, Tooltip } from "@mantine/core";
import { Plus, RotateCcw } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { type Command, commandOf } from "../../core/commands";
import {
  conflictsWith,
  type Keymap,
  type KeySettings,
  keyOf,
  keyText,
  withKeys,
  withoutKeys,
} from "../../core/keys";
import { setKeySettings } from "../../state/keyboard";
import { IS_MAC } from "../keys";

interface KeyRowProps {
  command: Command;
  keymap: Keymap;
  settings: KeySettings;
}

interface RecorderProps {
  take: (key: string) => void;
  end: () => void;
}

/** Waits for one press; Escape and leaving end it. */
function Recorder({ take, end }: RecorderProps) {
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    const key = keyOf(event.nativeEvent);
    if (key === "Escape") end();
    else if (key !== null) take(key);
  }
  return (
    <Button
      size="compact-xs"
      variant="light"
      autoFocus
      onKeyDown={onKeyDown}
      onBlur={end}
      className="key-recorder"
    >
      Press a key
    </Button>
  );
}

function clashText(keymap: Keymap, command: Command, keys: readonly string[], key: string): string | null {
  const clash = conflictsWith(keymap, command.name, keys).find((conflict) => conflict.key === key);
  const other = clash?.commands.find((name) => name !== command.name);
  return other ? `${keyText(key, IS_MAC)} already means “${commandOf(other)?.label}”.` : null;
}

/** A command with its keys: add one, take one away, as delivered. */
export function KeyRow({ command, keymap, settings }: KeyRowProps) {
  const [recording, setRecording] = useState(false);
  const [asked, setAsked] = useState<{ key: string; text: string } | null>(null);
  const keys = keymap.get(command.name) ?? [];
  const save = (next: readonly string[]) => setKeySettings(withKeys(settings, command.name, next));

  function take(key: string) {
    setRecording(false);
    if (keys.includes(key)) return;
    const text = clashText(keymap, command, [...keys, key], key);
    if (text) setAsked({ key, text });
    else save([...keys, key]);
  }

  return (
    <div className="key-row" data-testid={`keys-${command.name}`}>
      <span className="key-label">{command.label}</span>
      <span className="key-list">
        {keys.map((key) => (
          <span className="key-chip" key={key}>
            <Kbd size="xs">{keyText(key, IS_MAC)}</Kbd>
            <CloseButton
              size={18}
              iconSize={12}
              aria-label={`Take ${keyText(key, IS_MAC)} away from “${command.label}”`}
              onClick={() => save(keys.filter((other) => other !== key))}
            />
          </span>
        ))}
        {recording ? (
          <Recorder take={take} end={() => setRecording(false)} />
        ) : (
          <ActionIcon
            size={22}
            aria-label={`Add a key for “${command.label}”`}
            onClick={() => setRecording(true)}
          >
            <Plus size={13} aria-hidden />
          </ActionIcon>
        )}
        {settings.changed[command.name] ? (
          <Tooltip label="As delivered">
            <ActionIcon
              size={22}
              aria-label={`Keys of “${command.label}” as delivered`}
              onClick={() => setKeySettings(withoutKeys(settings, command.name))}
            >
              <RotateCcw size={13} aria-hidden />
            </ActionIcon>
          </Tooltip>
        ) : null}
      </span>
      {asked ? (
        <span className="key-clash" role="alert">
          <Text size="xs">{asked.text}</Text>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => {
              save([...keys, asked.key]);
              setAsked(null);
            }}
          >
            Take it all the same
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => setAsked(null)}>
            Leave it
          </Button>
        </span>
      ) : null}
    </div>
  );
}
