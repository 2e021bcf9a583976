import {
  Badge,
  Button,
  EmptyState,
  Group,
  Modal,
  Stack,
  Table,
  Text,
  TextInput,
  Tooltip,
  VisuallyHidden,
} from "@mantine/core";
import { Camera, Download, Snowflake, Undo2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useAppStore } from "../../state/appStore";
import { freeze, revertModel, switchModel } from "../data/mutations";
import { useMe, useModels, useSnapshots } from "../data/queries";
import type { ImageState, ProjectModel, Snapshot } from "../data/types";
import { ExportDialog } from "../dialogs/ExportDialog";
import { formatAgo, formatCount } from "../logic/format";
import { metricsText } from "../logic/models";
import { Page } from "../parts/Page";
import { Loaded } from "../parts/Problem";
import { IMAGE_STATES } from "../parts/StateBadge";
import { StateChips } from "../parts/StateChips";
import { useAttempt } from "../parts/useAttempt";

function FreezeDialog({ project, opened, close }: { project: string; opened: boolean; close: () => void }) {
  const [name, setName] = useState("");
  const [states, setStates] = useState<ImageState[]>(["done", "accepted"]);
  const freezing = useAttempt(async () => {
    await freeze(project, name.trim(), states.length > 0 ? states : IMAGE_STATES);
    setName("");
    close();
  }, "The present masks are frozen.");
  function submit(event: FormEvent) {
    event.preventDefault();
    void freezing.run();
  }
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Freeze the present masks"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description="A snapshot never changes: exports of it are the same bytes at any time."
            placeholder="such as: first 500 pictures"
            required
            maxLength={200}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <StateChips label="Of pictures that are (none chosen: all)" value={states} change={setStates} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={freezing.running} disabled={name.trim() === ""}>
              Freeze
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Hash({ value }: { value: string }) {
  return (
    <Tooltip label={value}>
      <code className="hash">{value.slice(0, 10)}</code>
    </Tooltip>
  );
}

function SnapshotRow({ snapshot }: { snapshot: Snapshot }) {
  const exportSnapshot = useAppStore((state) => state.exportSnapshot);
  return (
    <Table.Tr>
      <Table.Td fw={550}>{snapshot.name}</Table.Td>
      <Table.Td ta="right">{formatCount(snapshot.images)}</Table.Td>
      <Table.Td ta="right">{formatCount(snapshot.masks)}</Table.Td>
      <Table.Td c="dimmed">{formatAgo(snapshot.created, Date.now())}</Table.Td>
      <Table.Td>
        <Hash value={snapshot.sha256} />
      </Table.Td>
      <Table.Td ta="right">
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<Download size={13} aria-hidden />}
          aria-label={`Export ${snapshot.name}`}
          onClick={() => exportSnapshot(snapshot.id)}
        >
          Export
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}

function Snapshots({ snapshots }: { snapshots: Snapshot[] }) {
  if (snapshots.length === 0) {
    return (
      <EmptyState
        py={36}
        icon={<Snowflake aria-hidden />}
        title="No snapshot yet"
        description="Freeze the masks before you train or hand data over: a snapshot can always be exported again, byte for byte."
      />
    );
  }
  return (
    <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table aria-label="Snapshots">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th ta="right">Pictures</Table.Th>
            <Table.Th ta="right">Masks</Table.Th>
            <Table.Th>Frozen</Table.Th>
            <Table.Th>Content</Table.Th>
            <Table.Th>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {snapshots.map((snapshot) => (
            <SnapshotRow key={snapshot.id} snapshot={snapshot} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

const STATES: Record<ProjectModel["state"], string> = {
  candidate: "Candidate",
  current: "In use",
  retired: "Used before",
  refused: "Refused",
};

function ModelRow({
  project,
  model,
  canSwitch,
}: {
  project: string;
  model: ProjectModel;
  canSwitch: boolean;
}) {
  const switching = useAttempt(
    () => switchModel(project, model.sha256),
    `“${model.name}” answers from now on.`,
  );
  const isCurrent = model.state === "current";
  return (
    <Table.Tr>
      <Table.Td fw={550}>{model.name}</Table.Td>
      <Table.Td>
        <Badge variant={isCurrent ? "filled" : "outline"} color={isCurrent ? "azure" : "gray"} tt="none">
          {STATES[model.state]}
        </Badge>
      </Table.Td>
      <Table.Td c="dimmed">{metricsText(model.metrics)}</Table.Td>
      <Table.Td>
        <Hash value={model.sha256} />
      </Table.Td>
      <Table.Td ta="right">
        {isCurrent || !canSwitch ? null : (
          <Button
            size="compact-xs"
            variant="default"
            loading={switching.running}
            aria-label={`Use ${model.name}`}
            onClick={() => void switching.run()}
          >
            Use
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function Models({ project }: { project: string }) {
  const models = useModels(project);
  const me = useMe();
  const canSwitch = me.data?.user?.role === "admin";
  const reverting = useAttempt(() => revertModel(project), "The model before answers again.");
  return (
    <section className="card">
      <Group justify="space-between" mb="xs">
        <h2 className="card-title">Models</h2>
        {canSwitch && models.data?.items.some((model) => model.state === "retired") ? (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<Undo2 size={14} aria-hidden />}
            loading={reverting.running}
            onClick={() => void reverting.run()}
          >
            Back to the model before
          </Button>
        ) : null}
      </Group>
      <Loaded query={models}>
        {(data) => (
          <Table.ScrollContainer minWidth={520} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
            <Table aria-label="Models">
              <Table.Tbody>
                {data.items.map((model) => (
                  <ModelRow key={model.sha256} project={project} model={model} canSwitch={canSwitch} />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Loaded>
      <Text size="xs" c="dimmed" mt="sm">
        A change of model leaves all masks as they are. Models tuned on a snapshot appear here.
      </Text>
    </section>
  );
}

/** Frozen versions of the data, and the models that answer. */
export function VersionsPage({ project }: { project: string }) {
  const snapshots = useSnapshots(project);
  const [freezing, setFreezing] = useState(false);
  return (
    <Page
      title="Versions"
      lead="Frozen versions of the masks, and the models that answer."
      actions={
        <Button leftSection={<Camera size={16} aria-hidden />} onClick={() => setFreezing(true)}>
          Freeze the masks
        </Button>
      }
    >
      <Stack gap="md">
        <section className="card">
          <h2 className="card-title">Snapshots</h2>
          <Loaded query={snapshots}>{(data) => <Snapshots snapshots={data.items} />}</Loaded>
        </section>
        <Models project={project} />
      </Stack>
      <FreezeDialog project={project} opened={freezing} close={() => setFreezing(false)} />
      <ExportDialog project={project} />
    </Page>
  );
}
