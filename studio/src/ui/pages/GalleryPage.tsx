import { ActionIcon, Button, EmptyState, Group, Loader, Select, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Download, FolderSync, ImagePlus, Images, Search, Upload, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useAppStore } from "../../state/appStore";
import { scan } from "../data/mutations";
import { type ImageFilter, NO_FILTER, useImages, useLabels, useMay, useProject } from "../data/queries";
import type { ImageState, ImageSummary } from "../data/types";
import { ExportDialog } from "../dialogs/ExportDialog";
import { ImportDialog } from "../dialogs/ImportDialog";
import { RemovePictureDialog } from "../dialogs/RemovePictureDialog";
import { formatCount, plural } from "../logic/format";
import { BrokenFiles } from "../parts/BrokenFiles";
import { GalleryGrid } from "../parts/GalleryGrid";
import { LoadProblem } from "../parts/Problem";
import { IMAGE_STATES, stateLabel } from "../parts/StateBadge";
import { showDone, useAttempt } from "../parts/useAttempt";
import { useUpload } from "../parts/useUpload";

const ORDERS = [
  { value: "name", label: "By name" },
  { value: "-added", label: "Newest first" },
  { value: "added", label: "Oldest first" },
  { value: "-masks", label: "Most masks first" },
  { value: "masks", label: "Fewest masks first" },
];

interface FilterProps {
  filter: ImageFilter;
  change: (change: Partial<ImageFilter>) => void;
}

function Filters({ project, filter, change }: FilterProps & { project: string }) {
  const labels = useLabels(project);
  return (
    <>
      <TextInput
        aria-label="Search by file name"
        placeholder="Search by file name"
        type="search"
        size="sm"
        w={220}
        leftSection={<Search size={15} aria-hidden />}
        value={filter.search}
        onChange={(event) => change({ search: event.currentTarget.value })}
        data-testid="gallery-search"
      />
      <Select
        aria-label="State"
        placeholder="Any state"
        size="sm"
        w={140}
        clearable
        clearButtonProps={{ "aria-label": "Any state" }}
        data={IMAGE_STATES.map((state) => ({ value: state, label: stateLabel(state) }))}
        value={filter.state}
        onChange={(state) => change({ state: state as ImageState | null })}
      />
      <Select
        aria-label="Label"
        placeholder="Any label"
        size="sm"
        w={150}
        clearable
        searchable
        clearButtonProps={{ "aria-label": "Any label" }}
        data={(labels.data ?? []).map((label) => ({ value: label.id, label: label.name }))}
        value={filter.label}
        onChange={(label) => change({ label })}
      />
      <Select
        aria-label="Order"
        size="sm"
        w={160}
        allowDeselect={false}
        data={ORDERS}
        value={filter.order}
        onChange={(order) => change({ order: order ?? "name" })}
      />
    </>
  );
}

interface ActionsProps {
  project: string;
  choose: () => void;
}

function Actions({ project, choose }: ActionsProps) {
  const openDialog = useAppStore((state) => state.openDialog);
  const may = useMay();
  const scanning = useAttempt(async () => {
    const { running, added } = await scan(project);
    const found = added > 0 ? `${plural(added, "new picture")}.` : "There are no new pictures.";
    showDone(running ? "The folder is being read; new pictures appear here." : found);
  });
  return (
    <Group gap={6} ml="auto" wrap="nowrap">
      <Tooltip label="Look for new pictures in the folder">
        <ActionIcon
          size={36}
          variant="default"
          aria-label="Look for new pictures in the folder"
          loading={scanning.running}
          onClick={() => void scanning.run()}
        >
          <FolderSync size={17} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Button size="sm" variant="default" leftSection={<ImagePlus size={16} aria-hidden />} onClick={choose}>
        Add pictures
      </Button>
      {may.review ? (
        <Button
          size="sm"
          variant="default"
          leftSection={<Upload size={16} aria-hidden />}
          onClick={() => openDialog("import")}
        >
          Import
        </Button>
      ) : null}
      <Button
        size="sm"
        leftSection={<Download size={16} aria-hidden />}
        onClick={() => openDialog("export")}
        data-testid="export"
      >
        Export
      </Button>
    </Group>
  );
}

