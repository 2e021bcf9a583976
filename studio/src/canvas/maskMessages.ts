/** What the page and the worker that draws its masks tell each other. */

import type { WindowMask } from "../core/types";
import type { Camera } from "../core/view";
import type { Look } from "./painting";

/** Which masks there are, by key, and in which order and colours they are drawn. */
export interface ShowMessage {
  readonly type: "show";
  readonly put: readonly (readonly [key: number, mask: WindowMask])[];
  readonly drop: readonly number[];
  /** From the lowest to the topmost. */
  readonly order: Int32Array;
  readonly colours: readonly string[];
}

/** Draw everything as a camera sees it. `margin`: share of the stage's sides that is drawn beyond each of them. */
export interface DrawMessage {
  readonly type: "draw";
  readonly camera: Camera;
  readonly margin: number;
  /** Pixels of the canvas per CSS pixel. */
  readonly ratio: number;
  readonly look: Look;
}

export type ToWorker = ShowMessage | DrawMessage;

/** The answer to a draw message. */
export interface Drawn {
  readonly bitmap: ImageBitmap;
}
