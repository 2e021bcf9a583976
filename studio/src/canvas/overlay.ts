/** What changes at every move of the pointer: selection, hover, prompts, candidates, strokes and handles. */

import type { ToolView } from "../core/tools/tool";
import type { ImageXY, MaskObject, PromptPoint, WindowMask } from "../core/types";
import { type Camera, toScreen } from "../core/view";
import { pixelRatio } from "./maskLayer";
import { drawMask, pathOf } from "./painting";

export interface OverlayContent {
  readonly tool: ToolView;
  /** Drawn plainly, because the mask layer does not show them yet. */
  readonly fresh: readonly MaskObject[];
  readonly selected: readonly MaskObject[];
  readonly hovered: MaskObject | null;
  readonly colour: (object: MaskObject) => string;
  readonly fill: number;
  readonly cursor: ImageXY | null;
}

const DRAFT = "#3ee0ff";
const PAINT = "#ffd43b";
const ERASE = "#ff6b6b";
const INCLUDE = "#2f9e44";
const EXCLUDE = "#e03131";
const HALO = "rgba(0, 0, 0, 0.65)";

export class Overlay {
  readonly canvas: HTMLCanvasElement;
  readonly #to: CanvasRenderingContext2D;

  constructor() {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "stage-overlay";
    this.canvas.style.cssText = "position:absolute;inset:0;width:100%;height:100%;pointer-events:none";
    const context = this.canvas.getContext("2d");
    if (!context) throw new Error("this browser gives no 2D canvas");
    this.#to = context;
  }

  draw(camera: Camera, content: OverlayContent): void {
    // A hidden canvas costs the browser nothing, an empty one a copy at every frame.
    this.canvas.hidden = isEmpty(content);
    if (this.canvas.hidden) return;
    const ratio = pixelRatio();
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const to = this.#to;
    to.setTransform(1, 0, 0, 1, 0, 0);
    to.clearRect(0, 0, width, height);
    to.lineJoin = to.lineCap = "round";
    this.#masks(camera, content, ratio);
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#marks(camera, content.tool, content.cursor);
  }

