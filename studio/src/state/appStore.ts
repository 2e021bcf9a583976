import { create } from "zustand";

/** Who looks at which picture now, as the server's presence events tell it. */
export interface Present {
  user: string;
  name: string;
  image: string | null;
}

export type SaveState = "saved" | "saving" | "waiting" | "offline" | "conflict";

export type Dialog =
  | "help"
  | "palette"
  | "upload"
  | "export"
  | "import"
  | "project"
  | "conflict"
  | "hints"
  | null;

export interface AppState {
  dialog: Dialog;
  present: Present[];
  /** False while the event stream is broken: what others do is not shown. */
  connected: boolean;
  openDialog: (dialog: Dialog) => void;
  setPresent: (present: Present[]) => void;
  setConnected: (connected: boolean) => void;
}

/** What concerns the whole page and belongs to no picture. */
export const useAppStore = create<AppState>((set) => ({
  dialog: null,
  present: [],
  connected: true,
  openDialog: (dialog) => set({ dialog }),
  setPresent: (present) => set({ present }),
  setConnected: (connected) => set({ connected }),
}));
