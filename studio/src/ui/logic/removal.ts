import type { Id, ImageFacts, ImageSummary, Listing } from "../data/types";
import { plural } from "./format";

type Losses = Pick<ImageFacts, "path" | "masks">;

/** Where the server keeps what was sent through the browser. */
const UPLOADS = ".anymask/uploads/";

/** What goes with a picture that is removed for good. */
export function removalLosses({ masks }: Losses): string[] {
  return [
    masks > 0
      ? `${plural(masks, "mask")}, with all that History has of them`
      : "All that History has of its masks",
    "Prompts, reviews and working times",
    "Its part of every version that was frozen; the checksums of those no longer fit",
  ];
}

/** What happens to the picture's file. */
export function fileText({ path }: Losses): string {
  return path.startsWith(UPLOADS)
    ? "The uploaded file is deleted, too, unless another project has the same picture."
    : `The file ${path} stays on the disk. Move it away as well: the next look for new pictures, or the next start, would add it again, without masks.`;
}

/** Pages of the gallery without a picture. */
export function withoutImage(pages: readonly Listing<ImageSummary>[], image: Id): Listing<ImageSummary>[] {
  return pages.map((page) => ({ ...page, items: page.items.filter(({ id }) => id !== image) }));
}

/** A name as it is compared: file systems write accents in two ways, pages show several spaces as one. */
function plain(name: string): string {
  return name.normalize("NFC").replace(/\s+/g, " ").trim();
}

/** Whether somebody typed just this name. */
export function isNameTyped(typed: string, name: string): boolean {
  return plain(typed) === plain(name);
}
