import { Modal, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getHistory } from "../../api/server";
import { decodeRle } from "../../core/rle";
import type { MaskRow } from "../../core/types";
import { formatAgo, formatCount } from "../logic/format";
import { sourceText } from "../logic/objects";
import { MaskThumbnail } from "../parts/MaskThumbnail";
import { Loaded } from "../parts/Problem";

function Version({ row, isPresent }: { row: MaskRow; isPresent: boolean }) {
  const mask = decodeRle(row.rle);
  const pixels = mask.bits.reduce((sum, bit) => sum + bit, 0);
  return (
    <li className="history-row">
      <MaskThumbnail mask={mask} size={64} />
      <div>
        <Text size="sm" fw={550}>
          {row.deleted ? "Deleted" : sourceText(row.source)}
          {isPresent ? " (present)" : ""}
        </Text>
        <Text size="xs" c="dimmed">
          {row.created ? formatAgo(row.created, Date.now()) : "not saved yet"} · {formatCount(pixels)} pixels
        </Text>
      </div>
    </li>
  );
}

/** All versions of an object, the newest first. */
export function HistoryDialog({ object, close }: { object: string; close: () => void }) {
  const history = useQuery({
    queryKey: ["history", object],
    queryFn: () => getHistory(object),
    staleTime: 0,
  });
  return (
    <Modal opened onClose={close} title="History of this object" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Loaded query={history}>
          {(rows) => (
            <ol className="history-list">
              {[...rows].reverse().map((row, index) => (
                <Version key={row.id} row={row} isPresent={index === 0} />
              ))}
            </ol>
          )}
        </Loaded>
      </Stack>
    </Modal>
  );
}
