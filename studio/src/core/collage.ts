/**
 * Cut-outs on a sheet: where each lies, how large and how turned. Sheet pixels, x from the left, y from the top; a
 * cut-out is placed by its centre and turned clockwise round it.
 */

import type { Id } from "./types";

export interface Piece {
  readonly id: Id;
  readonly name: string;
  /** Of the cut-out's picture, pixels. */
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  /** Degrees. */
  readonly angle: number;
}

export interface Sheet {
  readonly width: number;
  readonly height: number;
  /** #rrggbb, or null: transparent. */
  readonly background: string | null;
  /** From the lowest to the topmost. */
  readonly pieces: readonly Piece[];
}

export const EMPTY_SHEET: Sheet = { width: 1200, height: 800, background: null, pieces: [] };

const LEAST_SCALE = 0.02;
const MOST_SCALE = 20;
/** A new piece covers at most this share of the sheet's sides. */
const FIRST_SHARE = 0.6;

/** A new piece, in the middle of the sheet and shifted a little for each that is there already. */
export function added(sheet: Sheet, piece: Pick<Piece, "id" | "name" | "width" | "height">): Sheet {
  const shift = 24 * (sheet.pieces.length % 8);
  const scale = Math.min(
    1,
    (FIRST_SHARE * sheet.width) / piece.width,
    (FIRST_SHARE * sheet.height) / piece.height,
  );
  const placed: Piece = {
    ...piece,
    x: sheet.width / 2 + shift,
    y: sheet.height / 2 + shift,
    scale,
    angle: 0,
  };
  return { ...sheet, pieces: [...sheet.pieces, placed] };
}

/** The sheet with one piece changed, within sane limits. */
export function withPiece(sheet: Sheet, id: Id, change: Partial<Piece>): Sheet {
  return {
    ...sheet,
    pieces: sheet.pieces.map((piece) => (piece.id === id ? sane({ ...piece, ...change }, sheet) : piece)),
  };
}

function sane(piece: Piece, sheet: Sheet): Piece {
  return {
    ...piece,
    x: clamp(piece.x, 0, sheet.width),
    y: clamp(piece.y, 0, sheet.height),
    scale: clamp(piece.scale, LEAST_SCALE, MOST_SCALE),
    angle: ((((piece.angle + 180) % 360) + 360) % 360) - 180,
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

export function withoutPiece(sheet: Sheet, id: Id): Sheet {
  return { ...sheet, pieces: sheet.pieces.filter((piece) => piece.id !== id) };
}

/** A piece one place higher (+1) or lower (-1), or, with Infinity, to the top or the bottom. */
export function raised(sheet: Sheet, id: Id, by: number): Sheet {
  const pieces = [...sheet.pieces];
  const from = pieces.findIndex((piece) => piece.id === id);
  if (from === -1) return sheet;
  const to = clamp(from + by, 0, pieces.length - 1);
  pieces.splice(to, 0, ...pieces.splice(from, 1));
  return { ...sheet, pieces };
}

/** Where a place of the sheet lies in the piece, in units of its half sides: -1 to 1 inside. */
function inPiece(piece: Piece, x: number, y: number): [number, number] {
  const turn = (-piece.angle * Math.PI) / 180;
  const [dx, dy] = [x - piece.x, y - piece.y];
  return [
    (dx * Math.cos(turn) - dy * Math.sin(turn)) / ((piece.scale * piece.width) / 2),
    (dx * Math.sin(turn) + dy * Math.cos(turn)) / ((piece.scale * piece.height) / 2),
  ];
}

/** The topmost piece whose frame holds the place. */
export function pieceAt(sheet: Sheet, x: number, y: number): Piece | null {
  const holds = (piece: Piece) => inPiece(piece, x, y).every((share) => Math.abs(share) <= 1);
  return sheet.pieces.findLast(holds) ?? null;
}

/** The four corners of the piece's frame, from the upper left one clockwise as the cut-out itself lies. */
export function cornersOf(piece: Piece): readonly (readonly [x: number, y: number])[] {
  const turn = (piece.angle * Math.PI) / 180;
  const [halfWidth, halfHeight] = [(piece.scale * piece.width) / 2, (piece.scale * piece.height) / 2];
  return [
    [-halfWidth, -halfHeight],
    [halfWidth, -halfHeight],
    [halfWidth, halfHeight],
    [-halfWidth, halfHeight],
  ].map(([x, y]) => {
    const [dx, dy] = [x as number, y as number];
    return [
      piece.x + dx * Math.cos(turn) - dy * Math.sin(turn),
      piece.y + dx * Math.sin(turn) + dy * Math.cos(turn),
    ] as const;
  });
}

/** The scale that a corner dragged from one place to another gives; the centre stays. */
export function scaledBy(
  piece: Piece,
  from: readonly [number, number],
  to: readonly [number, number],
): number {
  const before = Math.hypot(from[0] - piece.x, from[1] - piece.y);
  const after = Math.hypot(to[0] - piece.x, to[1] - piece.y);
  return before > 0 ? (piece.scale * after) / before : piece.scale;
}

/** The angle that a handle dragged from one place to another gives; `snap`: to steps of 15 degrees. */
export function turnedBy(
  piece: Piece,
  from: readonly [number, number],
  to: readonly [number, number],
  snap = false,
): number {
  const direction = ([x, y]: readonly [number, number]) => Math.atan2(y - piece.y, x - piece.x);
  const angle = piece.angle + ((direction(to) - direction(from)) * 180) / Math.PI;
  return snap ? Math.round(angle / 15) * 15 : angle;
}

/** Where a piece is taken hold of: at a corner (scale), at the knob above it (turn), or anywhere else in it (move). */
export type Grip = "move" | "scale" | "turn";

/** The knob that turns a piece, `distance` above the middle of its upper side. */
export function knobOf(piece: Piece, distance: number): readonly [x: number, y: number] {
  const turn = (piece.angle * Math.PI) / 180;
  const above = (piece.scale * piece.height) / 2 + distance;
  return [piece.x + above * Math.sin(turn), piece.y - above * Math.cos(turn)];
}

/** What a press at a place takes hold of; `reach`: how near it must be to a handle, `knob`: that one's distance. */
export function gripAt(
  piece: Piece,
  [x, y]: readonly [number, number],
  reach: number,
  knob: number,
): Grip | null {
  const near = ([px, py]: readonly [number, number]) => Math.hypot(x - px, y - py) <= reach;
  if (near(knobOf(piece, knob))) return "turn";
  if (cornersOf(piece).some(near)) return "scale";
  return inPiece(piece, x, y).every((share) => Math.abs(share) <= 1) ? "move" : null;
}

/** The piece after a drag of a grip from one place to another; `start` is the piece at the press. */
export function dragged(
  start: Piece,
  grip: Grip,
  from: readonly [number, number],
  to: readonly [number, number],
  snap: boolean,
): Partial<Piece> {
  switch (grip) {
    case "move":
      return { x: start.x + to[0] - from[0], y: start.y + to[1] - from[1] };
    case "scale":
      return { scale: scaledBy(start, from, to) };
    case "turn":
      return { angle: turnedBy(start, from, to, snap) };
  }
}
