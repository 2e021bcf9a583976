import { Button, EmptyState } from "@mantine/core";
import { ImageOff } from "lucide-react";
import { editor } from "../../editor";
import { useEditor } from "../../state/editorStore";

interface StageFailureProps {
  project: string;
  image: string;
  review: boolean;
}

/** In place of a picture that cannot be shown: why, and a way to try again. */
export function StageFailure({ project, image, review }: StageFailureProps) {
  const failure = useEditor((state) => (state.phase === "failed" ? state.failure : null));
  if (failure === null) return null;
  return (
    <div className="stage-failure" role="alert" data-testid="failure">
      <EmptyState icon={<ImageOff aria-hidden />} title="This picture cannot be opened" description={failure}>
        <EmptyState.Actions>
          <Button variant="default" onClick={() => void editor.open(project, image, review)}>
            Try again
          </Button>
        </EmptyState.Actions>
      </EmptyState>
    </div>
  );
}
