/** The stage: the picture, the layers over it and the pointer, joined to the editor. */

import { url } from "../api/http";
import type { Proposal } from "../core/tools/tool";
import type { Id, Label, MaskObject } from "../core/types";
import type { Camera } from "../core/view";
import type { Editor, Lens } from "../editor/editor";
import { type EditorState, editorStore } from "../state/editorStore";
import { colourOf } from "./colours";
import { MaskLayer } from "./maskLayer";
import { Overlay } from "./overlay";
import { StagePointer } from "./pointer";
import { Viewer } from "./viewer";

const PROPOSAL = "#ffffff";
const PROPOSAL_FILL = 0.12;

export class StageView implements Lens {
  readonly #viewer: Viewer;
  readonly #masks: MaskLayer<MaskObject>;
  readonly #proposals: MaskLayer<Proposal>;
  readonly #overlay = new Overlay();
  readonly #pointer: StagePointer;
  readonly #leave: (() => void)[] = [];
  #camera: Camera;
  #frame = 0;
  #labels: ReadonlyMap<Id, Label> = new Map();
  readonly #colour = (object: MaskObject) => colourOf(object, this.#labels);

  constructor(
    private readonly root: HTMLElement,
    private readonly editor: Editor,
  ) {
    const picture = document.createElement("div");
    picture.className = "stage-picture";
    picture.style.cssText = "position:absolute;inset:0";
    this.#masks = new MaskLayer(() => this.#redraw());
    this.#proposals = new MaskLayer(() => undefined);
    root.append(picture, this.#masks.canvas, this.#proposals.canvas, this.#overlay.canvas);
    this.#viewer = new Viewer(picture, (camera) => this.#look(camera));
    this.#camera = this.#viewer.camera;
    this.#pointer = new StagePointer(root, {
      camera: () => this.#camera,
      tool: (event) => this.editor.send(event),
      leave: () => this.editor.send({ type: "leave" }),
      cancel: () => this.editor.send({ type: "cancel" }),
      pan: (dx, dy) => this.#viewer.pan(dx, dy),
      zoom: (factor, at) => this.#viewer.zoomBy(factor, at),
      pull: (from, to, factor) => this.#viewer.pull(from, to, factor),
    });
    this.#leave.push(
      editor.attach(this),
      editorStore.subscribe((state, before) => this.#follow(state, before)),
    );
    this.#follow(editorStore.getState(), null);
  }

  destroy(): void {
    for (const leave of this.#leave) leave();
    cancelAnimationFrame(this.#frame);
    this.#pointer.destroy();
    this.#masks.destroy();
    this.#proposals.destroy();
    this.#viewer.destroy();
    this.root.replaceChildren();
  }

  get camera(): Camera {
    return this.#camera;
  }

  set space(held: boolean) {
    this.#pointer.space = held;
  }

  lookAt(box: readonly [number, number, number, number]): void {
    this.#viewer.lookAt(box);
  }

  zoomBy(factor: number): void {
    this.#viewer.zoomBy(factor);
  }

  fit(): void {
    this.#viewer.fit();
  }

  #look(camera: Camera): void {
    this.#camera = camera;
    this.#masks.look(camera);
    this.#proposals.look(camera);
    this.editor.setZoom(camera.scale);
    this.#draw();
  }

  #follow(state: EditorState, before: EditorState | null): void {
    if (state.image?.id !== before?.image?.id) this.#open(state);
    if (state.labels !== before?.labels)
      this.#labels = new Map(state.labels.map((label) => [label.id, label]));
    if (before === null || shownAnew(state, before)) this.#showMasks(state);
    if (state.proposals !== before?.proposals) this.#showProposals(state);
    if (state.view !== before?.view) this.#filter(state);
    this.root.style.cursor = state.toolView.cursor;
    this.#redraw();
  }

  #open({ image }: EditorState): void {
    if (!image) {
      this.#viewer.close();
      return;
    }
    this.#viewer
      .open(url(`/images/${image.id}/file`), image.width, image.height)
      .catch((error: Error) => this.editor.fail(error.message));
  }

  #showMasks({ order, view, toolView }: EditorState): void {
    const elsewhere = new Set<Id>(toolView.moved?.ids);
    if (toolView.replaces) elsewhere.add(toolView.replaces);
    const shown = view.allHidden
      ? []
      : view.hidden.size + elsewhere.size === 0
        ? order
        : order.filter(({ id }) => !view.hidden.has(id) && !elsewhere.has(id));
    this.#masks.show({ objects: shown, colour: this.#colour, fill: view.fill, outlines: view.outlines });
  }

  #showProposals({ proposals }: EditorState): void {
    this.#proposals.show({ objects: proposals, colour: () => PROPOSAL, fill: PROPOSAL_FILL, outlines: true });
  }

  #filter({ view }: EditorState): void {
    const { brightness, contrast, saturation } = view;
    const plain = brightness === 1 && contrast === 1 && saturation === 1;
    const picture = this.root.firstElementChild as HTMLElement;
    picture.style.filter = plain
      ? ""
      : `brightness(${brightness}) contrast(${contrast}) saturate(${saturation})`;
  }

  #redraw(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const { view, objects, toolView, cursor } = editorStore.getState();
    const seen = (id: Id) => (view.allHidden || view.hidden.has(id) ? undefined : objects.get(id));
    this.#overlay.draw(this.#camera, {
      tool: toolView,
      fresh: this.#masks.fresh,
      selected: [...view.selection].flatMap((id) => seen(id) ?? []),
      hovered: view.hovered === null ? null : (seen(view.hovered) ?? null),
      colour: this.#colour,
      fill: view.fill,
      cursor,
    });
  }
}

/** Whether the mask layer has other masks, or other looks, than before. */
function shownAnew(state: EditorState, before: EditorState): boolean {
  const [view, old] = [state.view, before.view];
  return (
    state.order !== before.order ||
    state.labels !== before.labels ||
    view.hidden !== old.hidden ||
    view.allHidden !== old.allHidden ||
    view.fill !== old.fill ||
    view.outlines !== old.outlines ||
    state.toolView.replaces !== before.toolView.replaces ||
    state.toolView.moved?.ids !== before.toolView.moved?.ids
  );
}
