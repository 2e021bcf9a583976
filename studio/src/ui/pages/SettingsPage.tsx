import {
  Alert,
  Button,
  Group,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Text,
  useMantineColorScheme,
} from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { COMMANDS, commandOf } from "../../core/commands";
import { conflictsOf, keyText, PRESETS, type PresetName } from "../../core/keys";
import { setDecoderPlace, useDecoderPlace } from "../../state/decoderPlace";
import { resetKeySettings, setKeySettings, useKeyboard } from "../../state/keyboard";
import { setPreference, usePreferences } from "../../state/preferences";
import { IS_MAC } from "../keys";
import { KeyRow } from "../parts/KeyRow";
import { Page } from "../parts/Page";

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leftHanded = usePreferences((state) => state.leftHanded);
  return (
    <section className="card">
      <h2 className="card-title">Appearance</h2>
      <Stack gap="md">
        <div>
          <Text size="sm" fw={500} mb={6} id="theme-label">
            Theme
          </Text>
          <SegmentedControl
            aria-labelledby="theme-label"
            value={colorScheme}
            onChange={(value) => setColorScheme(value as typeof colorScheme)}
            data={[
              { value: "auto", label: "As the system" },
              { value: "light", label: "Light" },
              { value: "dark", label: "Dark" },
            ]}
          />
        </div>
        <Switch
          label="Left-handed"
          description="Tools on the right, labels and objects on the left."
          checked={leftHanded}
          onChange={(event) => setPreference("leftHanded", event.currentTarget.checked)}
        />
      </Stack>
    </section>
  );
}

function Model() {
  const hoverPreview = usePreferences((state) => state.hoverPreview);
  const place = useDecoderPlace((state) => state.place);
  return (
    <section className="card">
      <h2 className="card-title">Model</h2>
      <Stack gap="md">
        <Switch
          label="Show the mask under the cursor before a click"
          description="Asks the model while you move. Switch it off on a slow connection."
          checked={hoverPreview}
          onChange={(event) => setPreference("hoverPreview", event.currentTarget.checked)}
        />
        <div>
          <Text size="sm" fw={500} id="decoder-label">
            Where clicks are answered
          </Text>
          <Text size="xs" c="dimmed" mb={6}>
            In the browser the decoder is loaded once (about 4 MB) and spares the server; where that fails,
            the server answers.
          </Text>
          <SegmentedControl
            aria-labelledby="decoder-label"
            value={place}
            onChange={(value) => setDecoderPlace(value as typeof place)}
            data={[
              { value: "auto", label: "Choose for me" },
              { value: "browser", label: "In this browser" },
              { value: "server", label: "On the server" },
            ]}
          />
        </div>
      </Stack>
    </section>
  );
}

function Conflicts() {
  const keymap = useKeyboard((state) => state.keymap);
  const conflicts = conflictsOf(keymap);
  if (conflicts.length === 0) return null;
  const name = (command: string) => commandOf(command)?.label ?? command;
  return (
    <Alert
      color="yellow"
      variant="outline"
      icon={<CircleAlert size={18} aria-hidden />}
      title="Some keys mean two things"
      mb="md"
    >
      {conflicts.map(({ key, commands: [one, other] }) => (
        <div key={`${key} ${one} ${other}`}>
          {keyText(key, IS_MAC)}: “{name(one)}” and “{name(other)}”. The first one is done.
        </div>
      ))}
    </Alert>
  );
}

function Keys() {
  const settings = useKeyboard((state) => state.settings);
  const keymap = useKeyboard((state) => state.keymap);
  const groups = [...new Set(COMMANDS.map(({ group }) => group))];
  return (
    <section className="card">
      <Group justify="space-between" align="flex-end" mb="md">
        <Select
          label="Keys as in"
          w={220}
          allowDeselect={false}
          value={settings.preset}
          data={Object.entries(PRESETS).map(([value, { title }]) => ({ value, label: title }))}
          onChange={(preset) => setKeySettings({ preset: (preset ?? "anymask") as PresetName, changed: {} })}
        />
        <Button variant="default" size="sm" onClick={resetKeySettings}>
          All keys as delivered
        </Button>
      </Group>
      <Conflicts />
      {groups.map((group) => (
        <div key={group}>
          <h3 className="keys-group">{group}</h3>
          {COMMANDS.filter((command) => command.group === group).map((command) => (
            <KeyRow key={command.name} command={command} keymap={keymap} settings={settings} />
          ))}
        </div>
      ))}
    </section>
  );
}

/** What a person sets for themselves; kept in this browser. */
export function SettingsPage() {
  return (
    <Page title="Settings" lead="They hold for you in this browser." width="narrow">
      <Stack gap="md">
        <Appearance />
        <Model />
        <h2 className="section-title">Keys</h2>
        <Keys />
      </Stack>
    </Page>
  );
}
