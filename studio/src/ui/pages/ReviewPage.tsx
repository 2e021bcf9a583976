import { Button, EmptyState, Group, Progress, Text } from "@mantine/core";
import { Play, Scale } from "lucide-react";
import { post } from "../../api/http";
import { NO_FILTER, useImages, useStatistics } from "../data/queries";
import type { Statistics } from "../data/types";
import { percent, plural } from "../logic/format";
import { GalleryGrid } from "../parts/GalleryGrid";
import { Page } from "../parts/Page";
import { Loaded } from "../parts/Problem";
import { showWarning, useAttempt } from "../parts/useAttempt";
import { navigate } from "../router";

/** Takes the next picture that waits for a review. */
async function takeNext(project: string): Promise<void> {
  const { task } = await post<{ task: { image_id: string } | null }>(`/projects/${project}/tasks/next`, {
    kind: "review",
  });
  if (task) navigate({ page: "image", project, image: task.image_id, review: true });
  else showWarning("Nothing to review", "All finished pictures have been reviewed, or others are at them.");
}

function Reviewed({ statistics }: { statistics: Statistics }) {
  const { done, accepted, rejected } = statistics.images;
  const all = done + accepted + rejected;
  const share = percent(accepted + rejected, all);
  return (
    <div className="card">
      <Progress value={share} aria-label={`${share} % reviewed`} />
      <Group justify="space-between" mt={8}>
        <Text size="sm">
          {plural(done, "picture")} to review, {accepted} accepted, {rejected} rejected
        </Text>
        <Text size="sm" c="dimmed">
          {share} % of the finished ones
        </Text>
      </Group>
    </div>
  );
}

function Waiting({ project }: { project: string }) {
  const images = useImages(project, { ...NO_FILTER, state: "done", order: "name" });
  const items = images.data?.pages.flatMap((page) => page.items) ?? [];
  if (images.data && items.length === 0) {
    return (
      <EmptyState
        py={60}
        icon={<Scale aria-hidden />}
        title="Nothing waits for a review"
        description="Pictures come here once an annotator has marked them as done."
      />
    );
  }
  return (
    <div className="review-grid">
      <GalleryGrid
        project={project}
        images={items}
        review
        more={images.hasNextPage && !images.isFetchingNextPage}
        loadMore={() => void images.fetchNextPage()}
      />
    </div>
  );
}

/** What is done and waits for a second pair of eyes. */
export function ReviewPage({ project }: { project: string }) {
  const statistics = useStatistics(project);
  const starting = useAttempt(() => takeNext(project));
  return (
    <Page
      title="Review"
      lead="Look at finished pictures object by object: accept, reject, comment."
      actions={
        <Button
          leftSection={<Play size={16} aria-hidden />}
          loading={starting.running}
          onClick={() => void starting.run()}
          data-testid="review-start"
        >
          Start reviewing
        </Button>
      }
    >
      <Loaded query={statistics}>{(data) => <Reviewed statistics={data} />}</Loaded>
      <Waiting project={project} />
    </Page>
  );
}
