import type { Agreement, Review } from "../data/types";

const VERDICTS: Readonly<Record<Review["verdict"], string>> = {
  accepted: "Accepted",
  rejected: "Rejected",
  comment: "Comment",
};

export function verdictText(verdict: Review["verdict"]): string {
  return VERDICTS[verdict];
}

/** One sentence for each pair of people who made masks of the picture. */
export function agreementText(agreements: readonly Agreement[]): string[] {
  return agreements.map(({ mean_iou, matches, first_only, second_only }) => {
    const alone = first_only.length + second_only.length;
    const labels = matches.filter((match) => !match.same_label).length;
    const parts = [
      mean_iou === null
        ? "no object in common"
        : `mean IoU ${mean_iou.toFixed(2)} on ${matches.length} shared objects`,
      alone > 0 ? `${alone} found by one of them alone` : null,
      labels > 0 ? `${labels} labelled differently` : null,
    ];
    return `Two people: ${parts.filter(Boolean).join(", ")}.`;
  });
}
