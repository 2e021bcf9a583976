/**
 * The editor of one picture after another: joins the document, the tool in hand, the queue of unsaved rows and the
 * stage. It and its parts alone change the editor's state; panels call its actions.
 */

import type { ServerEvent } from "../api/events";
import type { Picture, Predictor } from "../api/predictor";
import * as server from "../api/server";
import * as documents from "../core/document";
import type { Combination } from "../core/edits";
import { encodeRle } from "../core/rle";
import type { Made, ToolEvent, ToolName } from "../core/tools/tool";
import type { BoxXYXY, Id, ImageXY, MaskObject, MaskRow, Rle } from "../core/types";
import { kept, toggled, type View, withRoom } from "../core/view";
import {
  type EditorActions,
  type EditorState,
  editorStore,
  INITIAL,
  type Notice,
} from "../state/editorStore";
import { Book } from "./book";
import { Course, type Go } from "./course";
import { cutOut } from "./cutouts";
import { Hand } from "./hand";
import { type Host, messageOf } from "./host";
import { ObjectEdits } from "./objectEdits";
import { Proposer } from "./proposer";
import { Remote } from "./remote";

/** The stage, as far as the editor moves it. */
export interface Lens {
  lookAt(box: BoxXYXY): void;
  zoomBy(factor: number): void;
  fit(): void;
}

type Settings = Readonly<Record<string, unknown>>;

const NOTICE_SECONDS = 6;
const MOST_NOTICES = 4;
/** What is looked at has this share of its size round it, and never less than so many pixels in all. */
const ROOM = 0.35;
const LEAST_SIGHT = 96;
const LARGEST_BRUSH = 1000;

export class Editor implements EditorActions, Host {
  readonly #book: Book;
  readonly #hand: Hand;
  readonly #edits: ObjectEdits;
  readonly #proposer: Proposer;
  readonly #course: Course;
  readonly #remote: Remote;
  #lens: Lens | null = null;
  /** Of the picture that is open: aborted when it is left. */
  #visit = new AbortController();
  #notices = 0;

