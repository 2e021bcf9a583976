import { notifications } from "@mantine/notifications";
import { type DragEvent, useRef, useState } from "react";
import { postForm } from "../../api/http";
import { refreshImages, type UploadResult } from "../data/mutations";
import { plural } from "../logic/format";
import { batches, refusedText } from "../logic/upload";
import { showProblem } from "./useAttempt";

const ACCEPT = "image/*,.tif,.tiff,.dcm";

async function send(project: string, files: File[], progress: (sent: number) => void): Promise<UploadResult> {
  const result: UploadResult = { added: [], refused: [] };
  let sent = 0;
  for (const batch of batches(files)) {
    const form = new FormData();
    for (const file of batch) form.append("files", file, file.name);
    const answer = await postForm<Partial<UploadResult>>(`/projects/${project}/images`, form);
    result.added.push(...(answer.added ?? []));
    result.refused.push(...(answer.refused ?? []));
    sent += batch.length;
    progress(sent);
  }
  return result;
}

async function upload(project: string, files: File[]): Promise<void> {
  const id = `upload-${Date.now()}`;
  const waiting = { id, loading: true, autoClose: false as const, withCloseButton: false };
  notifications.show({ ...waiting, message: `Adding ${plural(files.length, "picture")}` });
  try {
    const result = await send(project, files, (sent) =>
      notifications.update({ ...waiting, message: `Added ${sent} of ${plural(files.length, "picture")}` }),
    );
    const refused = result.refused.length;
    notifications.update({
      id,
      loading: false,
      autoClose: refused ? 12_000 : 4000,
      color: refused ? "yellow" : "teal",
      title: `${plural(files.length - refused, "picture")} added`,
      message: refusedText(result.refused),
    });
  } catch (error) {
    notifications.hide(id);
    showProblem(error);
  } finally {
    await refreshImages(project);
  }
}

/** Adding pictures by a drop or the file chooser. */
export function useUpload(project: string) {
  const input = useRef<HTMLInputElement>(null);
  const depth = useRef(0);
  const [dragging, setDragging] = useState(false);

  function moved(step: number) {
    depth.current = Math.max(0, depth.current + step);
    setDragging(depth.current > 0);
  }

  function start(list: FileList | null) {
    const files = [...(list ?? [])];
    if (files.length > 0) void upload(project, files);
  }

  const holdsFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  return {
    dragging,
    choose: () => input.current?.click(),
    dropProps: {
      onDragEnter: (event: DragEvent) => (holdsFiles(event) ? moved(1) : undefined),
      onDragLeave: (event: DragEvent) => (holdsFiles(event) ? moved(-1) : undefined),
      onDragOver: (event: DragEvent) => event.preventDefault(),
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        moved(-depth.current);
        start(event.dataTransfer.files);
      },
    },
    input: (
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={ACCEPT}
        aria-label="Pictures to add"
        data-testid="file-input"
        onChange={(event) => {
          start(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    ),
  };
}
