/**
 * The editor of one picture after another: joins the document, the tools, the model, the queue of unsaved rows and the
 * stage. It alone changes the editor's state; panels call its actions.
 */

import { ApiError } from "../api/http";
import { type Picture, type Predictor, Superseded } from "../api/predictor";
import * as server from "../api/server";
import * as documents from "../core/document";
import { newId } from "../core/ids";
import { fillHoles, intersect, isEmpty, keepLargest, maskArea, moved, subtract, unionAll } from "../core/masks";
import { encodeRle } from "../core/rle";
import { headsAndObjects, objectOf, POSITION_STEP, rowsOf, stateOf } from "../core/rows";
import { SaveQueue } from "../core/save";
import { Toolbox } from "../core/tools/toolbox";
import type { Effect, Made, Proposal, ToolEvent, ToolName } from "../core/tools/tool";
import type { BoxXYXY, Candidate, Id, ImageXY, MaskObject, MaskRow, MaskSource, Rle, WindowMask } from "../core/types";
import { kept, toggled, type View, withRoom } from "../core/view";
import {
  type Conflict,
  type EditorActions,
  type EditorState,
  editorStore,
  INITIAL,
  type Notice,
} from "../state/editorStore";
import { BrowserJournal } from "../state/journal";

/** The stage, as far as the editor moves it. */
export interface Lens {
  lookAt(box: BoxXYXY): void;
  zoomBy(factor: number): void;
  fit(): void;
}

const NOTICE_SECONDS = 6;
/** What is looked at shows this share of its size round it, and never less than so many pixels. */
const ROOM = 0.35;
const LEAST_SIGHT = 96;
/** A long everything run answers "busy" after two minutes and goes on. */
const EVERYTHING_PATIENCE = 30;

export class Editor implements EditorActions {
  #document = documents.EMPTY;
  #toolbox: Toolbox;
  #queue: SaveQueue | null = null;
  #user: Id | null = null;
  #lens: Lens | null = null;
  /** Of the picture that is open: aborted when it is left. */
  #visit = new AbortController();
  #lastAction = performance.now();
  #notices = 0;

  constructor(
    private readonly predictor: Predictor,
    private readonly store = editorStore,
  ) {
    this.#toolbox = this.#newToolbox("click");
  }

