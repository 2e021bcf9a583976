import { ActionIcon, Menu, TextInput, Tooltip, UnstyledButton } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  ArrowDown,
  ArrowDownToLine,
  ArrowUp,
  ArrowUpToLine,
  Copy,
  Ellipsis,
  Eye,
  EyeOff,
  Lock,
  LockOpen,
  Scissors,
  Search,
  Trash2,
} from "lucide-react";
import { type KeyboardEvent, type MouseEvent, memo, useMemo, useRef, useState } from "react";
import { colourOf } from "../../canvas/colours";
import type { MaskObject } from "../../core/types";
import { editor } from "../../editor";
import { useEditor } from "../../state/editorStore";
import type { Label } from "../data/types";
import { formatCount, plural } from "../logic/format";
import { listedObjects, rangeBetween, stepFrom } from "../logic/objects";
import { MaskThumbnail } from "../parts/MaskThumbnail";

const ROW = 40;

interface RowProps {
  object: MaskObject;
  label: Label | undefined;
  colour: string;
  selected: boolean;
  hidden: boolean;
  focusable: boolean;
  onPick: (id: string, event: MouseEvent) => void;
}

function RowMenu({ object, tabIndex }: { object: MaskObject; tabIndex: number }) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon size={26} aria-label="More actions" tabIndex={tabIndex}>
          <Ellipsis size={15} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<ArrowUp size={15} />} onClick={() => editor.reorder(object.id, "up")}>
          Forward
        </Menu.Item>
        <Menu.Item leftSection={<ArrowUpToLine size={15} />} onClick={() => editor.reorder(object.id, "top")}>
          To the front
        </Menu.Item>
        <Menu.Item leftSection={<ArrowDown size={15} />} onClick={() => editor.reorder(object.id, "down")}>
          Backward
        </Menu.Item>
        <Menu.Item
          leftSection={<ArrowDownToLine size={15} />}
          onClick={() => editor.reorder(object.id, "bottom")}
        >
          To the back
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<Copy size={15} />} onClick={() => editor.duplicate([object.id])}>
          Duplicate
        </Menu.Item>
        <Menu.Item
          leftSection={<Scissors size={15} />}
          onClick={() => void editor.cutOut([object.id], "file")}
        >
          Cut out as PNG
        </Menu.Item>
        <Menu.Item
          color="red"
          leftSection={<Trash2 size={15} />}
          disabled={object.locked}
          onClick={() => editor.remove([object.id])}
        >
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Facts({ object, hidden }: { object: MaskObject; hidden: boolean }) {
  const score = object.score === null ? "" : ` · ${Math.round(object.score * 100)} %`;
  const told = [object.locked ? "locked" : null, hidden ? "hidden" : null].filter(Boolean).join(", ");
  return (
    <span className="object-facts">
      {formatCount(object.area)} px{score}
      {told ? <span className="visually-hidden">, {told}</span> : null}
    </span>
  );
}

const ObjectRow = memo(function ObjectRow(props: RowProps) {
  const { object, label, colour, selected, hidden, focusable, onPick } = props;
  const tabIndex = focusable ? 0 : -1;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hovering shows the object in the picture; its buttons do the rest
    <div
      className="object-row"
      data-object={object.id}
      data-selected={selected || undefined}
      data-hidden={hidden || undefined}
      data-testid="object-row"
      onMouseEnter={() => editor.setHovered(object.id)}
      onMouseLeave={() => editor.setHovered(null)}
    >
      <UnstyledButton
        className="object-main"
        aria-pressed={selected}
        tabIndex={tabIndex}
        data-pick={object.id}
        onClick={(event) => onPick(object.id, event)}
        onDoubleClick={() => editor.lookAt(object.id)}
      >
        <MaskThumbnail mask={object.mask} size={26} colour={colour} className="object-shape" />
        <span className="object-text">
          <span className="object-name">{label?.name ?? "No label"}</span>
          <Facts object={object} hidden={hidden} />
        </span>
      </UnstyledButton>
      <ActionIcon
        size={26}
        tabIndex={tabIndex}
        aria-label={object.locked ? "Unlock" : "Lock"}
        data-quiet={!object.locked || undefined}
        onClick={() => editor.toggleLocked(object.id)}
      >
        {object.locked ? <Lock size={14} aria-hidden /> : <LockOpen size={14} aria-hidden />}
      </ActionIcon>
      <ActionIcon
        size={26}
        tabIndex={tabIndex}
        aria-label={hidden ? "Show" : "Hide"}
        data-quiet={!hidden || undefined}
        onClick={() => editor.toggleHidden(object.id)}
      >
        {hidden ? <EyeOff size={14} aria-hidden /> : <Eye size={14} aria-hidden />}
      </ActionIcon>
      <RowMenu object={object} tabIndex={tabIndex} />
    </div>
  );
});

