import { ActionIcon, Group, NumberInput, Stack, Text, UnstyledButton } from "@mantine/core";
import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import { type Piece, raised, type Sheet, withPiece } from "../../core/collage";
import type { Id } from "../../core/types";
import { removeCutout, setSheet } from "../../state/collageStore";

interface PieceListProps {
  sheet: Sheet;
  chosen: Id | null;
  choose: (id: Id | null) => void;
}

/** The cut-outs of the sheet, the topmost first, and the exact place of the chosen one. */
export function PieceList({ sheet, chosen, choose }: PieceListProps) {
  const piece = sheet.pieces.find(({ id }) => id === chosen);
  return (
    <Stack gap="sm">
      <ul className="collage-list" aria-label="Cut-outs, the topmost first">
        {[...sheet.pieces].reverse().map((one) => (
          <li key={one.id} className="collage-item" data-chosen={one.id === chosen || undefined}>
            <UnstyledButton
              className="collage-name"
              aria-pressed={one.id === chosen}
              onClick={() => choose(one.id)}
              data-testid="collage-piece"
            >
              {one.name}
            </UnstyledButton>
            <Group gap={2} wrap="nowrap">
              <ActionIcon
                size={28}
                aria-label={`${one.name}: one place up`}
                onClick={() => setSheet(raised(sheet, one.id, 1))}
              >
                <ArrowUp size={15} aria-hidden />
              </ActionIcon>
              <ActionIcon
                size={28}
                aria-label={`${one.name}: one place down`}
                onClick={() => setSheet(raised(sheet, one.id, -1))}
              >
                <ArrowDown size={15} aria-hidden />
              </ActionIcon>
              <ActionIcon
                size={28}
                aria-label={`Remove ${one.name}`}
                onClick={() => void removeCutout(one.id)}
              >
                <Trash2 size={15} aria-hidden />
              </ActionIcon>
            </Group>
          </li>
        ))}
      </ul>
      {piece ? (
        <PlaceFields sheet={sheet} piece={piece} />
      ) : (
        <Text size="sm">Choose a cut-out to place it.</Text>
      )}
    </Stack>
  );
}

function PlaceFields({ sheet, piece }: { sheet: Sheet; piece: Piece }) {
  const set = (change: Partial<Piece>) => setSheet(withPiece(sheet, piece.id, change));
  const field = (label: string, value: number, apply: (value: number) => void, suffix = "") => (
    <NumberInput
      size="xs"
      label={label}
      value={Math.round(value)}
      suffix={suffix}
      onChange={(next) => typeof next === "number" && apply(next)}
    />
  );
  return (
    <div className="collage-fields">
      {field("Across", piece.x, (x) => set({ x }))}
      {field("Down", piece.y, (y) => set({ y }))}
      {field("Size", 100 * piece.scale, (percent) => set({ scale: percent / 100 }), " %")}
      {field("Angle", piece.angle, (angle) => set({ angle }), "°")}
    </div>
  );
}