  constructor(
    private readonly predictor: Predictor,
    go: Go,
    private readonly store = editorStore,
  ) {
    const select = (ids: Iterable<Id>) => this.select(ids);
    this.#book = new Book(this, (byHand) => this.#changed(byHand));
    this.#edits = new ObjectEdits(this, this.#book, select);
    this.#proposer = new Proposer(this, () => this.#publish());
    this.#course = new Course(this, this.#book, go);
    this.#hand = new Hand(this, this.#book, this.#proposer, predictor, {
      select,
      focus: (box) => this.#lens?.lookAt(withRoom(box, ROOM, LEAST_SIGHT)),
      review: (object, verdict, comment) => void this.#verdict(object, verdict, comment),
      changed: () => this.#publish(),
    });
    this.#remote = new Remote({
      image: () => this.state.image?.id ?? null,
      knows: (object, row) => this.#book.knows(object, row),
      receive: (rows) => this.#book.receive(rows),
    });
  }

  get state(): EditorState {
    return this.store.getState();
  }

  get signal(): AbortSignal {
    return this.#visit.signal;
  }

  set(change: Partial<EditorState>): void {
    this.store.setState(change);
  }

  say(kind: Notice["kind"], text: string): void {
    const notice = { id: ++this.#notices, kind, text };
    const others = this.state.notices.filter((one) => one.text !== text);
    this.set({ notices: [...others, notice].slice(-MOST_NOTICES) });
    if (kind !== "error") setTimeout(() => this.dismiss(notice.id), NOTICE_SECONDS * 1000);
  }

  dismiss(notice: number): void {
    this.set({ notices: this.state.notices.filter(({ id }) => id !== notice) });
  }

  /** The stage lends its camera; call the answer to take it back. */
  attach(lens: Lens): () => void {
    this.#lens = lens;
    return () => {
      if (this.#lens === lens) this.#lens = null;
    };
  }

  signIn(user: Id): Promise<void> {
    return this.#book.signIn(user);
  }

  // Pictures

  async open(project: Id, image: Id, review = false): Promise<void> {
    await this.close();
    const { signal } = this;
    this.set({ project, phase: "loading", failure: null });
    try {
      const [picture, rows, labels, steps] = await Promise.all([
        server.getImage(image, signal),
        server.getHeads(image, signal),
        server.getLabels(project, signal),
        this.#book.steps(image),
      ]);
      if (signal.aborted) return;
      this.#book.open(image, rows, steps);
      this.#hand.begin();
      this.set({ image: picture, labels, phase: "ready" });
      this.#publish();
      this.#course.arrive(review);
      void this.#prepare(project, picture, signal);
    } catch (error) {
      if (!signal.aborted) this.fail(messageOf(error));
    }
  }

  async close(): Promise<void> {
    this.#course.leave();
    this.#book.close();
    this.#visit.abort();
    this.#visit = new AbortController();
    const { tool, label, view, brush, hoverPreview, save, notices, project } = this.state;
    const calm: View = { ...view, selection: new Set(), hidden: new Set(), hovered: null, allHidden: false };
    this.set({ ...INITIAL, tool, label, view: calm, brush, hoverPreview, save, notices, project });
  }

  /** A picture was removed for good, here or by somebody else: it is no longer shown, nothing of it is sent. */
  async removed(image: Id): Promise<void> {
    this.#course.pictures.forget();
    if (this.state.image?.id === image) {
      await this.close();
      this.fail("An administrator has removed it for good.");
    }
    await this.#book.forget(image);
  }

  /** The picture itself cannot be shown. */
  fail(failure: string): void {
    this.set({ phase: "failed", failure });
  }

  async #prepare(project: Id, picture: Picture, signal: AbortSignal): Promise<void> {
    try {
      await this.predictor.prepare(picture, signal);
      if (signal.aborted) return;
      this.set({ embedded: true });
      await this.#course.pictures.prefetch(project, picture.id);
    } catch (error) {
      if (!signal.aborted) this.say("warning", `The model is not ready: ${messageOf(error)}`);
    }
  }

  next(): Promise<void> {
    return this.#course.beside(1);
  }

  previous(): Promise<void> {
    return this.#course.beside(-1);
  }

  finish(): Promise<void> {
    if (this.#hand.busy) this.accept();
    return this.#course.end("finish");
  }

  skip(): Promise<void> {
    return this.#course.end("skip");
  }

  // The tool in hand

  setTool(tool: ToolName): void {
    if (tool === this.#hand.tool) return;
    this.#hand.use(tool);
    this.set({ tool });
    this.#publish();
  }

  /** An event of the stage or a key for the tool in hand. */
  send(event: ToolEvent): void {
    if (this.state.phase !== "ready") return;
    this.#course.touch();
    if ("at" in event) this.set({ cursor: event.at as ImageXY });
    else if (event.type === "leave") this.set({ cursor: null });
    this.#hand.send(event);
  }

  /** Whether Escape, undo and Enter are for the tool in hand. */
  get busy(): boolean {
    return this.#hand.busy;
  }

  setBrush(diameter: number): void {
    this.set({ brush: Math.min(Math.max(diameter, 1), LARGEST_BRUSH) });
    this.#publish();
  }

  setHoverPreview(hoverPreview: boolean): void {
    this.set({ hoverPreview });
  }

  setLabel(label: Id | null): void {
    this.set({ label });
  }

  accept(): void {
    this.send({ type: "finish" });
  }

  cancel(): void {
    if (this.#hand.busy) this.send({ type: "cancel" });
    else if (this.state.view.selection.size > 0) this.select([]);
  }

  choose(candidate: number): void {
    this.send({ type: "choose", candidate });
  }

  takeBack(): void {
    this.send({ type: "undo" });
  }

  undo(): void {
    if (this.#hand.busy) this.send({ type: "undo" });
    else this.#book.undo();
  }

  redo(): void {
    if (this.#hand.busy) this.send({ type: "redo" });
    else this.#book.redo();
  }

  refine(id: Id): void {
    this.setTool("click");
    this.select([id]);
    this.say("info", "Shift-click adds a part to the object, Alt-click or right click takes one away.");
  }

  // Objects

  toggleLocked(id: Id): void {
    this.#edits.toggleLocked(id);
  }

  remove(ids: Iterable<Id>): void {
    this.#edits.remove(ids);
  }

  duplicate(ids: Iterable<Id>): void {
    this.#edits.duplicate(ids);
  }

  relabel(ids: Iterable<Id>, label: Id | null): void {
    this.#edits.relabel(ids, label);
  }

  setAttributes(id: Id, attributes: MaskObject["attributes"]): void {
    this.#edits.setAttributes(id, attributes);
  }

  reorder(id: Id, where: "up" | "down" | "top" | "bottom"): void {
    this.#edits.reorder(id, where);
  }

  combine(ids: readonly Id[], operation: Combination): void {
    this.#edits.combine(ids, operation);
  }

  split(ids: Iterable<Id>): void {
    this.#edits.split(ids);
  }

  fillHoles(ids: Iterable<Id>): void {
    this.#edits.fillHoles(ids);
  }

  removeIslands(ids: Iterable<Id>): void {
    this.#edits.removeIslands(ids);
  }

  simplify(id: Id, tolerance: number, apply: boolean): Promise<{ vertices: number; error: number } | null> {
    return this.#edits.simplify(id, tolerance, apply);
  }

  bringBack(row: MaskRow): void {
    this.#edits.bringBack(row);
  }

  async cutOut(ids: readonly Id[], to: "clipboard" | "file" | "collage"): Promise<void> {
    const { image } = this.state;
    const objects = ids.flatMap((id) => this.#book.object(id) ?? []);
    if (image) await cutOut(this, image, objects, to);
  }

  headOf(id: Id): Id | null {
    return this.#book.document.heads.get(id) ?? null;
  }

  rleOf(id: Id): Rle | null {
    const { image } = this.state;
    const object = this.#book.object(id);
    return image && object ? encodeRle(object.mask, [image.height, image.width]) : null;
  }

  // The view

  select(ids: Iterable<Id>): void {
    this.setView({ selection: new Set([...ids].filter((id) => this.#book.object(id))) });
  }

  setHovered(hovered: Id | null): void {
    if (hovered !== this.state.view.hovered) this.setView({ hovered });
  }

  toggleHidden(id: Id): void {
    this.setView({ hidden: toggled(this.state.view.hidden, id) });
  }

  setAllHidden(allHidden: boolean): void {
    this.setView({ allHidden });
  }

  setView(change: Partial<View>): void {
    this.set({ view: { ...this.state.view, ...change } });
    this.#publish();
  }

  zoomBy(factor: number): void {
    this.#lens?.zoomBy(factor);
  }

  fit(): void {
    this.#lens?.fit();
  }

  lookAt(id: Id): void {
    const mask = this.#book.object(id)?.mask;
    if (!mask) return;
    const box: BoxXYXY = [mask.x, mask.y, mask.x + mask.width, mask.y + mask.height];
    this.#lens?.lookAt(withRoom(box, ROOM, LEAST_SIGHT));
  }

  /** The stage tells how large it shows the picture. */
  setZoom(zoom: number): void {
    if (zoom !== this.state.zoom) this.set({ zoom });
  }

  // Proposals

  async startEverything(preset: string | null, settings: Settings): Promise<void> {
    if (await this.#proposer.everything(preset, settings)) this.setTool("everything");
  }

  filterEverything(settings: Settings): Promise<void> {
    return this.#proposer.filter(settings);
  }

  async propagate(): Promise<void> {
    const { project, image } = this.state;
    if (!project || !image) return;
    const source = await this.#course.pictures.beside(project, image.id, -1).catch(() => null);
    if (source === null) {
      this.say("info", "There is no picture before this one.");
      return;
    }
    await this.#proposer.propagate(source);
    if (this.state.proposals.length > 0) this.setTool("everything");
  }

  async find(words: string): Promise<void> {
    await this.#proposer.find(words);
    if (this.state.proposals.length > 0) this.setTool("everything");
  }

  acceptProposals(ids: Iterable<Id>): void {
    const wanted = new Set(ids);
    const made = this.state.proposals
      .filter(({ id }) => wanted.has(id))
      .map(({ id, mask, source, score, stability }): Made => {
        return { object: null, mask, source, score, stability, prompts: [], proposal: id };
      });
    if (made.length > 0) this.#hand.commit(made, false);
  }

  dismissProposals(): void {
    this.#proposer.clear();
  }

  // Saving, and what others do

  async save(): Promise<void> {
    await this.#book.save();
  }

  /** Whether something is not on the server yet. */
  get unsaved(): boolean {
    return !this.#book.isSaved;
  }

  resolve(object: Id, keep: "mine" | "theirs"): void {
    this.#book.resolve(object, keep);
  }

  heed(event: ServerEvent): void {
    if (event.project !== this.state.project) return;
    if (event.kind === "label") void this.#reloadLabels();
    else if (event.kind === "image") this.#course.pictures.forget();
    if (event.kind === "image" && event.detail["removed"])
      void this.removed(String(event.detail["image_id"]));
    this.#remote.heed(event);
  }

  async #reloadLabels(): Promise<void> {
    const { project } = this.state;
    if (!project) return;
    const labels = await server.getLabels(project, this.signal).catch(() => null);
    if (labels) this.set({ labels });
  }

  async #verdict(object: Id, verdict: "accepted" | "rejected" | "comment", comment: string): Promise<void> {
    const head = this.headOf(object);
    if (!head) return;
    try {
      if (!(await this.#book.saved())) throw new Error("the mask itself is not saved yet");
      await server.review(head, verdict, comment);
    } catch (error) {
      this.say("error", `The review was not saved: ${messageOf(error)}`);
    }
  }

  // What is shown

  #changed(byHand: boolean): void {
    if (byHand && this.state.task === null) void this.#course.claim();
    this.#publish();
  }

  /** Brings what follows from the document and the tool into the state. */
  #publish(): void {
    const { document } = this.#book;
    const toolView = this.#hand.view();
    const { candidates, chosen, worse, replaces, waiting } = toolView;
    this.set({
      objects: document.objects,
      order: documents.inOrder(document),
      undoes: document.past.at(-1)?.name ?? null,
      redoes: document.future.at(-1)?.name ?? null,
      view: this.#presentView(),
      toolView,
      draft: candidates.length === 0 && !waiting ? null : { object: replaces, candidates, chosen, worse },
    });
  }

  /** The view without objects that are gone. */
  #presentView(): View {
    const { view } = this.state;
    const exists = (id: Id) => this.#book.object(id) !== undefined;
    const selection = kept(view.selection, exists);
    const hovered = view.hovered !== null && exists(view.hovered) ? view.hovered : null;
    const isSame = selection === view.selection && hovered === view.hovered;
    return isSame ? view : { ...view, selection, hovered };
  }
}
