import type { Handlers } from "../../core/commands";
import type { Editor } from "../../editor/editor";

/** The id of the field that the comment's key puts the cursor into. */
export const COMMENT = "review-comment";

function commentField(): HTMLTextAreaElement | null {
  const field = document.getElementById(COMMENT);
  return field instanceof HTMLTextAreaElement ? field : null;
}

/** The comment that was typed; the field is empty afterwards, ready for the next object. */
export function takeComment(): string {
  const field = commentField();
  const text = field?.value.trim() ?? "";
  if (field) field.value = "";
  return text;
}

/** What the review's commands do. */
export function reviewHandlers(editor: Editor): Handlers {
  const step = (by: 1 | -1) => ({ perform: () => editor.send({ type: "step", by }) });
  const verdict = (given: "accepted" | "rejected") => ({
    perform: () => editor.send({ type: "verdict", verdict: given, comment: takeComment() }),
  });
  return {
    "review.accept": verdict("accepted"),
    "review.reject": verdict("rejected"),
    "review.comment": { perform: () => commentField()?.focus() },
    "review.next": step(1),
    "review.previous": step(-1),
    "review.nextImage": { perform: () => void editor.next() },
    "review.previousImage": { perform: () => void editor.previous() },
  };
}
