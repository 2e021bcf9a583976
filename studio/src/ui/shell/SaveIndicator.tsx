import { Tooltip, UnstyledButton } from "@mantine/core";
import { CloudCheck, CloudOff, CloudUpload, GitMerge } from "lucide-react";
import { editor } from "../../editor";
import { useAppStore } from "../../state/appStore";
import { useEditor } from "../../state/editorStore";
import { saveText } from "../logic/saving";

const ICONS = { good: CloudCheck, busy: CloudUpload, bad: CloudOff, conflict: GitMerge } as const;

/** Whether the work has reached the server; pressing it saves at once or opens what is in conflict. */
export function SaveIndicator() {
  const status = useEditor((state) => state.save);
  const conflicts = useEditor((state) => state.conflicts.length);
  const openDialog = useAppStore((state) => state.openDialog);
  const { tone, text, hint } = saveText(status, conflicts);
  const Icon = ICONS[tone];
  return (
    <Tooltip label={hint}>
      <UnstyledButton
        className="save-state"
        data-tone={tone}
        data-testid="save-state"
        data-state={status.state}
        onClick={() => (conflicts > 0 ? openDialog("conflict") : void editor.save())}
      >
        <Icon size={15} aria-hidden />
        <span role="status">{text}</span>
      </UnstyledButton>
    </Tooltip>
  );
}
