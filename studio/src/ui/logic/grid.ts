/** The gallery's geometry and its movement by keyboard. */

export interface GridShape {
  columns: number;
  rows: number;
  cell: number;
}

/** As many columns of at least `smallest` pixels as fit the width, with `gap` between them; at least one. */
export function gridShape(width: number, items: number, smallest: number, gap: number): GridShape {
  const columns = Math.max(1, Math.floor((width + gap) / (smallest + gap)));
  const cell = Math.max(1, Math.floor((width - gap * (columns - 1)) / columns));
  return { columns, rows: Math.ceil(items / columns), cell };
}

/** The item that a key leads to from `index`, or null where the key does not move. */
export function gridMove(key: string, index: number, items: number, columns: number): number | null {
  const last = items - 1;
  if (last < 0) return null;
  const moves: Record<string, number> = {
    ArrowLeft: index - 1,
    ArrowRight: index + 1,
    ArrowUp: index - columns,
    ArrowDown: Math.min(index + columns, rowOf(index, columns) === rowOf(last, columns) ? index : last),
    Home: 0,
    End: last,
  };
  const target = moves[key];
  if (target === undefined) return null;
  return target < 0 || target > last ? index : target;
}

function rowOf(index: number, columns: number): number {
  return Math.floor(index / columns);
}
