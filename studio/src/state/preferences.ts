/** What a person sets for themselves, kept in this browser. Keys have their own store (`keyboard`). */

import { create } from "zustand";

export interface Preferences {
  readonly leftHanded: boolean;
  /** Show the mask under the cursor before a click. */
  readonly hoverPreview: boolean;
  /** Whether the first steps have been shown. */
  readonly hintsSeen: boolean;
}

export const DEFAULT_PREFERENCES: Preferences = {
  leftHanded: false,
  hoverPreview: true,
  hintsSeen: false,
};

const STORED = "anymask.preferences";

/** Preferences as they were kept; what is missing or of another kind is as delivered. */
export function readPreferences(text: string | null): Preferences {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? "");
  } catch {
    return DEFAULT_PREFERENCES;
  }
  if (typeof kept !== "object" || kept === null) return DEFAULT_PREFERENCES;
  const values = kept as Record<string, unknown>;
  const entries = Object.entries(DEFAULT_PREFERENCES).map(([name, value]) => [
    name,
    typeof values[name] === "boolean" ? values[name] : value,
  ]);
  return Object.fromEntries(entries) as Preferences;
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

export const usePreferences = create<Preferences>(() => readPreferences(stored()));

/** Sets one, and keeps it for the next visit. */
export function setPreference<N extends keyof Preferences>(name: N, value: Preferences[N]): void {
  usePreferences.setState({ [name]: value } as Pick<Preferences, N>);
  try {
    localStorage.setItem(STORED, JSON.stringify(usePreferences.getState()));
  } catch {
    // A browser that keeps nothing still has it for this visit.
  }
}
