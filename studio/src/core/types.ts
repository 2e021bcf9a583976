/**
 * The values that the studio's parts exchange.
 *
 * Coordinates are pixels of the picture: x from the left, y from the top, (0, 0) the upper left corner of the
 * upper left pixel, so that pixel (i, j) covers [i, i+1) x [j, j+1). Sizes are [height, width] where the wire has
 * them so, else named.
 */

export type Id = string;

/** x, y in pixels of the picture. */
export type ImageXY = readonly [x: number, y: number];

/** x0, y0, x1, y1 in pixels of the picture; x0 < x1, y0 < y1. */
export type BoxXYXY = readonly [x0: number, y0: number, x1: number, y1: number];

/** A click: label 1 on the object, 0 off it. */
export type PromptPoint = readonly [x: number, y: number, label: 0 | 1];

/** COCO compressed RLE (column-major), `size` = [height, width]. */
export interface Rle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/**
 * A mask as a window of the picture: `bits` row-major, one byte a pixel, 0 or 1, `width * height` of them; outside the
 * window there is nothing. An empty mask has width = height = 0. Values are never changed in place.
 */
export interface WindowMask {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly bits: Uint8Array;
}

/** How a mask came about. */
export type MaskSource =
  | "click"
  | "box"
  | "lasso"
  | "scribble"
  | "brush"
  | "polygon"
  | "everything"
  | "propagate"
  | "import"
  | "text"
  | "edit";

/** What the model is asked: one object, any mixture. */
export interface Prompt {
  readonly points?: readonly PromptPoint[];
  readonly box?: BoxXYXY;
  readonly scribble?: readonly (readonly ImageXY[])[];
  readonly polygon?: readonly ImageXY[];
  /** A rough mask. */
  readonly mask?: WindowMask;
  /** The answer that this prompt refines. */
  readonly previous?: { readonly prediction: string; readonly candidate: number };
  /** Three candidates or one; not given: the server's rule (three for a single click). */
  readonly multimask?: boolean;
}

/** A prompt as it is kept with the mask that it led to: a rough mask as the RLE of its window at `offset`. */
export interface KeptPrompt extends Omit<Prompt, "mask"> {
  readonly mask?: Rle & { readonly offset: readonly [x: number, y: number] };
}

/** One proposed mask. */
export interface Candidate {
  readonly mask: WindowMask;
  readonly area: number;
  /** The model's own guess of its IoU, about 0 to 1. */
  readonly score: number;
  readonly stability: number | null;
}

/** The model's answer. `candidates` best first. `worse`: the last click made the mask much worse. */
export interface Prediction {
  readonly id: string | null;
  readonly candidates: readonly Candidate[];
  readonly milliseconds: number;
  readonly worse: boolean;
}

/** The values of a label's attributes, by name. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface LabelAttribute {
  readonly name: string;
  readonly kind: "select" | "text" | "number" | "checkbox";
  readonly choices: readonly string[];
}

export interface Label {
  readonly id: Id;
  readonly name: string;
  /** #rrggbb */
  readonly colour: string;
  /** A digit key, "0" to "9", or none. */
  readonly hotkey: string | null;
  readonly attributes: readonly LabelAttribute[];
  readonly position: number;
  readonly archived: boolean;
}

/** One object of the picture in its present state. Higher `position` is drawn above. `seconds`: time spent on it. */
export interface MaskObject {
  readonly id: Id;
  readonly mask: WindowMask;
  readonly area: number;
  readonly label: Id | null;
  readonly attributes: Attributes;
  readonly locked: boolean;
  readonly position: number;
  readonly source: MaskSource;
  readonly score: number | null;
  readonly stability: number | null;
  readonly prompts: readonly KeptPrompt[];
  readonly seconds: number;
  readonly author: Id | null;
  readonly model: string | null;
}

/** One row as the server keeps it: append-only, `parent_id` the row it replaces, `deleted` when the object is gone. */
export interface MaskRow {
  readonly id: Id;
  readonly image_id: Id;
  readonly object_id: Id;
  readonly parent_id: Id | null;
  readonly author_id: Id | null;
  readonly created: string | null;
  /** Of the whole picture. */
  readonly rle: Rle;
  readonly label_id: Id | null;
  readonly attributes: Attributes;
  readonly position: number;
  readonly deleted: boolean;
  readonly locked: boolean;
  readonly source: MaskSource;
  readonly score: number | null;
  readonly stability: number | null;
  readonly model_sha256: string | null;
  readonly prompts: readonly unknown[];
  readonly seconds: number;
}

export type ImageState = "new" | "in_progress" | "done" | "accepted" | "rejected";

/** A picture in the gallery. */
export interface ImageSummary {
  readonly id: Id;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly state: ImageState;
  readonly masks: number;
  readonly labels: readonly Id[];
  readonly gold: boolean;
  readonly group: string | null;
  readonly frame: number | null;
  readonly assignee: string | null;
}
