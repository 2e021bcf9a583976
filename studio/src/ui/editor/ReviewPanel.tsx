import { Badge, Button, Group, Kbd, Textarea } from "@mantine/core";
import { Check, MessageSquare, X } from "lucide-react";
import { colourOf } from "../../canvas/colours";
import type { MaskObject } from "../../core/types";
import { editor } from "../../editor";
import { type EditorState, useEditor } from "../../state/editorStore";
import { useAgreement, useReviews } from "../data/queries";
import type { Review } from "../data/types";
import { useKeyText } from "../keys";
import { formatAgo, formatCount } from "../logic/format";
import { agreementText, verdictText } from "../logic/review";
import { MaskThumbnail } from "../parts/MaskThumbnail";
import { COMMENT, takeComment } from "./reviewHandlers";

function Verdict({ review }: { review: Review }) {
  return (
    <li className="review-entry" data-verdict={review.verdict}>
      <strong>{verdictText(review.verdict)}</strong>
      <span className="dimmed">{formatAgo(review.created, Date.now())}</span>
      {review.comment ? <p>{review.comment}</p> : null}
    </li>
  );
}

function Judge({ object }: { object: MaskObject }) {
  const accept = useKeyText("review.accept");
  const reject = useKeyText("review.reject");
  function give(verdict: Review["verdict"]) {
    const comment = takeComment();
    if (verdict === "comment" && comment === "") document.getElementById(COMMENT)?.focus();
    else editor.send({ type: "verdict", verdict, comment });
  }
  return (
    <div className="judge" key={object.id}>
      <Textarea
        id={COMMENT}
        aria-label="Comment"
        placeholder="Comment (optional)"
        size="xs"
        autosize
        minRows={2}
        maxRows={5}
        maxLength={4000}
        data-testid="review-comment"
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <Group gap={6} grow>
        <Button
          size="xs"
          color="#1b7a3c"
          leftSection={<Check size={15} aria-hidden />}
          rightSection={accept ? <Kbd size="xs">{accept}</Kbd> : null}
          onClick={() => give("accepted")}
          data-testid="review-accept"
        >
          Accept
        </Button>
        <Button
          size="xs"
          color="#c0362c"
          leftSection={<X size={15} aria-hidden />}
          rightSection={reject ? <Kbd size="xs">{reject}</Kbd> : null}
          onClick={() => give("rejected")}
          data-testid="review-reject"
        >
          Reject
        </Button>
      </Group>
      <Button
        size="xs"
        variant="default"
        leftSection={<MessageSquare size={15} aria-hidden />}
        onClick={() => give("comment")}
        data-testid="review-send-comment"
      >
        Only comment
      </Button>
    </div>
  );
}

function AgreementNote({ image }: { image: string }) {
  const agreement = useAgreement(image);
  const lines = agreementText(agreement.data ?? []);
  if (lines.length === 0) return null;
  return (
    <section className="panel-section" aria-label="Agreement">
      <div className="panel-head">
        <h2>Agreement</h2>
      </div>
      {lines.map((line) => (
        <p key={line} className="panel-note">
          {line}
        </p>
      ))}
    </section>
  );
}

const reviewed = (state: EditorState) => {
  const [first] = state.view.selection;
  return first === undefined ? undefined : state.objects.get(first);
};

function Present({ object, count }: { object: MaskObject; count: number }) {
  const labels = useEditor((state) => state.labels);
  const place = useEditor((state) => state.order.findIndex(({ id }) => id === object.id) + 1);
  const label = labels.find(({ id }) => id === object.label);
  const colour = colourOf(object, new Map(labels.map((one) => [one.id, one])));
  return (
    <Group gap="sm" wrap="nowrap">
      <MaskThumbnail mask={object.mask} size={56} colour={colour} />
      <div>
        <div className="review-name">{label?.name ?? "No label"}</div>
        <div className="panel-note">
          {place} of {count} · {formatCount(object.area)} px
        </div>
        {object.locked ? (
          <Badge size="xs" variant="outline" color="gray" tt="none">
            Locked
          </Badge>
        ) : null}
      </div>
    </Group>
  );
}

/** Review mode's panel: one object after the other, a verdict for each. */
export function ReviewPanel({ image }: { image: string }) {
  const object = useEditor(reviewed);
  const count = useEditor((state) => state.order.length);
  const reviews = useReviews(image);
  const next = useKeyText("review.next");
  const given = (reviews.data ?? []).filter(
    (review) => object !== undefined && review.mask_id === editor.headOf(object.id),
  );
  return (
    <aside className="side-panel" aria-label="Review" data-testid="review-panel">
      <section className="panel-section" aria-label="Object">
        <div className="panel-head">
          <h2>Review</h2>
          <span className="panel-count">{count === 1 ? "1 object" : `${formatCount(count)} objects`}</span>
        </div>
        {object ? (
          <>
            <Present object={object} count={count} />
            <Judge object={object} />
          </>
        ) : (
          <>
            <p className="panel-note">Go from object to object; each is shown at a fitting size.</p>
            <Button
              size="xs"
              rightSection={next ? <Kbd size="xs">{next}</Kbd> : null}
              onClick={() => editor.send({ type: "step", by: 1 })}
              data-testid="review-first"
            >
              First object
            </Button>
          </>
        )}
      </section>
      {given.length > 0 ? (
        <section className="panel-section" aria-label="What was said">
          <div className="panel-head">
            <h2>What was said</h2>
          </div>
          <ul className="review-list">
            {given.map((review) => (
              <Verdict key={review.id} review={review} />
            ))}
          </ul>
        </section>
      ) : null}
      <AgreementNote image={image} />
    </aside>
  );
}
