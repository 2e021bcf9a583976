import { Alert, Button, FileInput, Group, List, Modal, Select, Stack, Text } from "@mantine/core";
import { FileUp } from "lucide-react";
import { useState } from "react";
import { postForm } from "../../api/http";
import { useAppStore } from "../../state/appStore";
import { queryClient } from "../data/client";
import { keys } from "../data/keys";
import { refreshImages } from "../data/mutations";
import { useFormats } from "../data/queries";
import type { ImportResult } from "../data/types";
import { importText, orderedFormats } from "../logic/formats";
import { useAttempt } from "../parts/useAttempt";

async function send(project: string, file: File, format: string | null): Promise<ImportResult> {
  const form = new FormData();
  form.append("file", file, file.name);
  const query = format ? `?format=${encodeURIComponent(format)}` : "";
  const result = await postForm<ImportResult>(`/projects/${project}/import${query}`, form);
  await Promise.all([
    refreshImages(project),
    queryClient.invalidateQueries({ queryKey: keys.labels(project) }),
  ]);
  return result;
}

function Outcome({ result }: { result: ImportResult }) {
  const [first, ...rest] = importText(result);
  return (
    <Alert color={result.unmatched.length > 0 ? "yellow" : "teal"} variant="outline" role="status">
      <Text size="sm" fw={550}>
        {first}
      </Text>
      <List size="sm" mt={rest.length > 0 ? 4 : 0}>
        {rest.map((line) => (
          <List.Item key={line}>{line}</List.Item>
        ))}
      </List>
    </Alert>
  );
}

/** Masks of other tools into this project: matched to pictures by their names. */
export function ImportDialog({ project }: { project: string }) {
  const opened = useAppStore((state) => state.dialog === "import");
  const openDialog = useAppStore((state) => state.openDialog);
  const formats = useFormats(opened);
  const [file, setFile] = useState<File | null>(null);
  const [format, setFormat] = useState<string | null>(null);
  const [result, setResult] = useState<ImportResult | null>(null);
  const importing = useAttempt(async () => {
    if (file) setResult(await send(project, file, format));
  });
  function close() {
    openDialog(null);
    setFile(null);
    setResult(null);
  }
  return (
    <Modal opened={opened} onClose={close} title="Import masks" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Text size="sm" c="dimmed">
          A file, or a zip of several. Pictures are found by their names; what is here already stays.
        </Text>
        <FileInput
          label="File"
          required
          placeholder="Choose a file"
          leftSection={<FileUp size={16} aria-hidden />}
          value={file}
          onChange={setFile}
          clearable
          clearButtonProps={{ "aria-label": "Choose no file" }}
        />
        <Select
          label="Format"
          placeholder="Seen from the file"
          clearable
          searchable
          clearButtonProps={{ "aria-label": "Seen from the file" }}
          data={orderedFormats(formats.data ?? []).map(({ name, title }) => ({ value: name, label: title }))}
          value={format}
          onChange={setFormat}
        />
        {result ? <Outcome result={result} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {result ? "Close" : "Cancel"}
          </Button>
          <Button
            disabled={!file}
            loading={importing.running}
            onClick={() => void importing.run()}
            data-testid="import-start"
          >
            Import
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