function NoPictures({
  filtered,
  clear,
  choose,
}: {
  filtered: boolean;
  clear: () => void;
  choose: () => void;
}) {
  if (filtered) {
    return (
      <EmptyState
        py={80}
        icon={<Search aria-hidden />}
        title="No picture fits these filters"
        description="Loosen the search or show all pictures again."
      >
        <EmptyState.Actions>
          <Button variant="default" leftSection={<X size={16} aria-hidden />} onClick={clear}>
            Show all pictures
          </Button>
        </EmptyState.Actions>
      </EmptyState>
    );
  }
  return (
    <EmptyState
      py={80}
      icon={<Images aria-hidden />}
      title="There are no pictures yet"
      description="Drop JPEG, PNG, WebP or TIFF files here, or put them into the folder and look again."
    >
      <EmptyState.Actions>
        <Button leftSection={<ImagePlus size={16} aria-hidden />} onClick={choose}>
          Add pictures
        </Button>
      </EmptyState.Actions>
    </EmptyState>
  );
}

function useFilter() {
  const [filter, setFilter] = useState(NO_FILTER);
  const [asked] = useDebouncedValue(filter, 200);
  return {
    filter,
    asked,
    change: (change: Partial<ImageFilter>) => setFilter((old) => ({ ...old, ...change })),
    clear: () => setFilter(NO_FILTER),
  };
}

/** Removing pictures: which one the dialog is about. When it is gone, the one in its place has the focus. */
function useRemoval(items: readonly ImageSummary[]) {
  const [image, setImage] = useState<string | null>(null);
  const gone = useRef<string | null>(null);
  useEffect(() => {
    if (gone.current === null || items.some(({ id }) => id === gone.current)) return;
    gone.current = null;
    const next = document.querySelector<HTMLElement>('.tile[tabindex="0"]');
    (next ?? document.getElementById("main"))?.focus();
  });
  return {
    image,
    start: setImage,
    close: () => setImage(null),
    removed: () => {
      gone.current = image;
      setImage(null);
    },
  };
}

/** A project's pictures: find one, see how far the work is, add more, export. */
export function GalleryPage({ project }: { project: string }) {
  const { filter, asked, change, clear } = useFilter();
  const info = useProject(project);
  const images = useImages(project, asked);
  const upload = useUpload(project);
  const items = images.data?.pages.flatMap((page) => page.items) ?? [];
  const may = useMay();
  const removal = useRemoval(items);
  const filtered = asked.search !== "" || asked.state !== null || asked.label !== null;
  useEffect(() => {
    document.title = `${info.data?.name ?? "Pictures"} · anymask`;
  }, [info.data?.name]);
  return (
    <section className="gallery" aria-label="Pictures" {...upload.dropProps}>
      <h1 className="visually-hidden">Pictures{info.data ? ` of ${info.data.name}` : ""}</h1>
      <div className="gallery-bar">
        <Filters project={project} filter={filter} change={change} />
        <span className="gallery-count" role="status">
          {info.data && !filtered ? plural(info.data.counts.images, "picture") : null}
          {filtered && images.data
            ? `${formatCount(items.length)}${images.hasNextPage ? "+" : ""} found`
            : null}
          {images.isFetching ? <Loader size={12} ml={6} aria-label="Loading" /> : null}
        </span>
        <BrokenFiles project={project} />
        <Actions project={project} choose={upload.choose} />
      </div>
      {images.error && items.length === 0 ? (
        <LoadProblem error={images.error} retry={() => void images.refetch()} />
      ) : null}
      {images.data && items.length === 0 ? (
        <NoPictures filtered={filtered} clear={clear} choose={upload.choose} />
      ) : (
        <GalleryGrid
          project={project}
          images={items}
          remove={may.administrate ? removal.start : undefined}
          more={images.hasNextPage && !images.isFetchingNextPage}
          loadMore={() => void images.fetchNextPage()}
        />
      )}
      {upload.dragging ? <div className="drop-veil">Drop pictures to add them to this project</div> : null}
      {upload.input}
      <ExportDialog project={project} />
      <ImportDialog project={project} />
      <RemovePictureDialog
        project={project}
        image={removal.image}
        close={removal.close}
        removed={removal.removed}
      />
    </section>
  );
}