  /** Everything that lies on pixels of the picture. */
  #masks(
    camera: Camera,
    { tool, fresh, selected, hovered, colour, fill }: OverlayContent,
    ratio: number,
  ): void {
    const to = this.#to;
    const scale = camera.scale * ratio;
    const [x, y] = toScreen(camera, [0, 0]);
    to.setTransform(scale, 0, 0, scale, x * ratio, y * ratio);
    const hidden = (object: MaskObject) => object.id === tool.replaces;
    for (const object of fresh)
      if (!hidden(object)) drawMask(to, object.mask, colour(object), { fill, outlines: true }, camera.scale);
    if (hovered && !hidden(hovered)) this.#mask(hovered.mask, colour(hovered), 0.3, 2, camera.scale);
    for (const object of selected) {
      if (hidden(object) || isMoved(tool, object)) continue;
      this.#mask(object.mask, colour(object), 0.18, 2.5, camera.scale, true);
    }
    this.#movedMasks(camera, tool, selected, colour);
    if (tool.hover && tool.candidates.length === 0) this.#mask(tool.hover, DRAFT, 0.3, 1.5, camera.scale);
    for (const [index, candidate] of tool.candidates.entries())
      if (tool.chosen === -1 || index === tool.chosen)
        this.#mask(candidate.mask, DRAFT, 0.42, 2, camera.scale, true);
    if (tool.paint) {
      to.fillStyle = tool.paint.erase ? ERASE : PAINT;
      to.globalAlpha = 0.5;
      fillPixels(to, tool.paint.stroke.current);
      to.globalAlpha = 1;
    }
  }

  #movedMasks(
    camera: Camera,
    { moved }: ToolView,
    selected: readonly MaskObject[],
    colour: (object: MaskObject) => string,
  ): void {
    if (!moved) return;
    this.#to.save();
    this.#to.translate(moved.dx, moved.dy);
    for (const object of selected)
      if (moved.ids.includes(object.id))
        this.#mask(object.mask, colour(object), 0.4, 2.5, camera.scale, true);
    this.#to.restore();
  }

  #mask(mask: WindowMask, colour: string, fill: number, line: number, scale: number, halo = false): void {
    if (mask.width === 0) return;
    const to = this.#to;
    const path = pathOf(mask);
    to.globalAlpha = fill;
    to.fillStyle = colour;
    to.fill(path, "evenodd");
    to.globalAlpha = 1;
    if (halo) {
      to.strokeStyle = HALO;
      to.lineWidth = (line + 2) / scale;
      to.stroke(path);
    }
    to.strokeStyle = colour;
    to.lineWidth = line / scale;
    to.stroke(path);
  }

  /** Everything that keeps its size on the screen. */
  #marks(camera: Camera, tool: ToolView, cursor: ImageXY | null): void {
    for (const [x0, y0, x1, y1] of tool.boxes)
      this.#line(
        camera,
        [
          [x0, y0],
          [x1, y0],
          [x1, y1],
          [x0, y1],
        ],
        true,
        [6, 4],
      );
    for (const path of tool.paths) this.#line(camera, path.points, path.closed, []);
    for (const [index, vertex] of tool.vertices.entries())
      this.#vertex(camera, vertex, index === tool.heldVertex);
    for (const point of tool.points) this.#point(camera, point);
    if (tool.brush !== null && cursor) this.#brush(camera, cursor, tool.brush);
  }

  #line(camera: Camera, points: readonly ImageXY[], closed: boolean, dash: number[]): void {
    const [first, ...rest] = points;
    if (!first) return;
    const to = this.#to;
    to.beginPath();
    to.moveTo(...toScreen(camera, first));
    for (const point of rest) to.lineTo(...toScreen(camera, point));
    if (closed) to.closePath();
    to.setLineDash([]);
    to.strokeStyle = HALO;
    to.lineWidth = 4;
    to.stroke();
    to.setLineDash(dash);
    to.strokeStyle = DRAFT;
    to.lineWidth = 2;
    to.stroke();
    to.setLineDash([]);
  }

  #vertex(camera: Camera, at: ImageXY, held: boolean): void {
    const [x, y] = toScreen(camera, at);
    const to = this.#to;
    const half = held ? 6 : 4;
    to.fillStyle = held ? PAINT : "#fff";
    to.strokeStyle = "#000";
    to.lineWidth = 1.25;
    to.beginPath();
    to.rect(x - half, y - half, 2 * half, 2 * half);
    to.fill();
    to.stroke();
  }

  /** Plus and minus tell the two kinds apart, not the colour alone. */
  #point(camera: Camera, [px, py, label]: PromptPoint): void {
    const [x, y] = toScreen(camera, [px, py]);
    const to = this.#to;
    to.beginPath();
    to.arc(x, y, 7, 0, 2 * Math.PI);
    to.fillStyle = label === 1 ? INCLUDE : EXCLUDE;
    to.strokeStyle = HALO;
    to.lineWidth = 5;
    to.stroke();
    to.strokeStyle = "#fff";
    to.lineWidth = 2;
    to.stroke();
    to.fill();
    to.beginPath();
    to.moveTo(x - 3.5, y);
    to.lineTo(x + 3.5, y);
    if (label === 1) {
      to.moveTo(x, y - 3.5);
      to.lineTo(x, y + 3.5);
    }
    to.stroke();
  }

  #brush(camera: Camera, cursor: ImageXY, radius: number): void {
    const [x, y] = toScreen(camera, cursor);
    const to = this.#to;
    to.beginPath();
    to.arc(x, y, Math.max(radius * camera.scale, 1), 0, 2 * Math.PI);
    to.strokeStyle = HALO;
    to.lineWidth = 3;
    to.stroke();
    to.strokeStyle = "#fff";
    to.lineWidth = 1.25;
    to.stroke();
  }
}

function isEmpty({ tool, fresh, selected, hovered, cursor }: OverlayContent): boolean {
  const lists = [fresh, selected, tool.candidates, tool.points, tool.boxes, tool.paths, tool.vertices];
  const marks = [hovered, tool.hover, tool.paint, tool.brush === null ? null : cursor];
  return lists.every((list) => list.length === 0) && marks.every((mark) => mark === null);
}

function isMoved(tool: ToolView, object: MaskObject): boolean {
  return tool.moved?.ids.includes(object.id) ?? false;
}

/** A stroke that still grows, row by row; its path would have to be traced anew at every move. */
function fillPixels(to: CanvasRenderingContext2D, { x, y, width, height, bits }: WindowMask): void {
  to.beginPath();
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (bits[row * width + column] !== 1) continue;
      const start = column;
      while (column < width && bits[row * width + column] === 1) column++;
      to.rect(x + start, y + row, column - start, 1);
    }
  }
  to.fill();
}
