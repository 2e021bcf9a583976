import { createStore, useStore } from "zustand";
import type { SaveStatus } from "../core/save";
import { NOTHING, type Proposal, type ToolName, type ToolView } from "../core/tools/tool";
import type { Candidate, Id, ImageSummary, Label, MaskObject, MaskRow, Rle } from "../core/types";
import { DEFAULT_VIEW, type View } from "../core/view";

export type { Proposal, ToolName, ToolView };

/** The object that is being made, before it is accepted. */
export interface Draft {
  /** The object that is refined, null for a new one. */
  readonly object: Id | null;
  readonly candidates: readonly Candidate[];
  readonly chosen: number;
  /** The last click made the mask much worse. */
  readonly worse: boolean;
}

/** A run of everything mode; the masks that pass its thresholds are `proposals`. */
export interface Everything {
  readonly run: Id | null;
  readonly running: boolean;
  readonly decoded: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface Task {
  readonly id: Id;
  readonly kind: "label" | "review";
  readonly image: Id;
  readonly lease_until: string;
}

/** An object that another person changed while a change of ours was on its way. null: deleted. */
export interface Conflict {
  readonly object: Id;
  readonly mine: MaskObject | null;
  readonly theirs: MaskObject | null;
}

export interface Notice {
  readonly id: number;
  readonly kind: "info" | "warning" | "error";
  readonly text: string;
}

/** What the editor's panels show. Only the editor (src/editor) writes it. */
export interface EditorState {
  readonly project: Id | null;
  readonly image: ImageSummary | null;
  readonly phase: "empty" | "loading" | "ready" | "failed";
  readonly failure: string | null;
  /** Whether the model is ready to answer about this picture. */
  readonly embedded: boolean;
  readonly objects: ReadonlyMap<Id, MaskObject>;
  /** From the lowest to the topmost. */
  readonly order: readonly MaskObject[];
  /** The names of the steps that Undo and Redo would take, null if there is none. */
  readonly undoes: string | null;
  readonly redoes: string | null;
  readonly labels: readonly Label[];
  /** The label that the next object gets. */
  readonly label: Id | null;
  readonly view: View;
  readonly tool: ToolName;
  readonly draft: Draft | null;
  /** What the tool has to be drawn. */
  readonly toolView: ToolView;
  /** Questions to the model that are not answered yet. */
  readonly asking: number;
  readonly everything: Everything | null;
  /** Masks of everything mode, propagation or a search that are not objects yet. */
  readonly proposals: readonly Proposal[];
  /** Diameter in pixels of the picture. */
  readonly brush: number;
  readonly zoom: number;
  readonly cursor: readonly [x: number, y: number] | null;
  readonly save: SaveStatus;
  readonly conflicts: readonly Conflict[];
  readonly task: Task | null;
  readonly notices: readonly Notice[];
  readonly hoverPreview: boolean;
}

export const INITIAL: EditorState = {
  project: null,
  image: null,
  phase: "empty",
  failure: null,
  embedded: false,
  objects: new Map(),
  order: [],
  undoes: null,
  redoes: null,
  labels: [],
  label: null,
  view: DEFAULT_VIEW,
  tool: "click",
  draft: null,
  toolView: NOTHING,
  asking: 0,
  everything: null,
  proposals: [],
  brush: 24,
  zoom: 1,
  cursor: null,
  save: { state: "saved", waiting: 0, detail: null },
  conflicts: [],
  task: null,
  notices: [],
  hoverPreview: true,
};

export const editorStore = createStore<EditorState>(() => INITIAL);

export function useEditor<T>(select: (state: EditorState) => T): T {
  return useStore(editorStore, select);
}

/** What the panels may do; implemented by the editor (`editor` in src/editor/index.ts). */
export interface EditorActions {
  open(project: Id, image: Id, review?: boolean): Promise<void>;
  close(): Promise<void>;
  next(): Promise<void>;
  previous(): Promise<void>;
  finish(): Promise<void>;
  skip(): Promise<void>;

  setTool(tool: ToolName): void;
  setBrush(diameter: number): void;
  setHoverPreview(on: boolean): void;
  setLabel(label: Id | null): void;

  /** The draft becomes an object. */
  accept(): void;
  /** The draft is given up; Escape. */
  cancel(): void;
  choose(candidate: number): void;
  /** The last click is taken back (also for "worse"). */
  takeBack(): void;

  undo(): void;
  redo(): void;

  select(ids: Iterable<Id>): void;
  setHovered(id: Id | null): void;
  toggleHidden(id: Id): void;
  setAllHidden(hidden: boolean): void;
  setView(change: Partial<View>): void;
  toggleLocked(id: Id): void;
  remove(ids: Iterable<Id>): void;
  duplicate(ids: Iterable<Id>): void;
  relabel(ids: Iterable<Id>, label: Id | null): void;
  setAttributes(id: Id, attributes: MaskObject["attributes"]): void;
  /** Above (+1) or below (-1) its neighbour, or to the top or bottom. */
  reorder(id: Id, where: "up" | "down" | "top" | "bottom"): void;
  refine(id: Id): void;
  combine(ids: readonly Id[], operation: "union" | "subtract" | "intersect"): void;
  /** Every connected part an object of its own. */
  split(ids: Iterable<Id>): void;
  fillHoles(ids: Iterable<Id>): void;
  removeIslands(ids: Iterable<Id>): void;
  /** Fewer vertices; gives what a tolerance would cost, `apply` does it. */
  simplify(id: Id, tolerance: number, apply: boolean): Promise<{ vertices: number; error: number } | null>;

  startEverything(preset: string | null, settings: Readonly<Record<string, unknown>>): Promise<void>;
  filterEverything(settings: Readonly<Record<string, unknown>>): Promise<void>;
  acceptProposals(ids: Iterable<Id>): void;
  /** All that are left are given up. */
  dismissProposals(): void;
  propagate(): Promise<void>;
  find(words: string): Promise<void>;

  cutOut(ids: readonly Id[], to: "clipboard" | "file" | "collage"): Promise<void>;
  /** An object gets the mask of one of its earlier rows; what else it is stays. */
  bringBack(row: MaskRow): void;
  /** The row that holds an object's present state; null before its first. */
  headOf(id: Id): Id | null;
  /** An object with its mask of the whole picture as RLE, for what the server is asked. */
  rleOf(id: Id): Rle | null;

  zoomBy(factor: number): void;
  fit(): void;
  lookAt(id: Id): void;
  save(): Promise<void>;
  resolve(object: Id, keep: "mine" | "theirs"): void;
  dismiss(notice: number): void;
}
