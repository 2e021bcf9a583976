/** Where prompts are answered: a person's choice, kept for this browser, and who answers now. */

import { create } from "zustand";
import type { DecoderPlace } from "../api/browser/choosingPredictor";

const STORED = "anymask.decoder";
const PLACES: readonly DecoderPlace[] = ["auto", "browser", "server"];

export interface DecoderState {
  readonly place: DecoderPlace;
  /** Who answered last. */
  readonly answering: "browser" | "server" | null;
}

export const useDecoderPlace = create<DecoderState>(() => ({ place: stored(), answering: null }));

export function setDecoderPlace(place: DecoderPlace): void {
  useDecoderPlace.setState({ place });
  try {
    localStorage.setItem(STORED, place);
  } catch {
    // A browser that keeps nothing still has the choice for this visit.
  }
}

function stored(): DecoderPlace {
  try {
    const kept = localStorage.getItem(STORED);
    return PLACES.find((place) => place === kept) ?? "auto";
  } catch {
    return "auto";
  }
}
