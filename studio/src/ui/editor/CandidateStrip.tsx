import { Button, Group, Kbd, Loader, UnstyledButton } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { useMemo } from "react";
import type { Candidate } from "../../core/types";
import { editor } from "../../editor";
import { type Draft, useEditor } from "../../state/editorStore";
import { useKeyText } from "../keys";
import { candidateNames } from "../logic/candidates";
import { formatCount } from "../logic/format";
import { type Frame, frameOf } from "../logic/thumbnail";
import { MaskThumbnail } from "../parts/MaskThumbnail";
import { type SmallPicture, usePicture } from "../parts/usePicture";

interface CardProps {
  candidate: Candidate;
  index: number;
  name: string;
  chosen: boolean;
  picture: SmallPicture | null;
  frame: Frame | null;
}

function CandidateCard({ candidate, index, name, chosen, picture, frame }: CardProps) {
  const score = Math.round(candidate.score * 100);
  return (
    <UnstyledButton
      className="candidate"
      aria-pressed={chosen}
      aria-label={`${name} ${score} %, ${formatCount(candidate.area)} pixels`}
      data-testid={`candidate-${index}`}
      // The keys stay with the picture: Enter after a press keeps the mask, and does not press this again.
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => editor.choose(index)}
    >
      <MaskThumbnail mask={candidate.mask} size={60} picture={picture} frame={frame} colour="#5aa2ff" />
      <span className="candidate-name">
        {name} <span className="candidate-score">{score} %</span>
      </span>
    </UnstyledButton>
  );
}

function Cards({ draft }: { draft: Draft }) {
  const image = useEditor((state) => state.image);
  const picture = usePicture(image?.id, image?.width ?? 1);
  const next = useKeyText("candidate.next");
  const frame = useMemo(() => frameOf(draft.candidates.map(({ mask }) => mask)), [draft.candidates]);
  const names = candidateNames(draft.candidates.map(({ area }) => area));
  return (
    <fieldset className="candidate-cards" aria-label={`Candidates${next ? `, ${next} switches` : ""}`}>
      {draft.candidates.map((candidate, index) => (
        <CandidateCard
          // biome-ignore lint/suspicious/noArrayIndexKey: its place in the answer is what a candidate is
          key={index}
          candidate={candidate}
          index={index}
          name={names[index] ?? ""}
          chosen={index === draft.chosen}
          picture={picture}
          frame={frame}
        />
      ))}
    </fieldset>
  );
}

function Worse() {
  const key = useKeyText("draft.takeBack");
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
  if (draft === null || draft.candidates.length === 0) return null;
  return (
    <div className="candidate-strip" data-testid="candidates">
      {draft.worse ? <Worse /> : null}
      <Group gap="sm" wrap="nowrap">
        {draft.candidates.length > 1 ? <Cards draft={draft} /> : null}
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
