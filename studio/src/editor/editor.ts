/**
 * The editor of one picture after another: joins the document, the tools, the model, the queue of unsaved rows and the
 * stage. It alone changes the editor's state; panels call its actions.
 */

import type { ServerEvent } from "../api/events";
import { type Picture, type Predictor, Superseded } from "../api/predictor";
import * as server from "../api/server";
import { ActiveTime } from "../core/activity";
import * as documents from "../core/document";
import * as edits from "../core/edits";
import { newId } from "../core/ids";
import { fillHoles, isEmpty, keepLargest, maskArea } from "../core/masks";
import { encodeRle } from "../core/rle";
import { headsAndObjects, objectOf, POSITION_STEP, rowsOf, stateOf } from "../core/rows";
import { SaveQueue } from "../core/save";
import { storeSteps, withSteps } from "../core/steps";
import type { Effect, Made, ToolEvent, ToolName } from "../core/tools/tool";
import { Toolbox } from "../core/tools/toolbox";
import type { BoxXYXY, Id, ImageXY, MaskObject, MaskRow, Rle } from "../core/types";
import { kept, toggled, type View, withRoom } from "../core/view";
import {
  type Conflict,
  type EditorActions,
  type EditorState,
  editorStore,
  INITIAL,
  type Notice,
} from "../state/editorStore";
import { BrowserJournal, StepsShelf } from "../state/journal";
import { cutOut } from "./cutouts";
import { type Host, messageOf } from "./host";
import { Pictures } from "./pictures";
import { Proposer } from "./proposer";
import { Remote } from "./remote";
import { Tasks } from "./tasks";

/** The stage, as far as the editor moves it. */
export interface Lens {
  lookAt(box: BoxXYXY): void;
  zoomBy(factor: number): void;
  fit(): void;
}

/** Shows the page of a picture, null: of the project's gallery. */
export type Go = (project: Id, image: Id | null, review: boolean) => void;

const NOTICE_SECONDS = 6;
/** What is looked at has this share of its size round it, and never less than so many pixels in all. */
const ROOM = 0.35;
const LEAST_SIGHT = 96;
/** Steps are written so long after the last change. */
const STEPS_MILLISECONDS = 300;

