import { Button, Group, Kbd, Loader, UnstyledButton } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import type { Candidate } from "../../core/types";
import { editor } from "../../editor";
import { useEditor } from "../../state/editorStore";
import { useKeyText } from "../keys";
import { formatCount } from "../logic/format";
import { MaskThumbnail } from "../parts/MaskThumbnail";

function CandidateCard({
  candidate,
  index,
  chosen,
}: {
  candidate: Candidate;
  index: number;
  chosen: boolean;
}) {
  return (
    <UnstyledButton
      className="candidate"
      role="radio"
      aria-checked={chosen}
      aria-label={`Candidate ${index + 1}: ${formatCount(candidate.area)} pixels, score ${Math.round(candidate.score * 100)} percent`}
      data-testid={`candidate-${index}`}
      onClick={() => editor.choose(index)}
    >
      <MaskThumbnail mask={candidate.mask} size={52} />
      <span className="candidate-score">{Math.round(candidate.score * 100)} %</span>
    </UnstyledButton>
  );
}

function Worse() {
  const key = useKeyText("takeBack");
  return (
    <div className="candidate-worse" role="alert" data-testid="worse">
      <TriangleAlert size={16} aria-hidden />
      The last click made this much worse.
      <Button size="compact-xs" variant="default" onClick={() => editor.takeBack()} data-testid="take-back">
        Take it back {key ? <Kbd size="xs">{key}</Kbd> : null}
      </Button>
    </div>
  );
}

/** The model's answers for the object in the making, side by side, with what can be done with them. */
export function CandidateStrip() {
  const draft = useEditor((state) => state.draft);
  const asking = useEditor((state) => state.asking);
  const next = useKeyText("candidate.next");
  if (draft === null || draft.candidates.length === 0) return null;
  return (
    <div className="candidate-strip" data-testid="candidates">
      {draft.worse ? <Worse /> : null}
      <Group gap="sm" wrap="nowrap">
        {draft.candidates.length > 1 ? (
          <div
            role="radiogroup"
            aria-label={`Candidates${next ? `, ${next} switches` : ""}`}
            className="candidate-cards"
          >
            {draft.candidates.map((candidate, index) => (
              <CandidateCard
                // biome-ignore lint/suspicious/noArrayIndexKey: its place in the answer is a candidate's only name
                key={index}
                candidate={candidate}
                index={index}
                chosen={index === draft.chosen}
              />
            ))}
          </div>
        ) : null}
        <div className="candidate-actions">
          <Button
            size="compact-sm"
            onClick={() => editor.accept()}
            data-testid="accept"
            rightSection={<Kbd size="xs">Enter</Kbd>}
          >
            Keep
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => editor.cancel()}
            rightSection={<Kbd size="xs">Esc</Kbd>}
          >
            Drop
          </Button>
        </div>
        {asking > 0 ? <Loader size={14} aria-label="The model is answering" /> : null}
      </Group>
    </div>
  );
}
