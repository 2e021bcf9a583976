import { CloseButton } from "@mantine/core";
import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import { editor } from "../../editor";
import { useEditor } from "../../state/editorStore";

const ICONS = { info: Info, warning: TriangleAlert, error: CircleAlert } as const;

/** What the editor has to say, above the stage. */
export function Notices() {
  const notices = useEditor((state) => state.notices);
  return (
    <div className="notices" aria-live="polite">
      {notices.map((notice) => {
        const Icon = ICONS[notice.kind];
        return (
          <div key={notice.id} className="notice" data-kind={notice.kind} data-testid="notice">
            <Icon size={16} aria-hidden />
            <span>{notice.text}</span>
            <CloseButton size="sm" aria-label="Close" onClick={() => editor.dismiss(notice.id)} />
          </div>
        );
      })}
    </div>
  );
}
