import { expect, test } from "vitest";
import {
  added,
  cornersOf,
  dragged,
  EMPTY_SHEET,
  gripAt,
  knobOf,
  type Piece,
  pieceAt,
  raised,
  scaledBy,
  turnedBy,
  withoutPiece,
  withPiece,
} from "../../src/core/collage";

const cut = (id: string, width = 100, height = 50) => ({ id, name: id, width, height });

function sheetOf(...pieces: ReturnType<typeof cut>[]) {
  return pieces.reduce(added, EMPTY_SHEET);
}

test("a new piece lies on top in the middle, made smaller only if it must be", () => {
  const sheet = sheetOf(cut("small"), cut("huge", 9000, 100));
  expect(sheet.pieces.map(({ id }) => id)).toEqual(["small", "huge"]);
  expect(sheet.pieces[0]).toMatchObject({ x: 600, y: 400, scale: 1, angle: 0 });
  expect((sheet.pieces[1] as Piece).scale * 9000).toBeCloseTo(0.6 * 1200);
});

test("a piece stays on the sheet, at a size that can be seen", () => {
  const sheet = withPiece(sheetOf(cut("a")), "a", { x: -500, y: 9999, scale: 0, angle: 725 });
  expect(sheet.pieces[0]).toMatchObject({ x: 0, y: 800, scale: 0.02, angle: 5 });
  expect(withPiece(sheet, "a", { angle: -190 }).pieces[0]?.angle).toBe(170);
});

test("order", () => {
  const sheet = sheetOf(cut("a"), cut("b"), cut("c"));
  const order = (by: number, id = "b") =>
    raised(sheet, id, by)
      .pieces.map((piece) => piece.id)
      .join("");
  expect([order(1), order(-1), order(Infinity), order(-Infinity)]).toEqual(["acb", "bac", "acb", "bac"]);
  expect(order(5, "nobody")).toBe("abc");
  expect(withoutPiece(sheet, "b").pieces.map((piece) => piece.id)).toEqual(["a", "c"]);
});

test("a place belongs to the topmost piece whose turned frame holds it", () => {
  const turned = withPiece(sheetOf(cut("a")), "a", { x: 300, y: 300, angle: 90 });
  expect(pieceAt(turned, 300, 345)?.id).toBe("a"); // the long side stands upright now
  expect(pieceAt(turned, 345, 300)).toBeNull();
  const two = withPiece(sheetOf(cut("a"), cut("b")), "b", { x: 600, y: 400 });
  expect(pieceAt(two, 600, 400)?.id).toBe("b");
});

test("corners go round with the piece, and dragging one scales and turns it there", () => {
  const piece: Piece = { ...cut("a"), x: 10, y: 20, scale: 2, angle: 90 };
  const corners = cornersOf(piece).map(([x, y]) => [Math.round(x), Math.round(y)]);
  expect(corners).toEqual([
    [60, -80],
    [60, 120],
    [-40, 120],
    [-40, -80],
  ]);
  expect(scaledBy(piece, [110, 20], [210, 20])).toBe(4);
  expect(scaledBy(piece, [10, 20], [210, 20])).toBe(2); // from the very centre nothing can be said
  expect(turnedBy(piece, [110, 20], [10, 120])).toBeCloseTo(180);
  expect(turnedBy(piece, [110, 20], [110, 30], true)).toBe(90);
});

test("a press takes hold of the knob, a corner, or the piece itself", () => {
  const piece: Piece = { ...cut("a"), x: 300, y: 300, scale: 1, angle: 90 };
  const [knobX, knobY] = knobOf(piece, 30);
  expect([Math.round(knobX), Math.round(knobY)]).toEqual([355, 300]); // above it, turned with it
  expect(gripAt(piece, [knobX + 3, knobY], 5, 30)).toBe("turn");
  expect(gripAt(piece, [325, 250], 5, 30)).toBe("scale");
  expect(gripAt(piece, [300, 340], 5, 30)).toBe("move");
  expect(gripAt(piece, [400, 340], 5, 30)).toBeNull();
});

test("a drag gives the place, size or angle that follow from where it began", () => {
  const piece: Piece = { ...cut("a"), x: 100, y: 100, scale: 1, angle: 0 };
  expect(dragged(piece, "move", [110, 110], [150, 90], false)).toEqual({ x: 140, y: 80 });
  expect(dragged(piece, "scale", [150, 100], [175, 100], false)).toEqual({ scale: 1.5 });
  expect(dragged(piece, "turn", [100, 50], [150, 100], true)).toEqual({ angle: 90 });
});
