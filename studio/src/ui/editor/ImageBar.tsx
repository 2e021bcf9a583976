import { ActionIcon, Button, Group, Tooltip } from "@mantine/core";
import { ChevronLeft, ChevronRight, CircleCheckBig } from "lucide-react";
import type { ImageState } from "../../core/types";
import { editor } from "../../editor";
import { useAppStore } from "../../state/appStore";
import { useEditor } from "../../state/editorStore";
import { useMay } from "../data/queries";
import { KeyHint } from "../parts/KeyHint";
import { StateBadge } from "../parts/StateBadge";
import { Link } from "../router";
import { PictureMenu } from "./PictureMenu";

function Others({ image }: { image: string }) {
  const present = useAppStore((state) => state.present);
  const names = present.filter((person) => person.image === image).map((person) => person.name);
  return names.length > 0 ? <span className="image-others">{names.join(", ")} also here</span> : null;
}

/** A picture that was new when it was opened is begun with its first object. */
function shownState(state: ImageState, hasObjects: boolean): ImageState {
  return state === "new" && hasObjects ? "in_progress" : state;
}

/** Above the stage: which picture it is, the ones before and after, and “done”. */
export function ImageBar({ project, image, review }: { project: string; image: string; review: boolean }) {
  const may = useMay();
  const info = useEditor((state) => state.image);
  const hasObjects = useEditor((state) => state.objects.size > 0);
  return (
    <div className="image-bar">
      <Link to={{ page: review ? "review" : "gallery", project }} size="sm" c="dimmed" className="image-back">
        {review ? "Review" : "Pictures"}
      </Link>
      <span className="image-name" title={info?.name}>
        {info?.name ?? "…"}
      </span>
      {info ? <StateBadge state={shownState(info.state, hasObjects)} /> : null}
      <Others image={image} />
      <Group gap={4} ml="auto" wrap="nowrap">
        <Tooltip label={<KeyHint command="image.previous" text="Previous picture" />}>
          <ActionIcon
            size={32}
            aria-label="Previous picture"
            onClick={() => void editor.previous()}
            data-testid="previous"
          >
            <ChevronLeft size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={<KeyHint command="image.next" text="Next picture" />}>
          <ActionIcon
            size={32}
            aria-label="Next picture"
            onClick={() => void editor.next()}
            data-testid="next"
          >
            <ChevronRight size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Button size="compact-sm" variant="default" onClick={() => void editor.skip()}>
          Skip
        </Button>
        <Tooltip label={<KeyHint command="image.finish" text="Mark as done and go to the next picture" />}>
          <Button
            size="compact-sm"
            leftSection={<CircleCheckBig size={15} aria-hidden />}
            onClick={() => void editor.finish()}
            data-testid="finish"
          >
            Done
          </Button>
        </Tooltip>
        {may.review ? <PictureMenu project={project} image={image} /> : null}
      </Group>
    </div>
  );
}
