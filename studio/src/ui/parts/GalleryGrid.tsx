import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Star } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { url } from "../../api/http";
import type { ImageSummary } from "../data/types";
import { plural } from "../logic/format";
import { gridMove, gridShape } from "../logic/grid";
import { formatRoute } from "../logic/routes";
import { StateBadge } from "./StateBadge";
import { TileMenu } from "./TileMenu";

const SMALLEST = 190;
/** Few pictures are shown larger. */
const FEW = 12;
const SMALLEST_OF_FEW = 250;
const GAP = 12;
const FOOT = 60;

interface TileProps {
  project: string;
  image: ImageSummary;
  current: boolean;
  index: number;
  review: boolean;
}

function TileLink({ project, image, current, index, review }: TileProps) {
  return (
    <a
      className="tile"
      href={formatRoute({ page: "image", project, image: image.id, review })}
      tabIndex={current ? 0 : -1}
      data-index={index}
      data-testid="tile"
      data-name={image.name}
    >
      <span className="tile-picture">
        <img
          src={url(`/images/${image.id}/thumbnail`, { size: 256 })}
          alt=""
          loading="lazy"
          draggable={false}
        />
        {image.gold ? (
          <span className="tile-gold" title="Gold picture: measures annotators">
            <Star size={13} aria-label="Gold picture" />
          </span>
        ) : null}
      </span>
      <span className="tile-foot">
        <span className="tile-name" title={image.name}>
          {image.name}
        </span>
        <span className="tile-facts">
          <StateBadge state={image.state} />
          <span>{plural(image.masks, "mask")}</span>
        </span>
      </span>
    </a>
  );
}

interface FrameProps extends TileProps {
  onFocus: () => void;
  remove: ((image: string) => void) | undefined;
}

function Tile({ onFocus, remove, ...tile }: FrameProps) {
  const { image, current } = tile;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only hears that the link or the button inside has the focus
    <div className="tile-frame" onFocus={onFocus}>
      <TileLink {...tile} />
      {remove ? <TileMenu name={image.name} current={current} remove={() => remove(image.id)} /> : null}
    </div>
  );
}

interface GalleryGridProps {
  project: string;
  images: ImageSummary[];
  /** Whether pictures open in review mode. */
  review?: boolean;
  /** Offered in a menu of each picture. */
  remove?: ((image: string) => void) | undefined;
  more: boolean;
  loadMore: () => void;
}

/** Thumbnails in rows, only those in sight in the page; arrow keys move between them. */
export function GalleryGrid({ project, images, review = false, remove, more, loadMore }: GalleryGridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const { ref: measure, width } = useElementSize<HTMLDivElement>();
  const ref = useMergedRef(scroller, measure);
  const [chosen, setCurrent] = useState(0);
  const current = Math.min(chosen, images.length - 1); // pictures may have gone
  const shape = gridShape(width, images.length, images.length <= FEW ? SMALLEST_OF_FEW : SMALLEST, GAP);
  const rowHeight = Math.round(shape.cell * 0.72) + FOOT;
  const rows = useVirtualizer({
    count: shape.rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    gap: GAP,
    overscan: 3,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height of rows is known to the virtualizer by measuring alone
  useEffect(() => rows.measure(), [rows, rowHeight]);

  const lastRow = rows.getVirtualItems().at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && lastRow >= shape.rows - 4) loadMore();
  }, [more, lastRow, shape.rows, loadMore]);

  function onKeyDown(event: KeyboardEvent) {
    // A menu has the arrow keys for itself.
    if (!(event.target instanceof Element && event.target.classList.contains("tile"))) return;
    const target = gridMove(event.key, current, images.length, shape.columns);
    if (target === null) return;
    event.preventDefault();
    setCurrent(target);
    rows.scrollToIndex(Math.floor(target / shape.columns));
    requestAnimationFrame(() =>
      scroller.current
        ?.querySelector<HTMLElement>(`[data-index="${target}"]`)
        ?.focus({ preventScroll: true }),
    );
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the links inside take the focus, the keys move it
    <div className="gallery-scroll" ref={ref} onKeyDown={onKeyDown}>
      <div className="gallery-grid" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => (
          <div
            key={row.key}
            className="gallery-row"
            style={{
              transform: `translateY(${row.start}px)`,
              height: rowHeight,
              gridTemplateColumns: `repeat(${shape.columns}, minmax(0, 1fr))`,
            }}
          >
            {images.slice(row.index * shape.columns, (row.index + 1) * shape.columns).map((image, column) => {
              const index = row.index * shape.columns + column;
              return (
                <Tile
                  key={image.id}
                  project={project}
                  review={review}
                  image={image}
                  index={index}
                  current={index === current}
                  onFocus={() => setCurrent(index)}
                  remove={remove}
                />
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}
