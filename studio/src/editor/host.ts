import type { EditorState, Notice } from "../state/editorStore";

/** What the editor's parts may do with it. */
export interface Host {
  readonly state: EditorState;
  /** Aborted when the picture is left. */
  readonly signal: AbortSignal;
  set(change: Partial<EditorState>): void;
  say(kind: Notice["kind"], text: string): void;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One or many of something, in words. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
