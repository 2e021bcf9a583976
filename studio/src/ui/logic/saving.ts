import type { SaveStatus } from "../../core/save";
import { plural } from "./format";

export interface SaveText {
  tone: "good" | "busy" | "bad" | "conflict";
  text: string;
  hint: string;
}

/** What the header says about unsaved work: short text, and a sentence for the tooltip. */
export function saveText(status: SaveStatus, conflicts: number): SaveText {
  if (conflicts > 0) {
    const hint = "Somebody else changed the same object. Press to choose which version stays.";
    return { tone: "conflict", text: plural(conflicts, "conflict"), hint };
  }
  const waiting = plural(status.waiting, "change");
  switch (status.state) {
    case "saved":
      return { tone: "good", text: "Saved", hint: "Everything is on the server." };
    case "saving":
      return { tone: "busy", text: "Saving", hint: `${waiting} on the way to the server.` };
    case "waiting":
      return { tone: "busy", text: "Unsaved", hint: `${waiting} will be sent in a moment.` };
    case "offline":
      return {
        tone: "bad",
        text: "Offline",
        hint: `${waiting} kept on this computer until the server answers.`,
      };
    case "signed_out":
      return { tone: "bad", text: "Logged out", hint: `Log in again; ${waiting} kept on this computer.` };
    case "refused":
      return { tone: "bad", text: "Not saved", hint: status.detail ?? "The server refused a change." };
  }
}
