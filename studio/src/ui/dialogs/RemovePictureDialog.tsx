import { Button, Group, List, Modal, Stack, Text, TextInput } from "@mantine/core";
import { Trash2 } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { editor } from "../../editor";
import { removeImage } from "../data/mutations";
import { useImageFacts } from "../data/queries";
import type { ImageFacts } from "../data/types";
import { fileText, isNameTyped, removalLosses } from "../logic/removal";
import { Loaded } from "../parts/Problem";
import { useAttempt } from "../parts/useAttempt";

interface RemovalProps {
  project: string;
  facts: ImageFacts;
  close: () => void;
  removed: () => void;
}

function Removal({ project, facts, close, removed }: RemovalProps) {
  const [typed, setTyped] = useState("");
  const removing = useAttempt(async () => {
    await removeImage(project, facts.id);
    await editor.removed(facts.id);
    removed();
  }, `“${facts.name}” is removed for good.`);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (isNameTyped(typed, facts.name)) void removing.run();
  }
  return (
    <form onSubmit={submit}>
      <Stack className="removal">
        <Text size="sm">
          <strong>{facts.name}</strong> goes for everybody. Nothing brings back what goes with it:
        </Text>
        <List size="sm" spacing={4}>
          {removalLosses(facts).map((loss) => (
            <List.Item key={loss}>{loss}</List.Item>
          ))}
        </List>
        <Text size="sm">{fileText(facts)}</Text>
        <Text size="sm" c="dimmed">
          Exported files, collages, and models that learned from it stay as they are.
        </Text>
        <TextInput
          label="Type the picture's name"
          description={facts.name}
          required
          withAsterisk={false}
          data-autofocus
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          data-testid="removal-name"
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button
            type="submit"
            color="red.9"
            leftSection={<Trash2 size={16} aria-hidden />}
            disabled={!isNameTyped(typed, facts.name)}
            loading={removing.running}
            data-testid="removal-start"
          >
            Remove for good
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface RemovePictureProps {
  project: string;
  /** The dialog is closed while there is none. */
  image: string | null;
  close: () => void;
  /** Called when the picture is gone. */
  removed: () => void;
}

/** Says what is lost with a picture, and removes it once its name is typed. For administrators. */
export function RemovePictureDialog({ project, image, close, removed }: RemovePictureProps) {
  const last = useRef(image ?? ""); // shown while the dialog fades away
  if (image !== null) last.current = image;
  const facts = useImageFacts(last.current, image !== null);
  return (
    <Modal
      // Not before there is a field that takes the focus.
      opened={image !== null && !facts.isPending}
      onClose={close}
      title="Remove this picture for good"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Loaded query={facts}>
        {(data) => <Removal project={project} facts={data} close={close} removed={removed} />}
      </Loaded>
    </Modal>
  );
}