export class Editor implements EditorActions, Host {
  #document = documents.EMPTY;
  #toolbox: Toolbox;
  #queue: SaveQueue | null = null;
  #shelf: StepsShelf | null = null;
  #user: Id | null = null;
  #lens: Lens | null = null;
  #review = false;
  /** Of the picture that is open: aborted when it is left. */
  #visit = new AbortController();
  /** Rows that this page made. */
  readonly #mine = new Set<Id>();
  readonly #time = new ActiveTime();
  readonly #sincePrompt = new ActiveTime();
  readonly #proposer: Proposer;
  readonly #tasks: Tasks;
  readonly #pictures = new Pictures();
  readonly #remote: Remote;
  #notices = 0;
  #stepsTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly predictor: Predictor,
    private readonly go: Go,
    private readonly store = editorStore,
  ) {
    this.#toolbox = this.#newToolbox("click");
    this.#proposer = new Proposer(this, () => this.#publish());
    this.#tasks = new Tasks(this);
    this.#remote = new Remote({
      image: () => this.state.image?.id ?? null,
      knows: (object, row) => this.#mine.has(row) || this.#document.heads.get(object) === row,
      receive: (rows) => this.#receive(rows),
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
    this.set({ notices: [...this.state.notices.filter((one) => one.text !== text), notice].slice(-4) });
    if (kind !== "error") setTimeout(() => this.dismiss(notice.id), NOTICE_SECONDS * 1000);
  }

  dismiss(notice: number): void {
    this.set({ notices: this.state.notices.filter(({ id }) => id !== notice) });
  }

  attach(lens: Lens): () => void {
    this.#lens = lens;
    return () => {
      if (this.#lens === lens) this.#lens = null;
    };
  }

  /** Whose work this is; what an earlier page of theirs did not save is sent now. */
  async signIn(user: Id): Promise<void> {
    if (this.#user === user) return this.#queue?.retry();
    this.#user = user;
    this.#shelf = new StepsShelf(user);
    this.#queue = new SaveQueue(server.sendRows, new BrowserJournal(user), {
      status: (save) => this.set({ save }),
      saved: () => undefined,
      conflict: (head, mine) => this.#conflict(head, mine),
    });
    void this.#shelf.tidy();
    await this.#queue.restore().catch(() => []);
  }

  // Pictures

  async open(project: Id, image: Id, review = false): Promise<void> {
    await this.close();
    const { signal } = this;
    this.#review = review;
    this.set({ project, phase: "loading", failure: null });
    try {
      const [picture, rows, labels, steps] = await Promise.all([
        server.getImage(image, signal),
        server.getHeads(image, signal),
        server.getLabels(project, signal),
        this.#shelf?.get(image) ?? null,
      ]);
      if (signal.aborted) return;
      const waiting = (this.#queue?.waiting ?? []).filter((row) => row.image_id === image);
      const { objects, heads } = headsAndObjects([...rows, ...waiting]);
      const document = documents.open(objects, heads);
      this.#document = steps ? withSteps(document, steps) : document;
      this.#toolbox = this.#newToolbox(this.state.tool);
      this.set({ image: picture, labels, phase: "ready" });
      this.#publish();
      this.#time.take();
      void this.#prepare(picture, signal);
      if (review || picture.state === "new" || picture.state === "in_progress") void this.#claim();
    } catch (error) {
      if (!signal.aborted) this.fail(messageOf(error));
    }
  }

  async close(): Promise<void> {
    if (this.state.task) this.#tasks.release();
    this.#writeSteps();
    this.#visit.abort();
    this.#visit = new AbortController();
    this.#document = documents.EMPTY;
    const { tool, label, view, brush, hoverPreview, save, notices, project } = this.state;
    const calm: View = { ...view, selection: new Set(), hidden: new Set(), hovered: null, allHidden: false };
    this.set({ ...INITIAL, tool, label, view: calm, brush, hoverPreview, save, notices, project });
  }

  /** The picture itself cannot be shown. */
  fail(failure: string): void {
    this.set({ phase: "failed", failure });
  }

  async #prepare(picture: Picture, signal: AbortSignal): Promise<void> {
    try {
      await this.predictor.prepare(picture, signal);
      if (signal.aborted) return;
      this.set({ embedded: true });
      if (this.state.project) await this.#pictures.prefetch(this.state.project, picture.id);
    } catch (error) {
      if (!signal.aborted) this.say("warning", `The model is not ready: ${messageOf(error)}`);
    }
  }

  async #claim(): Promise<void> {
    const { project, image } = this.state;
    if (project && image) await this.#tasks.claim(project, image.id, this.#kind);
  }

  get #kind(): "label" | "review" {
    return this.#review ? "review" : "label";
  }

  next(): Promise<void> {
    return this.#beside(1);
  }

  previous(): Promise<void> {
    return this.#beside(-1);
  }

  async #beside(by: 1 | -1): Promise<void> {
    const { project, image } = this.state;
    if (!project || !image) return;
    try {
      const id = await this.#pictures.beside(project, image.id, by);
      if (id !== null) this.go(project, id, this.#review);
      else this.say("info", by === 1 ? "This is the last picture." : "This is the first picture.");
    } catch (error) {
      this.say("error", messageOf(error));
    }
  }

  finish(): Promise<void> {
    return this.#end("finish");
  }

  skip(): Promise<void> {
    return this.#end("skip");
  }

  /** Ends the task of this picture and goes to the next one of the queue. */
  async #end(how: "finish" | "skip"): Promise<void> {
    const { project, image } = this.state;
    if (!project || !image) return;
    if (this.#toolbox.busy && how === "finish") this.accept();
    try {
      await this.#queue?.done();
      await this.#claim();
      await this.#tasks.end(how);
      const next = await this.#tasks.next(project, this.#kind);
      if (next === null) this.say("info", "All pictures are done.");
      this.go(project, next, this.#review && next !== null);
    } catch (error) {
      this.say("error", messageOf(error));
    }
  }

  // Tools

  setTool(tool: ToolName): void {
    if (tool === this.#toolbox.name) return;
    this.#toolbox.use(tool);
    this.set({ tool });
    this.#publish();
  }

  /** An event of the stage or a key for the tool in hand. */
  send(event: ToolEvent): void {
    if (this.state.phase !== "ready") return;
    for (const clock of [this.#time, this.#sincePrompt, this.#tasks]) clock.touch();
    if ("at" in event) this.set({ cursor: event.at as ImageXY });
    else if (event.type === "leave") this.set({ cursor: null });
    for (const effect of this.#toolbox.send(event)) this.#perform(effect);
    this.#publish();
  }

  /** Whether Escape, undo and Enter are for the tool in hand. */
  get busy(): boolean {
    return this.#toolbox.busy;
  }

  setBrush(diameter: number): void {
    this.set({ brush: Math.min(Math.max(diameter, 1), 1000) });
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
    if (this.#toolbox.busy) this.send({ type: "cancel" });
    else if (this.state.view.selection.size > 0) this.select([]);
  }

  choose(candidate: number): void {
    this.send({ type: "choose", candidate });
  }

  takeBack(): void {
    this.send({ type: "undo" });
  }

  #newToolbox(name: ToolName): Toolbox {
    return new Toolbox(name, () => {
      const { image, view, proposals, brush, hoverPreview } = this.state;
      const selection = [...view.selection];
      const only = selection.length === 1 ? this.#document.objects.get(selection[0] as Id) : undefined;
      return {
        size: image ? [image.height, image.width] : [1, 1],
        target: only && !only.locked ? only : null,
        selection,
        objects: this.#shown().filter((object) => !object.locked),
        proposals,
        brushRadius: brush / 2,
        hover: hoverPreview,
        snap: { lasso: true, polygon: false },
        tolerance: 1,
      };
    });
  }

  #shown(): readonly MaskObject[] {
    const { hidden, allHidden } = this.state.view;
    if (allHidden) return [];
    const objects = documents.inOrder(this.#document);
    return hidden.size === 0 ? objects : objects.filter((object) => !hidden.has(object.id));
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "predict":
        void this.#ask(effect.request, effect.hover, (picture, signal) =>
          this.predictor
            .predict(picture, effect.prompt, this.#options(effect.hover, effect.request, signal))
            .then((prediction) => ({ type: "reply", request: effect.request, prediction })),
        );
        break;
      case "predictBoxes":
        void this.#ask(effect.request, false, (picture, signal) =>
          this.predictor
            .predictBoxes(picture, effect.boxes, this.#options(false, effect.request, signal))
            .then((predictions) => ({ type: "replies", request: effect.request, predictions })),
        );
        break;
      case "commit":
        this.#commit(effect.made, effect.select);
        break;
      case "select":
        this.select(effect.ids);
        break;
      case "focus":
        this.#lens?.lookAt(withRoom(effect.box, ROOM, LEAST_SIGHT));
        break;
      case "review":
        void this.#verdict(effect.object, effect.verdict, effect.comment);
        break;
      case "say":
        this.say("info", effect.text);
        break;
    }
  }

  #options(hover: boolean, request: number, signal: AbortSignal) {
    return hover ? { hover: request, signal } : { seconds: this.#sincePrompt.take(), signal };
  }

  async #ask(
    request: number,
    quiet: boolean,
    ask: (picture: Picture, signal: AbortSignal) => Promise<ToolEvent>,
  ): Promise<void> {
    const { image } = this.state;
    const { signal } = this.#visit;
    const toolbox = this.#toolbox;
    if (!image) return;
    if (!quiet) this.set({ asking: this.state.asking + 1 });
    let event: ToolEvent = { type: "failed", request };
    try {
      event = await ask(image, signal);
      if (!this.state.embedded && !signal.aborted) this.set({ embedded: true });
    } catch (error) {
      if (!quiet && !signal.aborted && !(error instanceof Superseded))
        this.say("error", `The model did not answer: ${messageOf(error)}`);
    }
    if (signal.aborted) return;
    if (!quiet) this.set({ asking: this.state.asking - 1 });
    if (toolbox === this.#toolbox) this.send(event);
  }

  // The document

  #commit(made: readonly Made[], select: boolean): void {
    const seconds = this.#time.take() / Math.max(made.length, 1);
    let position = documents.topPosition(this.#document);
    const objects = made.map((one) => {
      const before = one.object === null ? undefined : this.#document.objects.get(one.object);
      if (!before) position += POSITION_STEP;
      return this.#made(one, before ?? null, position, seconds);
    });
    const gone = objects.filter((object) => isEmpty(object.mask)).map((object) => object.id);
    const there = objects.filter((object) => !isEmpty(object.mask));
    this.#do(documents.diffOf(this.#document, nameOf(made), there, gone));
    const taken = new Set(made.flatMap((one) => (one.proposal ? [one.proposal] : [])));
    if (taken.size > 0) this.#proposer.take(taken);
    if (select) this.select(there.map((object) => object.id));
  }

  #made(one: Made, before: MaskObject | null, position: number, seconds: number): MaskObject {
    const shared = {
      mask: one.mask,
      area: maskArea(one.mask),
      source: one.source,
      score: one.score,
      stability: one.stability,
      prompts: one.prompts,
    };
    if (before) return { ...before, ...shared, seconds: before.seconds + seconds };
    const { label, attributes } = this.#proposer.given(one.proposal) ?? {
      label: this.state.label,
      attributes: {},
    };
    return {
      ...shared,
      id: newId(),
      label,
      attributes,
      locked: false,
      position,
      seconds,
      author: null,
      model: null,
    };
  }

  /** Does a change as one step, and saves it. */
  #do(diff: documents.Diff): void {
    if (diff.changes.size === 0) return;
    this.#document = documents.perform(this.#document, diff);
    this.#keep(diff);
  }

  #keep(diff: documents.Diff): void {
    const { image } = this.state;
    if (!image) return;
    const { rows, document } = rowsOf(image, this.#document, diff);
    this.#document = document;
    for (const row of rows) this.#mine.add(row.id);
    this.#queue?.add(rows);
    this.#stepsTimer ??= setTimeout(() => this.#writeSteps(), STEPS_MILLISECONDS);
    if (this.state.task === null) void this.#claim();
    this.#publish();
  }

  #writeSteps(): void {
    if (this.#stepsTimer === null) return;
    clearTimeout(this.#stepsTimer);
    this.#stepsTimer = null;
    const { image } = this.state;
    if (image) void this.#shelf?.put(image.id, storeSteps(this.#document, [image.height, image.width]));
  }

  undo(): void {
    if (this.#toolbox.busy) this.send({ type: "undo" });
    else this.#travel(documents.undo(this.#document));
  }

  redo(): void {
    if (this.#toolbox.busy) this.send({ type: "redo" });
    else this.#travel(documents.redo(this.#document));
  }

  #travel(result: { document: documents.Document; diff: documents.Diff } | null): void {
    if (!result) return;
    this.#document = result.document;
    this.#keep(result.diff);
  }

  /** Does what was worked out, or says why it was not. */
  #edit(result: documents.Diff | string): boolean {
    if (typeof result === "string") this.say("info", result);
    else this.#do(result);
    return typeof result !== "string";
  }

  toggleLocked(id: Id): void {
    const locks = !this.#document.objects.get(id)?.locked;
    const flip = (object: MaskObject) => ({ ...object, locked: !object.locked });
    this.#do(edits.changed(this.#document, locks ? "Lock" : "Unlock", [id], flip, true));
  }

  remove(ids: Iterable<Id>): void {
    this.#do(edits.changed(this.#document, "Delete", ids, () => null));
  }

  duplicate(ids: Iterable<Id>): void {
    const { image } = this.state;
    if (!image) return;
    const diff = edits.duplicated(this.#document, ids, [image.height, image.width]);
    this.#do(diff);
    this.select(diff.changes.keys());
  }

  relabel(ids: Iterable<Id>, label: Id | null): void {
    this.#do(edits.relabelled(this.#document, ids, label));
  }

  setAttributes(id: Id, attributes: MaskObject["attributes"]): void {
    this.#do(edits.changed(this.#document, "Attributes", [id], (object) => ({ ...object, attributes })));
  }

  reorder(id: Id, where: "up" | "down" | "top" | "bottom"): void {
    this.#do(edits.reordered(this.#document, id, where));
  }

  refine(id: Id): void {
    this.setTool("click");
    this.select([id]);
    this.say("info", "Shift-click adds a part to the object, Alt-click or right click takes one away.");
  }

  combine(ids: readonly Id[], operation: edits.Combination): void {
    if (this.#edit(edits.combined(this.#document, ids, operation))) this.select(ids.slice(0, 1));
  }

  split(ids: Iterable<Id>): void {
    this.#edit(edits.split(this.#document, ids));
  }

  fillHoles(ids: Iterable<Id>): void {
    const { image } = this.state;
    if (!image) return;
    const filled = ({ mask }: MaskObject) => fillHoles(mask, [image.height, image.width]);
    this.#do(
      edits.changed(this.#document, "Fill holes", ids, (object) => edits.withMask(object, filled(object))),
    );
  }

  removeIslands(ids: Iterable<Id>): void {
    this.#do(
      edits.changed(this.#document, "Remove islands", ids, (object) =>
        edits.withMask(object, keepLargest(object.mask)),
      ),
    );
  }

  async simplify(
    id: Id,
    tolerance: number,
    apply: boolean,
  ): Promise<{ vertices: number; error: number } | null> {
    const { image } = this.state;
    const object = this.#document.objects.get(id);
    if (!image || !object) return null;
    const result = await server.simplify(image.id, object.mask, tolerance);
    if (apply)
      this.#do(edits.changed(this.#document, "Simplify", [id], (one) => edits.withMask(one, result.mask)));
    return { vertices: result.vertices, error: result.error };
  }

  headOf(id: Id): Id | null {
    return this.#document.heads.get(id) ?? null;
  }

  rleOf(id: Id): Rle | null {
    const { image } = this.state;
    const object = this.#document.objects.get(id);
    return image && object ? encodeRle(object.mask, [image.height, image.width]) : null;
  }

  // The view

  select(ids: Iterable<Id>): void {
    this.setView({ selection: new Set([...ids].filter((id) => this.#document.objects.has(id))) });
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
    const mask = this.#document.objects.get(id)?.mask;
    if (mask)
      this.#lens?.lookAt(
        withRoom([mask.x, mask.y, mask.x + mask.width, mask.y + mask.height], ROOM, LEAST_SIGHT),
      );
  }

  /** The stage tells how large it shows the picture. */
  setZoom(zoom: number): void {
    if (zoom !== this.state.zoom) this.set({ zoom });
  }

  // Proposals

  async startEverything(preset: string | null, settings: Readonly<Record<string, unknown>>): Promise<void> {
    if (await this.#proposer.everything(preset, settings)) this.setTool("everything");
  }

  filterEverything(settings: Readonly<Record<string, unknown>>): Promise<void> {
    return this.#proposer.filter(settings);
  }

  async propagate(): Promise<void> {
    const { project, image } = this.state;
    if (!project || !image) return;
    const source = await this.#pictures.beside(project, image.id, -1).catch(() => null);
    if (source === null) return this.say("info", "There is no picture before this one.");
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
    if (made.length > 0) this.#commit(made, false);
  }

  dismissProposals(): void {
    this.#proposer.clear();
  }

  // Saving, and what others do

  async save(): Promise<void> {
    this.#queue?.retry();
    await this.#queue?.done();
  }

  /** Whether closing the page could lose work that is on no disk but the browser's. */
  get unsaved(): boolean {
    return (this.#queue?.waiting.length ?? 0) > 0;
  }

  #conflict(head: MaskRow, mine: readonly MaskRow[]): void {
    const last = mine.at(-1);
    if (head.image_id !== this.state.image?.id || !last) return;
    const theirs = objectOf(head);
    this.#document = documents.receive(this.#document, head.object_id, theirs, head.id);
    const conflict: Conflict = { object: head.object_id, mine: last.deleted ? null : stateOf(last), theirs };
    const others = this.state.conflicts.filter(({ object }) => object !== head.object_id);
    this.set({ conflicts: [...others, conflict] });
    this.#publish();
  }

  resolve(object: Id, keep: "mine" | "theirs"): void {
    const conflict = this.state.conflicts.find((one) => one.object === object);
    if (!conflict) return;
    this.set({ conflicts: this.state.conflicts.filter((one) => one !== conflict) });
    if (keep === "theirs") return;
    const { mine } = conflict;
    this.#do(documents.diffOf(this.#document, "Keep mine", mine ? [mine] : [], mine ? [] : [object]));
  }

  bringBack(row: MaskRow): void {
    const present = this.#document.objects.get(row.object_id);
    if (!present || present.locked || row.deleted) return;
    const { label, attributes, position, locked } = present;
    const before = { ...stateOf(row), label, attributes, position, locked };
    this.#do(documents.diffOf(this.#document, "Bring back", [before]));
  }

  heed(event: ServerEvent): void {
    if (event.project !== this.state.project) return;
    if (event.kind === "label") void this.#reloadLabels();
    else if (event.kind === "image") this.#pictures.forget();
    this.#remote.heed(event);
  }

  async #reloadLabels(): Promise<void> {
    const { project } = this.state;
    if (!project) return;
    const labels = await server.getLabels(project, this.signal).catch(() => null);
    if (labels) this.set({ labels });
  }

  /** Rows of others. Objects that have unsaved changes are left: saving them will tell of the conflict. */
  #receive(rows: readonly MaskRow[]): void {
    const waiting = new Set(this.#queue?.waiting.map((row) => row.object_id));
    for (const row of rows) {
      if (waiting.has(row.object_id) || this.#document.heads.get(row.object_id) === row.id) continue;
      this.#document = documents.receive(this.#document, row.object_id, objectOf(row), row.id);
    }
    this.#publish();
  }

  async cutOut(ids: readonly Id[], to: "clipboard" | "file" | "collage"): Promise<void> {
    const { image } = this.state;
    const objects = ids.flatMap((id) => this.#document.objects.get(id) ?? []);
    if (image) await cutOut(this, image, objects, to);
  }

  async #verdict(object: Id, verdict: "accepted" | "rejected" | "comment", comment: string): Promise<void> {
    const head = this.#document.heads.get(object);
    if (!head) return;
    try {
      await this.#queue?.done();
      await server.review(head, verdict, comment);
    } catch (error) {
      this.say("error", `The review was not saved: ${messageOf(error)}`);
    }
  }

  // What is shown

  /** Brings what follows from the document and the tool into the state. */
  #publish(): void {
    const { view } = this.state;
    const exists = (id: Id) => this.#document.objects.has(id);
    const selection = kept(view.selection, exists);
    const hovered = view.hovered !== null && exists(view.hovered) ? view.hovered : null;
    const toolView = this.#toolbox.view();
    this.set({
      objects: this.#document.objects,
      order: documents.inOrder(this.#document),
      undoes: this.#document.past.at(-1)?.name ?? null,
      redoes: this.#document.future.at(-1)?.name ?? null,
      view: selection === view.selection && hovered === view.hovered ? view : { ...view, selection, hovered },
      toolView,
      draft:
        toolView.candidates.length === 0 && !toolView.waiting
          ? null
          : {
              object: toolView.replaces,
              candidates: toolView.candidates,
              chosen: toolView.chosen,
              worse: toolView.worse,
            },
    });
  }
}

function nameOf(made: readonly Made[]): string {
  if (made.length > 1) return `${made.length} masks`;
  return made[0]?.object ? "Change mask" : "New mask";
}
