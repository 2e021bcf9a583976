/** Scales, ticks and paths of the small plots; plain numbers in, SVG path text out. */

export interface Scale {
  domain: [number, number];
  range: [number, number];
}

export interface PlotPoint {
  x: number;
  y: number;
}

/** The place of a value on a scale; a domain of one value lies in the middle of the range. */
export function position(scale: Scale, value: number): number {
  const [low, high] = scale.domain;
  const [start, end] = scale.range;
  if (high === low) return (start + end) / 2;
  return start + ((value - low) / (high - low)) * (end - start);
}

/** About `wanted` round tick values (1, 2 or 5 times a power of ten) from 0 to at least `top`. */
export function ticks(top: number, wanted = 4): number[] {
  if (!(top > 0)) return [0, 1];
  const rough = top / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10);
  const count = Math.ceil(top / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** `M x y L x y ...` through the points in order of x; gaps are not drawn for missing days. */
export function linePath(points: readonly PlotPoint[], x: Scale, y: Scale): string {
  return [...points]
    .sort((a, b) => a.x - b.x)
    .map(
      (point, index) =>
        `${index === 0 ? "M" : "L"}${round(position(x, point.x))} ${round(position(y, point.y))}`,
    )
    .join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Days (ISO dates) from the first to the last, none left out. */
export function daysBetween(days: readonly string[]): string[] {
  const sorted = [...days].sort();
  const first = sorted[0];
  const last = sorted[sorted.length - 1];
  if (first === undefined || last === undefined) return [];
  const all: string[] = [];
  for (let time = Date.parse(first); time <= Date.parse(last); time += 86_400_000) {
    all.push(new Date(time).toISOString().slice(0, 10));
  }
  return all;
}
