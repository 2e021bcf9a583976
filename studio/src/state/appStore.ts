import { create } from "zustand";

/** Who looks at which picture now, as the server's presence events tell it. */
export interface Present {
  user: string;
  name: string;
  image: string | null;
}

export type Dialog = "help" | "palette" | "export" | "import" | "conflict" | "hints" | "password" | null;

export interface AppState {
  dialog: Dialog;
  present: Present[];
  /** False while the event stream is broken: what others do is not shown. */
  connected: boolean;
  /** The snapshot that the export dialog starts with. */
  snapshot: string | null;
  openDialog: (dialog: Dialog) => void;
  exportSnapshot: (snapshot: string) => void;
  setPresent: (present: Present[]) => void;
  setConnected: (connected: boolean) => void;
}

/** What concerns the whole page and belongs to no picture. */
export const useAppStore = create<AppState>((set) => ({
  dialog: null,
  present: [],
  connected: true,
  snapshot: null,
  openDialog: (dialog) => set({ dialog, snapshot: null }),
  exportSnapshot: (snapshot) => set({ dialog: "export", snapshot }),
  setPresent: (present) => set({ present }),
  setConnected: (connected) => set({ connected }),
}));
