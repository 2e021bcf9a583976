import { Button, Group, Modal, Radio, ScrollArea, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { postForFile } from "../../api/http";
import { useAppStore } from "../../state/appStore";
import { useFormats, useSnapshots } from "../data/queries";
import type { FormatInfo, ImageState } from "../data/types";
import { FORMAT_NOTES, fileKind, orderedFormats } from "../logic/formats";
import { Loaded } from "../parts/Problem";
import { StateChips } from "../parts/StateChips";
import { saveFile } from "../parts/saveFile";
import { showDone, showWarning, useAttempt } from "../parts/useAttempt";

interface Choice {
  format: string;
  states: ImageState[];
  snapshot: string | null;
}

function exportBody({ format, states, snapshot }: Choice) {
  return {
    format,
    ...(snapshot ? { snapshot } : {}),
    ...(!snapshot && states.length > 0 ? { states } : {}),
  };
}

function Formats({
  formats,
  value,
  choose,
}: {
  formats: FormatInfo[];
  value: string;
  choose: (name: string) => void;
}) {
  return (
    <Radio.Group label="Format" value={value} onChange={choose} required>
      <ScrollArea.Autosize mah={250} type="auto" mt={6} offsetScrollbars>
        <Stack gap={4}>
          {formats.map((format) => (
            <Radio.Card
              key={format.name}
              value={format.name}
              className="format-card"
              data-testid={`format-${format.name}`}
            >
              <Group wrap="nowrap" gap="sm" align="flex-start">
                <Radio.Indicator mt={2} />
                <div>
                  <Text size="sm" fw={550}>
                    {format.title}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {FORMAT_NOTES[format.name] ?? fileKind(format)}
                  </Text>
                </div>
              </Group>
            </Radio.Card>
          ))}
        </Stack>
      </ScrollArea.Autosize>
    </Radio.Group>
  );
}

function Which({
  project,
  choice,
  change,
}: {
  project: string;
  choice: Choice;
  change: (part: Partial<Choice>) => void;
}) {
  const snapshots = useSnapshots(project);
  return (
    <>
      <Select
        label="What"
        allowDeselect={false}
        data={[
          { value: "", label: "The present masks" },
          ...(snapshots.data?.items ?? []).map((snapshot) => ({
            value: snapshot.id,
            label: `Snapshot: ${snapshot.name}`,
          })),
        ]}
        value={choice.snapshot ?? ""}
        onChange={(snapshot) => change({ snapshot: snapshot || null })}
      />
      {choice.snapshot === null ? (
        <StateChips
          label="Only pictures that are (none chosen: all)"
          value={choice.states}
          change={(states) => change({ states })}
        />
      ) : null}
    </>
  );
}

function ExportForm({ project, close }: { project: string; close: () => void }) {
  const snapshot = useAppStore((state) => state.snapshot);
  const formats = useFormats(true);
  const [choice, setChoice] = useState<Choice>({ format: "coco", states: [], snapshot });
  const change = (part: Partial<Choice>) => setChoice((old) => ({ ...old, ...part }));
  const exporting = useAttempt(async () => {
    const file = await postForFile(`/projects/${project}/export`, exportBody(choice));
    saveFile(file.blob, file.name ?? `${choice.format}.zip`);
    showDone("The file is in your downloads.");
    const lost = file.headers.get("Anymask-Not-Kept");
    if (lost) showWarning("This format does not hold everything", lost);
    close();
  });
  return (
    <Stack gap="md">
      <Loaded query={formats}>
        {(data) => (
          <Formats
            formats={orderedFormats(data)}
            value={choice.format}
            choose={(format) => change({ format })}
          />
        )}
      </Loaded>
      <Which project={project} choice={choice} change={change} />
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button loading={exporting.running} onClick={() => void exporting.run()} data-testid="export-start">
          Export
        </Button>
      </Group>
    </Stack>
  );
}

/** The project's masks as a file of one of the formats. */
export function ExportDialog({ project }: { project: string }) {
  const opened = useAppStore((state) => state.dialog === "export");
  const openDialog = useAppStore((state) => state.openDialog);
  const close = () => openDialog(null);
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Export masks"
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <ExportForm project={project} close={close} />
    </Modal>
  );
}