  get state(): EditorState {
    return this.store.getState();
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
    this.#queue = new SaveQueue(server.sendRows, new BrowserJournal(user), {
      status: (save) => this.#set({ save }),
      saved: () => undefined,
      conflict: (head, mine) => this.#conflict(head, mine),
    });
    await this.#queue.restore().catch(() => []);
  }

  // Pictures

  async open(project: Id, image: Id): Promise<void> {
    await this.close();
    const { signal } = this.#visit;
    this.#set({ project, phase: "loading", failure: null });
    try {
      const [picture, rows, labels] = await Promise.all([
        server.getImage(image, signal),
        server.getHeads(image, signal),
        server.getLabels(project, signal),
      ]);
      if (signal.aborted) return;
      const waiting = (this.#queue?.waiting ?? []).filter((row) => row.image_id === image);
      const { objects, heads } = headsAndObjects([...rows, ...waiting]);
      this.#document = documents.open(objects, heads);
      this.#toolbox = this.#newToolbox(this.state.tool);
      this.#set({ image: picture, labels, phase: "ready", embedded: false });
      this.#publish();
      this.#lastAction = performance.now();
      void this.#prepare(picture, signal);
    } catch (error) {
      if (!signal.aborted) this.#set({ phase: "failed", failure: messageOf(error) });
    }
  }

  async close(): Promise<void> {
    this.#visit.abort();
    this.#visit = new AbortController();
    this.#document = documents.EMPTY;
    const { tool, label, view, brush, hoverPreview, save, notices, project } = this.state;
    const calm: View = { ...view, selection: new Set(), hidden: new Set(), hovered: null, allHidden: false };
    this.#set({ ...INITIAL, tool, label, view: calm, brush, hoverPreview, save, notices, project });
  }

  /** The picture itself cannot be shown. */
  fail(failure: string): void {
    this.#set({ phase: "failed", failure });
  }

  async #prepare(picture: Picture, signal: AbortSignal): Promise<void> {
    try {
      await this.predictor.prepare(picture, signal);
      if (!signal.aborted) this.#set({ embedded: true });
    } catch (error) {
      if (!signal.aborted) this.#say("warning", `The model is not ready: ${messageOf(error)}`);
    }
  }

  // Tools

  setTool(tool: ToolName): void {
    if (tool === this.#toolbox.name) return;
    this.#toolbox.use(tool);
    this.#set({ tool });
    this.#publish();
  }

  /** An event of the stage or a key for the tool in hand. */
  send(event: ToolEvent): void {
    if (this.state.phase !== "ready") return;
    if ("at" in event) this.#set({ cursor: event.at as ImageXY });
    else if (event.type === "leave") this.#set({ cursor: null });
    for (const effect of this.#toolbox.send(event)) this.#perform(effect);
    this.#publish();
  }

  /** Whether Escape, undo and Enter are for the tool in hand. */
  get busy(): boolean {
    return this.#toolbox.busy;
  }

  setBrush(diameter: number): void {
    this.#set({ brush: Math.min(Math.max(diameter, 1), 1000) });
    this.#publish();
  }

  setHoverPreview(hoverPreview: boolean): void {
    this.#set({ hoverPreview });
  }

  setLabel(label: Id | null): void {
    this.#set({ label });
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
        void this.#review(effect.object, effect.verdict, effect.comment);
        break;
      case "say":
        this.#say("info", effect.text);
        break;
    }
  }

  #options(hover: boolean, request: number, signal: AbortSignal) {
    if (hover) return { hover: request, signal };
    const seconds = this.#sinceLast();
    this.#lastAction = performance.now();
    return { seconds, signal };
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
    if (!quiet) this.#set({ asking: this.state.asking + 1 });
    let event: ToolEvent = { type: "failed", request };
    try {
      event = await ask(image, signal);
      if (!this.state.embedded && !signal.aborted) this.#set({ embedded: true });
    } catch (error) {
      if (!quiet && !signal.aborted && !(error instanceof Superseded))
        this.#say("error", `The model did not answer: ${messageOf(error)}`);
    }
    if (signal.aborted) return;
    if (!quiet) this.#set({ asking: this.state.asking - 1 });
    if (toolbox === this.#toolbox) this.send(event);
  }

  #sinceLast(): number {
    return Math.min((performance.now() - this.#lastAction) / 1000, 3600);
  }

  // The document

  #commit(made: readonly Made[], select: boolean): void {
    const seconds = this.#sinceLast() / Math.max(made.length, 1);
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
    if (taken.size > 0) this.#set({ proposals: this.state.proposals.filter(({ id }) => !taken.has(id)) });
    if (select) this.select(there.map((object) => object.id));
    this.#lastAction = performance.now();
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
    const { label } = this.state;
    return { ...shared, id: newId(), label, attributes: {}, locked: false, position, seconds, author: null, model: null };
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
    this.#queue?.add(rows);
    this.#publish();
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

  /** Objects as `change` makes them, as one step; locked ones stay unless `locked`. */
  #change(name: string, ids: Iterable<Id>, change: (object: MaskObject) => MaskObject | null, locked = false): void {
    const after: MaskObject[] = [];
    const gone: Id[] = [];
    for (const id of ids) {
      const object = this.#document.objects.get(id);
      if (!object || (object.locked && !locked)) continue;
      const next = change(object);
      if (next === null || isEmpty(next.mask)) gone.push(id);
      else after.push(next);
    }
    this.#do(documents.diffOf(this.#document, name, after, gone));
  }

  #remask(name: string, ids: Iterable<Id>, remask: (mask: WindowMask) => WindowMask): void {
    this.#change(name, ids, (object) => withMask(object, remask(object.mask)));
  }

  toggleLocked(id: Id): void {
    const locks = !this.#document.objects.get(id)?.locked;
    this.#change(locks ? "Lock" : "Unlock", [id], (object) => ({ ...object, locked: !object.locked }), true);
  }

  remove(ids: Iterable<Id>): void {
    this.#change("Delete", [...ids], () => null);
  }

  duplicate(ids: Iterable<Id>): void {
    const { image } = this.state;
    if (!image) return;
    let position = documents.topPosition(this.#document);
    const copies = [...ids].flatMap((id): MaskObject[] => {
      const object = this.#document.objects.get(id);
      if (!object) return [];
      position += POSITION_STEP;
      const mask = moved(object.mask, 10, 10, [image.height, image.width]);
      return isEmpty(mask) ? [] : [{ ...withMask(object, mask), id: newId(), position, locked: false, seconds: 0 }];
    });
    this.#do(documents.diffOf(this.#document, "Duplicate", copies));
    this.select(copies.map((object) => object.id));
  }

  relabel(ids: Iterable<Id>, label: Id | null): void {
    this.#change("Label", ids, (object) => (object.label === label ? object : { ...object, label, attributes: {} }));
  }

  setAttributes(id: Id, attributes: MaskObject["attributes"]): void {
    this.#change("Attributes", [id], (object) => ({ ...object, attributes }));
  }

  reorder(id: Id, where: "up" | "down" | "top" | "bottom"): void {
    const order = [...documents.inOrder(this.#document)];
    const from = order.findIndex((object) => object.id === id);
    if (from === -1) return;
    const to = { up: from + 1, down: from - 1, top: order.length - 1, bottom: 0 }[where];
    if (to === from || to < 0 || to >= order.length) return;
    const [object] = order.splice(from, 1);
    order.splice(to, 0, object as MaskObject);
    const after = placed(order, to);
    this.#do(documents.diffOf(this.#document, "Order", after));
  }

  refine(id: Id): void {
    this.setTool("click");
    this.select([id]);
    this.#say("info", "Shift-click adds a part to the object, Alt-click or right click takes one away.");
  }

  combine(ids: readonly Id[], operation: "union" | "subtract" | "intersect"): void {
    const objects = ids.flatMap((id) => this.#document.objects.get(id) ?? []);
    const [first, ...rest] = objects;
    if (!first || rest.length === 0) return this.#say("info", "Select two objects or more.");
    if (objects.some((object) => object.locked)) return this.#say("info", "A locked object stays as it is.");
    const others = rest.map((object) => object.mask);
    const mask =
      operation === "union"
        ? unionAll([first.mask, ...others])
        : operation === "subtract"
          ? subtract(first.mask, unionAll(others))
          : others.reduce(intersect, first.mask);
    if (isEmpty(mask)) return this.#say("info", "Nothing would be left.");
    // What is subtracted stays an object of its own; parts of a union or an intersection become one object.
    const gone = operation === "subtract" ? [] : rest.map((object) => object.id);
    this.#do(documents.diffOf(this.#document, COMBINE_NAMES[operation], [withMask(first, mask)], gone));
    this.select([first.id]);
  }

  fillHoles(ids: Iterable<Id>): void {
    const { image } = this.state;
    if (image) this.#remask("Fill holes", ids, (mask) => fillHoles(mask, [image.height, image.width]));
  }

  removeIslands(ids: Iterable<Id>): void {
    this.#remask("Remove islands", ids, keepLargest);
  }

  async simplify(id: Id, tolerance: number, apply: boolean): Promise<{ vertices: number; error: number } | null> {
    const { image } = this.state;
    const object = this.#document.objects.get(id);
    if (!image || !object) return null;
    const result = await server.simplify(image.id, object.mask, tolerance);
    if (apply) this.#remask("Simplify", [id], () => result.mask);
    return { vertices: result.vertices, error: result.error };
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
    this.#set({ view: { ...this.state.view, ...change } });
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
    if (mask) this.#lens?.lookAt(withRoom([mask.x, mask.y, mask.x + mask.width, mask.y + mask.height], ROOM, LEAST_SIGHT));
  }

  /** The stage tells how large it shows the picture. */
  setZoom(zoom: number): void {
    if (zoom !== this.state.zoom) this.#set({ zoom });
  }

  // Proposals

  async startEverything(preset: string | null, settings: Readonly<Record<string, unknown>>): Promise<void> {
    const { image } = this.state;
    const { signal } = this.#visit;
    if (!image || this.state.everything?.running) return;
    this.#set({ everything: { run: null, running: true, decoded: 0, settings }, proposals: [] });
    try {
      const result = await patiently(() => server.runEverything(image.id, preset, settings, signal), signal);
      this.#showEverything(result);
      this.setTool("everything");
    } catch (error) {
      if (signal.aborted) return;
      this.#set({ everything: null });
      this.#say("error", `Everything mode failed: ${messageOf(error)}`);
    }
  }

  async filterEverything(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const run = this.state.everything?.run;
    const { signal } = this.#visit;
    if (!run) return;
    try {
      const result = await server.filterEverything(run, settings, signal);
      if (this.state.everything?.run === run) this.#showEverything(result);
    } catch (error) {
      if (!signal.aborted) this.#say("error", messageOf(error));
    }
  }

  #showEverything({ run, settings, decoded, candidates }: server.EverythingResult): void {
    this.#set({ everything: { run, running: false, decoded, settings } });
    this.#propose(candidates, "everything");
  }

  #propose(candidates: readonly Candidate[], source: MaskSource): void {
    this.#set({ proposals: candidates.map((candidate): Proposal => ({ ...candidate, id: newId(), source })) });
    this.#publish();
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
    this.#set({ proposals: [], everything: null });
    this.#publish();
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
    this.#set({ conflicts: [...others, conflict] });
    this.#publish();
  }

  resolve(object: Id, keep: "mine" | "theirs"): void {
    const conflict = this.state.conflicts.find((one) => one.object === object);
    if (!conflict) return;
    this.#set({ conflicts: this.state.conflicts.filter((one) => one !== conflict) });
    if (keep === "theirs") return;
    const { mine } = conflict;
    this.#do(documents.diffOf(this.#document, "Keep mine", mine ? [mine] : [], mine ? [] : [object]));
  }

  async next(): Promise<void> {}
  async previous(): Promise<void> {}
  async finish(): Promise<void> {}
  async skip(): Promise<void> {}
  async propagate(): Promise<void> {}
  async find(_words: string): Promise<void> {}
  async cutOut(_ids: readonly Id[], _to: "clipboard" | "file" | "collage"): Promise<void> {}
  async #review(_object: Id, _verdict: string, _comment: string): Promise<void> {}

  // What is shown

  dismiss(notice: number): void {
    this.#set({ notices: this.state.notices.filter(({ id }) => id !== notice) });
  }

  #say(kind: Notice["kind"], text: string): void {
    const notice = { id: ++this.#notices, kind, text };
    this.#set({ notices: [...this.state.notices.filter((one) => one.text !== text), notice].slice(-4) });
    if (kind !== "error") setTimeout(() => this.dismiss(notice.id), NOTICE_SECONDS * 1000);
  }

  #set(change: Partial<EditorState>): void {
    this.store.setState(change);
  }

  /** Brings what follows from the document and the tool into the state. */
  #publish(): void {
    const { view } = this.state;
    const exists = (id: Id) => this.#document.objects.has(id);
    const selection = kept(view.selection, exists);
    const hovered = view.hovered !== null && exists(view.hovered) ? view.hovered : null;
    const toolView = this.#toolbox.view();
    this.#set({
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

const COMBINE_NAMES = { union: "Join", subtract: "Subtract", intersect: "Intersect" } as const;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nameOf(made: readonly Made[]): string {
  if (made.length > 1) return `${made.length} masks`;
  return made[0]?.object ? "Change mask" : "New mask";
}

function withMask(object: MaskObject, mask: WindowMask): MaskObject {
  return { ...object, mask, area: maskArea(mask), source: "edit" };
}

/** The object at `index` with a position between its neighbours', or all with new positions where there is no room. */
function placed(order: readonly MaskObject[], index: number): readonly MaskObject[] {
  const below = order[index - 1]?.position ?? 0;
  const above = order[index + 1]?.position ?? below + 2 * POSITION_STEP;
  const between = Math.floor((below + above) / 2);
  const object = order[index] as MaskObject;
  if (between > below && between < above) return [{ ...object, position: between }];
  return order.map((one, place) => ({ ...one, position: (place + 1) * POSITION_STEP }));
}

/** Asks again while the server says that it is still busy with it. */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const busy = error instanceof ApiError && error.status === 503;
      if (!busy || signal.aborted || attempt === EVERYTHING_PATIENCE) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * (error.retryAfter ?? 1)));
    }
  }
}
