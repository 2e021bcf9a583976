import type { DayFigures } from "../data/types";

export interface DayLine {
  name: string;
  colour: string;
  points: { day: string; value: number; masks: number }[];
}

/** Hues that people with any colour vision tell apart on dark and light grounds (after Okabe and Ito, 2008). */
const LINES = ["#2f86d8", "#d9861a", "#12936f", "#b5569b", "#c8522a", "#7a6ff0"] as const;

/** Seconds a mask for each person and day with masks; people in the order of their names. */
export function dayLines(days: readonly DayFigures[]): DayLine[] {
  const people = [...new Map(days.map((day) => [day.user_id, day.name]))].sort((a, b) =>
    a[1].localeCompare(b[1]),
  );
  return people
    .map(([user, name], index) => ({
      name,
      colour: LINES[index % LINES.length] as string,
      points: days
        .filter((day) => day.user_id === user && day.seconds_per_mask !== null)
        .map((day) => ({ day: day.day, value: day.seconds_per_mask ?? 0, masks: day.masks })),
    }))
    .filter((line) => line.points.length > 0);
}
