import { Button, ColorInput, EmptyState, Group, NumberInput, Switch } from "@mantine/core";
import { Download, Shapes } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { exportSheet } from "../../canvas/collageDrawing";
import { type Sheet, withPiece } from "../../core/collage";
import type { Handlers } from "../../core/commands";
import type { Id } from "../../core/types";
import { loadCollage, moveChosen, removeCutout, setSheet, useCollage } from "../../state/collageStore";
import { CollageSheet } from "../collage/CollageSheet";
import { PieceList } from "../collage/PieceList";
import { useCommands } from "../keys";
import { Page } from "../parts/Page";
import { saveFile } from "../parts/saveFile";
import { useAttempt } from "../parts/useAttempt";

const WHITE = "#ffffff";
const MOST_PIXELS = 8000;
const NUDGE = 10;

function useCollageKeys(chosen: Id | null): void {
  const handlers = useMemo((): Handlers => {
    const enabled = () => chosen !== null;
    const nudge = (dx: number, dy: number) => ({
      enabled,
      perform: () => moveChosen(chosen, ({ x, y }) => ({ x: x + dx, y: y + dy })),
    });
    const grow = (factor: number) => ({
      enabled,
      perform: () => moveChosen(chosen, ({ scale }) => ({ scale: scale * factor })),
    });
    const turn = (degrees: number) => ({
      enabled,
      perform: () => moveChosen(chosen, ({ angle }) => ({ angle: angle + degrees })),
    });
    return {
      "collage.left": nudge(-NUDGE, 0),
      "collage.right": nudge(NUDGE, 0),
      "collage.up": nudge(0, -NUDGE),
      "collage.down": nudge(0, NUDGE),
      "collage.larger": grow(1.1),
      "collage.smaller": grow(1 / 1.1),
      "collage.turnLeft": turn(-15),
      "collage.turnRight": turn(15),
      "collage.delete": { enabled, perform: () => chosen !== null && void removeCutout(chosen) },
    };
  }, [chosen]);
  useCommands("collage", handlers);
}

function SheetFields({ sheet }: { sheet: Sheet }) {
  const side = (label: string, value: number, apply: (value: number) => Sheet) => (
    <NumberInput
      size="xs"
      label={label}
      min={16}
      max={MOST_PIXELS}
      clampBehavior="strict"
      allowDecimal={false}
      value={value}
      onChange={(next) => typeof next === "number" && next >= 16 && setSheet(apply(next))}
    />
  );
  // Pieces stay on the sheet when it gets smaller.
  const resized = (next: Sheet) => next.pieces.reduce((all, { id }) => withPiece(all, id, {}), next);
  return (
    <>
      <div className="collage-fields">
        {side("Width", sheet.width, (width) => resized({ ...sheet, width }))}
        {side("Height", sheet.height, (height) => resized({ ...sheet, height }))}
      </div>
      <Switch
        size="sm"
        label="Transparent ground"
        checked={sheet.background === null}
        onChange={(event) => setSheet({ ...sheet, background: event.currentTarget.checked ? null : WHITE })}
      />
      {sheet.background === null ? null : (
        <ColorInput
          size="xs"
          label="Ground"
          value={sheet.background}
          onChange={(background) => setSheet({ ...sheet, background })}
        />
      )}
    </>
  );
}

/** Cut-outs of any pictures put together on one sheet, which is exported as a PNG. */
export function CollagePage() {
  const { sheet, pictures, loaded } = useCollage();
  const [chosen, choose] = useState<Id | null>(null);
  useEffect(() => void loadCollage(), []);
  useCollageKeys(chosen);
  const exporting = useAttempt(async () => saveFile(await exportSheet(sheet, pictures), "collage.png"));
  return (
    <Page
      title="Collage"
      lead="Put cut-outs together. In a picture, select an object and choose “Put on the collage”."
      actions={
        <Button
          leftSection={<Download size={16} aria-hidden />}
          disabled={sheet.pieces.length === 0}
          loading={exporting.running}
          onClick={() => void exporting.run()}
          data-testid="collage-export"
        >
          Export PNG
        </Button>
      }
    >
      {loaded && sheet.pieces.length === 0 ? (
        <EmptyState
          py={50}
          icon={<Shapes aria-hidden />}
          title="The collage is empty"
          description="Open a picture, select an object, and choose “Put on the collage” in its menu."
        />
      ) : (
        <Group align="stretch" wrap="nowrap" className="collage">
          <CollageSheet chosen={chosen} choose={choose} />
          <aside className="collage-panel" aria-label="Cut-outs and sheet">
            <PieceList sheet={sheet} chosen={chosen} choose={choose} />
            <SheetFields sheet={sheet} />
          </aside>
        </Group>
      )}
    </Page>
  );
}
