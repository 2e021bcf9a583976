/**
 * How the picture is looked at: selection, hover, what is hidden, colours. Never part of undo, never saved as work.
 *
 * The camera maps the picture onto the stage: screen = (image - centre) * scale + stage / 2, in CSS pixels.
 */

import type { BoxXYXY, Id, ImageXY } from "./types";

export interface View {
  readonly selection: ReadonlySet<Id>;
  readonly hidden: ReadonlySet<Id>;
  readonly hovered: Id | null;
  readonly allHidden: boolean;
  readonly outlines: boolean;
  /** 0 to 1. */
  readonly fill: number;
  /** CSS filters of the picture; 1 is as it is. */
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

export const DEFAULT_VIEW: View = {
  selection: new Set(),
  hidden: new Set(),
  hovered: null,
  allHidden: false,
  outlines: true,
  fill: 0.4,
  brightness: 1,
  contrast: 1,
  saturation: 1,
};

export interface Camera {
  /** The point of the picture in the middle of the stage. */
  readonly x: number;
  readonly y: number;
  /** CSS pixels a pixel of the picture. */
  readonly scale: number;
  /** The stage in CSS pixels. */
  readonly width: number;
  readonly height: number;
}

export function toScreen(camera: Camera, [x, y]: ImageXY): [x: number, y: number] {
  return [
    (x - camera.x) * camera.scale + camera.width / 2,
    (y - camera.y) * camera.scale + camera.height / 2,
  ];
}

export function toImage(camera: Camera, x: number, y: number): [x: number, y: number] {
  return [
    (x - camera.width / 2) / camera.scale + camera.x,
    (y - camera.height / 2) / camera.scale + camera.y,
  ];
}

/** The part of the picture's plane that the stage shows. */
export function visible(camera: Camera): BoxXYXY {
  const [x0, y0] = toImage(camera, 0, 0);
  const [x1, y1] = toImage(camera, camera.width, camera.height);
  return [x0, y0, x1, y1];
}

/** `box` with room round it, a `share` of its sides and never less than `least` pixels; for "look at this object". */
export function withRoom([x0, y0, x1, y1]: BoxXYXY, share: number, least: number): BoxXYXY {
  const room = (side: number) => Math.max(side * share, (least - side) / 2, 0);
  const [horizontal, vertical] = [room(x1 - x0), room(y1 - y0)];
  return [x0 - horizontal, y0 - vertical, x1 + horizontal, y1 + vertical];
}

export function toggled(set: ReadonlySet<Id>, id: Id): ReadonlySet<Id> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** `set` less what is no longer there; the same set if that is nothing. */
export function kept(set: ReadonlySet<Id>, exists: (id: Id) => boolean): ReadonlySet<Id> {
  const next = new Set([...set].filter(exists));
  return next.size === set.size ? set : next;
}
