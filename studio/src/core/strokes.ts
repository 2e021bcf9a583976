/** What a hand draws as points that a model understands (`anymask.core.strokes`). */

import type { ImageXY } from "./types";

/** Of a stroke at most so many points are taken: Segment Anything was trained with up to nine. */
const MAX_STROKE_POINTS = 8;
/** Wanted distance of a stroke's points, as a share of the picture's longer side. */
const STROKE_SPACING = 1 / 16;

/** The middles of equally long parts of a stroke; one without length gives its one point. */
export function strokePoints(
  stroke: readonly ImageXY[],
  size: readonly [height: number, width: number],
): ImageXY[] {
  const travelled = [0];
  for (let i = 1; i < stroke.length; i++) {
    const [x0, y0] = stroke[i - 1] as ImageXY;
    const [x1, y1] = stroke[i] as ImageXY;
    travelled.push((travelled[i - 1] as number) + Math.hypot(x1 - x0, y1 - y0));
  }
  const length = travelled.at(-1) as number;
  const [start] = stroke;
  if (start === undefined || length === 0) return start === undefined ? [] : [start];
  const spacing = Math.max(...size) * STROKE_SPACING;
  const count = Math.min(MAX_STROKE_POINTS, Math.max(1, roundHalfToEven(length / spacing)));
  return Array.from({ length: count }, (_, i) => placeAt(stroke, travelled, ((i + 0.5) * length) / count));
}

function placeAt(stroke: readonly ImageXY[], travelled: readonly number[], distance: number): ImageXY {
  const i = Math.max(
    1,
    travelled.findIndex((length) => length >= distance),
  );
  const [x0, y0] = stroke[i - 1] as ImageXY;
  const [x1, y1] = stroke[i] as ImageXY;
  const [from, to] = [travelled[i - 1] as number, travelled[i] as number];
  const share = to === from ? 0 : (distance - from) / (to - from);
  return [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
}

/** As Python rounds. */
function roundHalfToEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
