import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import type { MaskObject } from "../../core/types";
import { editor } from "../../editor";
import { useAppStore } from "../../state/appStore";
import { type Conflict, useEditor } from "../../state/editorStore";
import { formatCount } from "../logic/format";
import { MaskThumbnail } from "../parts/MaskThumbnail";

interface VersionProps {
  title: string;
  object: MaskObject | null;
  keep: () => void;
  testid: string;
}

function Version({ title, object, keep, testid }: VersionProps) {
  return (
    <Stack gap={6} align="stretch" className="conflict-version">
      <Text size="sm" fw={600}>
        {title}
      </Text>
      {object ? (
        <>
          <MaskThumbnail mask={object.mask} size={130} />
          <Text size="xs" c="dimmed">
            {formatCount(object.area)} pixels
          </Text>
        </>
      ) : (
        <div className="conflict-deleted">Deleted</div>
      )}
      <Button variant="default" size="sm" onClick={keep} data-testid={testid}>
        Keep this one
      </Button>
    </Stack>
  );
}

function Choice({ conflict }: { conflict: Conflict }) {
  return (
    <Group grow align="stretch">
      <Version
        title="Yours"
        object={conflict.mine}
        keep={() => editor.resolve(conflict.object, "mine")}
        testid="keep-mine"
      />
      <Version
        title="Theirs"
        object={conflict.theirs}
        keep={() => editor.resolve(conflict.object, "theirs")}
        testid="keep-theirs"
      />
    </Group>
  );
}

/** Two people changed one object: both versions side by side, one choice. Nothing is lost, history keeps the other. */
export function ConflictDialog() {
  const conflict = useEditor((state) => state.conflicts[0]);
  const count = useEditor((state) => state.conflicts.length);
  const opened = useAppStore((state) => state.dialog === "conflict");
  const openDialog = useAppStore((state) => state.openDialog);
  return (
    <Modal
      opened={opened && conflict !== undefined}
      onClose={() => openDialog(null)}
      title="Somebody else changed this object"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          Choose the version that stays. The other one remains in the object's history.
          {count > 1 ? ` ${count} objects are waiting.` : ""}
        </Text>
        {conflict ? <Choice conflict={conflict} key={conflict.object} /> : null}
      </Stack>
    </Modal>
  );
}
