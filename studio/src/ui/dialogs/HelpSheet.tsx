import { Button, Group, Kbd, Modal, Text } from "@mantine/core";
import { COMMANDS, type Command, type Scope } from "../../core/commands";
import { keyText } from "../../core/keys";
import { useAppStore } from "../../state/appStore";
import { useKeyboard } from "../../state/keyboard";
import { IS_MAC } from "../keys";
import { groupedCommands } from "../logic/commandGroups";
import { navigate } from "../router";

const POINTER: readonly (readonly [string, string])[] = [
  ["Click", "Mask of what is there; again: add a part"],
  ["Right-click, Alt+click", "Take a part away"],
  ["Space+drag, middle button", "Move the picture"],
  ["Wheel, pinch", "Zoom"],
  ["Ctrl held", "Collect clicks, ask the model on release"],
  ["Shift+click", "Select several objects"],
];

function Row({ keys, text }: { keys: readonly string[]; text: string }) {
  return (
    <div className="help-row">
      <dt>{text}</dt>
      <dd>
        {keys.map((key) => (
          <Kbd key={key} size="xs">
            {key}
          </Kbd>
        ))}
      </dd>
    </div>
  );
}

function CommandGroup({ group, commands }: { group: string; commands: readonly Command[] }) {
  const keymap = useKeyboard((state) => state.keymap);
  return (
    <div className="help-group">
      <h3>{group}</h3>
      <dl>
        {commands.map((command) => (
          <Row
            key={command.name}
            text={command.label}
            keys={(keymap.get(command.name) ?? []).map((key) => keyText(key, IS_MAC))}
          />
        ))}
      </dl>
    </div>
  );
}

function Pointer() {
  return (
    <div className="help-group">
      <h3>Mouse, pen and fingers</h3>
      <dl>
        {POINTER.map(([key, text]) => (
          <Row key={key} text={text} keys={[key]} />
        ))}
      </dl>
    </div>
  );
}

/** Where the sheet is opened decides which keys it lists: those of the page, then those of everywhere. */
function scopeOf(scope: Scope): Scope {
  return scope === "everywhere" ? "editor" : scope;
}

/** All keys, as they are set now. */
export function HelpSheet() {
  const opened = useAppStore((state) => state.dialog === "help");
  const openDialog = useAppStore((state) => state.openDialog);
  const scope = useKeyboard((state) => scopeOf(state.scope));
  const keymap = useKeyboard((state) => state.keymap);
  const groups = groupedCommands(COMMANDS, scope, keymap);
  return (
    <Modal
      opened={opened}
      onClose={() => openDialog(null)}
      title="Keys"
      size={1080}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Group justify="space-between" mb="sm">
        <Text size="sm" c="dimmed">
          Keys wait while you type. Hold Alt on a click for “not this”.
        </Text>
        <Group gap="xs">
          <Button size="compact-sm" variant="default" onClick={() => openDialog("hints")}>
            Show the first steps
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              openDialog(null);
              navigate({ page: "settings" });
            }}
          >
            Change keys
          </Button>
        </Group>
      </Group>
      <div className="help-columns">
        {scope === "editor" ? <Pointer /> : null}
        {groups.map(({ group, commands }) => (
          <CommandGroup key={group} group={group} commands={commands} />
        ))}
      </div>
    </Modal>
  );
}
