import { Button, Modal, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { getHistory } from "../../api/server";
import { maskArea } from "../../core/masks";
import { decodeRle } from "../../core/rle";
import type { MaskRow } from "../../core/types";
import { editor } from "../../editor";
import { formatAgo, formatCount } from "../logic/format";
import { sourceText } from "../logic/objects";
import { MaskThumbnail } from "../parts/MaskThumbnail";
import { Loaded } from "../parts/Problem";

interface VersionProps {
  row: MaskRow;
  isPresent: boolean;
  locked: boolean;
  bringBack: () => void;
}

function Version({ row, isPresent, locked, bringBack }: VersionProps) {
  const mask = useMemo(() => decodeRle(row.rle), [row.rle]);
  const when = row.created ? formatAgo(row.created, Date.now()) : "not saved yet";
  return (
    <li className="history-row">
      <MaskThumbnail mask={mask} size={64} />
      <div className="history-text">
        <Text size="sm" fw={550}>
          {row.deleted ? "Deleted" : sourceText(row.source)}
        </Text>
        <Text size="xs" c="dimmed">
          {when} · {formatCount(maskArea(mask))} pixels
        </Text>
      </div>
      {isPresent ? (
        <Text size="xs" c="dimmed">
          Present
        </Text>
      ) : (
        <Button size="compact-xs" variant="default" disabled={row.deleted || locked} onClick={bringBack}>
          Bring back
        </Button>
      )}
    </li>
  );
}

interface HistoryDialogProps {
  object: string;
  locked: boolean;
  close: () => void;
}

/** All versions of an object, the newest first; an earlier one can be brought back, which is a new version, too. */
export function HistoryDialog({ object, locked, close }: HistoryDialogProps) {
  const history = useQuery({
    queryKey: ["history", object],
    queryFn: () => getHistory(object),
    staleTime: 0,
  });
  function bringBack(row: MaskRow) {
    editor.bringBack(row);
    close();
  }
  return (
    <Modal opened onClose={close} title="History of this object" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        {locked ? (
          <Text size="sm" c="dimmed">
            The object is locked: unlock it to bring an earlier version back.
          </Text>
        ) : null}
        <Loaded query={history}>
          {(rows) => (
            <ol className="history-list">
              {[...rows].reverse().map((row, index) => (
                <Version
                  key={row.id}
                  row={row}
                  isPresent={index === 0}
                  locked={locked}
                  bringBack={() => bringBack(row)}
                />
              ))}
            </ol>
          )}
        </Loaded>
      </Stack>
    </Modal>
  );
}