function useObjectList() {
  const order = useEditor((state) => state.order);
  const labels = useEditor((state) => state.labels);
  const selection = useEditor((state) => state.view.selection);
  const hidden = useEditor((state) => state.view.hidden);
  const [search, setSearch] = useState("");
  const byId = useMemo(() => new Map(labels.map((label) => [label.id, label])), [labels]);
  const rows = useMemo(() => listedObjects(order, byId, search), [order, byId, search]);
  return { order, selection, hidden, search, setSearch, byId, rows };
}

function AllHidden() {
  const allHidden = useEditor((state) => state.view.allHidden);
  const text = allHidden ? "Show all masks" : "Hide all masks";
  return (
    <Tooltip label={text}>
      <ActionIcon
        size="sm"
        aria-label={text}
        aria-pressed={allHidden}
        onClick={() => editor.setAllHidden(!allHidden)}
      >
        {allHidden ? <EyeOff size={15} aria-hidden /> : <Eye size={15} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}

/** All objects of the picture, the topmost first; only the rows in sight are in the page. */
export function ObjectList() {
  const { order, selection, hidden, search, setSearch, byId, rows } = useObjectList();
  const scroller = useRef<HTMLDivElement>(null);
  const anchor = useRef<string | null>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
    getItemKey: (index) => rows[index]?.id ?? index,
  });

  function pick(id: string, event: MouseEvent) {
    const ids = rows.map((row) => row.id);
    if (event.shiftKey && anchor.current) editor.select(rangeBetween(ids, anchor.current, id));
    else if (event.ctrlKey || event.metaKey) editor.select(toggledIn(selection, id));
    else editor.select([id]);
    if (!event.shiftKey) anchor.current = id;
  }

  function onKeyDown(event: KeyboardEvent) {
    const focused = (event.target as HTMLElement).dataset["pick"];
    const target = focused === undefined ? null : stepFrom(rows, focused, event.key);
    if (target === null) return;
    event.preventDefault();
    event.stopPropagation();
    const row = rows[target];
    if (!row) return;
    editor.select([row.id]);
    anchor.current = row.id;
    virtual.scrollToIndex(target);
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-pick="${row.id}"]`)?.focus(),
    );
  }

  const [firstSelected] = selection;
  const focusable =
    firstSelected !== undefined && rows.some((row) => row.id === firstSelected) ? firstSelected : rows[0]?.id;
  return (
    <section className="panel-section panel-grow" aria-label="Objects">
      <div className="panel-head">
        <h2>
          Objects{" "}
          <span className="panel-count" data-testid="object-count">
            {formatCount(order.length)}
          </span>
        </h2>
        <AllHidden />
      </div>
      {order.length > 8 ? (
        <TextInput
          size="xs"
          aria-label="Search objects by label"
          placeholder="Search by label"
          leftSection={<Search size={13} aria-hidden />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      ) : null}
      {order.length === 0 ? (
        <p className="panel-note">
          Nothing here yet. Click an object in the picture, then press Enter to keep its mask.
        </p>
      ) : (
        // biome-ignore lint/a11y/useSemanticElements: these are no fields of a form
        <div
          ref={scroller}
          className="object-scroll"
          role="group"
          aria-label={plural(order.length, "object")}
          onKeyDown={onKeyDown}
        >
          <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
            {virtual.getVirtualItems().map((item) => {
              const object = rows[item.index];
              return object ? (
                <div
                  key={item.key}
                  className="object-slot"
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <ObjectRow
                    object={object}
                    label={object.label ? byId.get(object.label) : undefined}
                    colour={colourOf(object, byId)}
                    selected={selection.has(object.id)}
                    hidden={hidden.has(object.id)}
                    focusable={object.id === focusable}
                    onPick={pick}
                  />
                </div>
              ) : null;
            })}
          </div>
        </div>
      )}
    </section>
  );
}

function toggledIn(selection: ReadonlySet<string>, id: string): string[] {
  return selection.has(id) ? [...selection].filter((other) => other !== id) : [...selection, id];
}
