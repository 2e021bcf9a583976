import { type PointerEvent as ReactPointerEvent, useEffect, useRef, useState } from "react";
import { drawHandles, drawSheet, HANDLE, KNOB } from "../../canvas/collageDrawing";
import { pixelRatio } from "../../canvas/maskLayer";
import { dragged, type Grip, gripAt, type Piece, pieceAt, withPiece } from "../../core/collage";
import type { Id } from "../../core/types";
import { setSheet, useCollage } from "../../state/collageStore";

/** CSS pixels within which a handle is hit; fingers are broader. */
const REACH = HANDLE + 5;
const FINGER_REACH = 22;

interface Drag {
  readonly start: Piece;
  readonly grip: Grip;
  readonly from: readonly [number, number];
}

interface CollageSheetProps {
  chosen: Id | null;
  choose: (id: Id | null) => void;
}

/** The sheet with its cut-outs, as large as there is room for; they are moved, scaled and turned on it. */
export function CollageSheet({ chosen, choose }: CollageSheetProps) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<Drag | null>(null);
  const { sheet, pictures } = useCollage();
  const scale = useScale(frame, sheet.width, sheet.height);

  useEffect(() => {
    const to = canvas.current?.getContext("2d");
    if (!canvas.current || !to || scale === 0) return;
    const ratio = pixelRatio();
    canvas.current.width = Math.round(sheet.width * scale * ratio);
    canvas.current.height = Math.round(sheet.height * scale * ratio);
    drawSheet(to, sheet, pictures, scale * ratio);
    const piece = sheet.pieces.find(({ id }) => id === chosen);
    if (piece) drawHandles(to, piece, scale * ratio, ratio);
  }, [sheet, pictures, chosen, scale]);

  function placeOf(event: ReactPointerEvent): [number, number] {
    const box = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
  }

  function down(event: ReactPointerEvent): void {
    const from = placeOf(event);
    const reach = (event.pointerType === "touch" ? FINGER_REACH : REACH) / scale;
    const held = sheet.pieces.find(({ id }) => id === chosen);
    const grip = held ? gripAt(held, from, reach, KNOB / scale) : null;
    const start = held && grip && grip !== "move" ? held : pieceAt(sheet, ...from);
    choose(start?.id ?? null);
    if (!start) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { start, grip: start === held && grip ? grip : "move", from };
  }

  function move(event: ReactPointerEvent): void {
    if (!drag.current) return;
    const { start, grip, from } = drag.current;
    setSheet(withPiece(sheet, start.id, dragged(start, grip, from, placeOf(event), event.shiftKey)));
  }

  return (
    <div ref={frame} className="collage-frame">
      <canvas
        ref={canvas}
        className="collage-sheet"
        data-testid="collage-sheet"
        aria-label={`Collage of ${sheet.pieces.length} cut-outs, ${sheet.width} by ${sheet.height} pixels`}
        style={{ width: sheet.width * scale, height: sheet.height * scale }}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={() => {
          drag.current = null;
        }}
        onPointerCancel={() => {
          drag.current = null;
        }}
      />
    </div>
  );
}

/** CSS pixels per pixel of the sheet, so that it fits the frame; 0 before the frame has a size. */
function useScale(frame: React.RefObject<HTMLDivElement | null>, width: number, height: number): number {
  const [room, setRoom] = useState<readonly [number, number]>([0, 0]);
  useEffect(() => {
    if (!frame.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setRoom([entry.contentRect.width, entry.contentRect.height]);
    });
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, [frame]);
  return Math.min(room[0] / width, room[1] / height, 1);
}
