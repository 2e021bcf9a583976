/** The collage: its sheet in localStorage, the pictures of its cut-outs in IndexedDB. It outlives the page. */

import { create } from "zustand";
import { added, EMPTY_SHEET, type Piece, type Sheet, withoutPiece, withPiece } from "../core/collage";
import { newId } from "../core/ids";
import type { Id } from "../core/types";
import { collageShelf } from "./journal";

const STORED = "anymask.collage";

export interface CollageState {
  readonly sheet: Sheet;
  readonly pictures: ReadonlyMap<Id, ImageBitmap>;
  readonly loaded: boolean;
}

export const useCollage = create<CollageState>(() => ({
  sheet: EMPTY_SHEET,
  pictures: new Map(),
  loaded: false,
}));

function storedSheet(): Sheet {
  try {
    const text = localStorage.getItem(STORED);
    return text === null ? EMPTY_SHEET : { ...EMPTY_SHEET, ...(JSON.parse(text) as Sheet) };
  } catch {
    return EMPTY_SHEET;
  }
}

export function setSheet(sheet: Sheet): void {
  useCollage.setState({ sheet });
  try {
    localStorage.setItem(STORED, JSON.stringify(sheet));
  } catch {
    // A browser that keeps nothing has the collage until the page closes.
  }
}

/** Brings back what an earlier page left; pieces whose pictures are gone are left out. */
export async function loadCollage(): Promise<void> {
  if (useCollage.getState().loaded) return;
  const blobs = await collageShelf.all().catch(() => new Map<Id, Blob>());
  const pictures = new Map<Id, ImageBitmap>();
  for (const [id, blob] of blobs) pictures.set(id, await createImageBitmap(blob));
  const sheet = storedSheet();
  useCollage.setState({
    loaded: true,
    pictures,
    sheet: { ...sheet, pieces: sheet.pieces.filter(({ id }) => pictures.has(id)) },
  });
}

/** Puts a cut-out (PNG) onto the collage. */
export async function addCutout(name: string, picture: Blob): Promise<void> {
  await loadCollage();
  const bitmap = await createImageBitmap(picture);
  const id = newId();
  await collageShelf.put(id, picture).catch(() => undefined);
  const { sheet, pictures } = useCollage.getState();
  useCollage.setState({ pictures: new Map(pictures).set(id, bitmap) });
  setSheet(added(sheet, { id, name, width: bitmap.width, height: bitmap.height }));
}

export async function removeCutout(id: Id): Promise<void> {
  setSheet(withoutPiece(useCollage.getState().sheet, id));
  await collageShelf.remove(id).catch(() => undefined);
}

/** Changes one piece as it is now. */
export function moveChosen(id: Id | null, change: (piece: Piece) => Partial<Piece>): void {
  const { sheet } = useCollage.getState();
  const piece = sheet.pieces.find((one) => one.id === id);
  if (piece) setSheet(withPiece(sheet, piece.id, change(piece)));
}
