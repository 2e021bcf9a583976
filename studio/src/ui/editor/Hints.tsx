import { Button, CloseButton, Kbd } from "@mantine/core";
import { useAppStore } from "../../state/appStore";
import { setPreference, usePreferences } from "../../state/preferences";
import { useKeyText } from "../keys";

/** The first steps, shown once over the stage's corner; nothing waits for them. */
export function Hints() {
  const seen = usePreferences((state) => state.hintsSeen);
  const asked = useAppStore((state) => state.dialog === "hints");
  const openDialog = useAppStore((state) => state.openDialog);
  const accept = useKeyText("draft.accept") ?? "Enter";
  const undo = useKeyText("undo") ?? "Undo";
  const help = useKeyText("help") ?? "?";
  if (seen && !asked) return null;
  const close = () => {
    setPreference("hintsSeen", true);
    if (asked) openDialog(null);
  };
  return (
    <section className="hints" aria-label="First steps" data-testid="hints">
      <div className="panel-head">
        <h2>First steps</h2>
        <CloseButton size="sm" aria-label="Close the first steps" onClick={close} />
      </div>
      <ol>
        <li>Move over the picture: the mask under the cursor shows.</li>
        <li>Click the object. Click again to add a part; right-click or Alt-click takes one away.</li>
        <li>
          <Kbd size="xs">{accept}</Kbd> keeps the mask, <Kbd size="xs">1</Kbd> to <Kbd size="xs">9</Kbd> give
          it a label.
        </li>
        <li>
          <Kbd size="xs">{undo}</Kbd> takes anything back, <Kbd size="xs">{help}</Kbd> shows all keys. All is
          saved by itself.
        </li>
      </ol>
      <Button size="compact-sm" onClick={close}>
        Got it
      </Button>
    </section>
  );
}
