/** Objects cut out of their picture: to the clipboard, into a file, onto the collage. */

import * as server from "../api/server";
import type { Id, MaskObject } from "../core/types";
import { addCutout } from "../state/collageStore";
import { saveFile } from "../ui/parts/saveFile";
import { counted, type Host, messageOf } from "./host";

/** Width of the soft edge, pixels. */
const FEATHER = 1;

export async function cutOut(
  host: Host,
  image: { readonly id: Id; readonly name: string },
  objects: readonly MaskObject[],
  to: "clipboard" | "file" | "collage",
): Promise<void> {
  if (objects.length === 0) return host.say("info", "Select an object first.");
  const name = nameOf(image.name, objects, host);
  const cut = () =>
    server.cutOut(
      image.id,
      objects.map((object) => object.mask),
      FEATHER,
    );
  try {
    if (to === "clipboard") await copy(cut, name, host);
    else if (to === "file") saveFile(await cut(), `${name}.png`);
    else await collect(objects, image, host);
  } catch (error) {
    host.say("error", `The cut-out failed: ${messageOf(error)}`);
  }
}

/** A cut-out of its own for every object. */
async function collect(
  objects: readonly MaskObject[],
  image: { readonly id: Id; readonly name: string },
  host: Host,
): Promise<void> {
  for (const object of objects)
    await addCutout(
      nameOf(image.name, [object], host),
      await server.cutOut(image.id, [object.mask], FEATHER),
    );
  host.say("info", `${counted(objects.length, "cut-out")} put on the collage.`);
}

function nameOf(picture: string, objects: readonly MaskObject[], { state }: Host): string {
  const stem = picture.replace(/\.[^.]*$/, "");
  const label =
    objects.length === 1 ? state.labels.find(({ id }) => id === objects[0]?.label)?.name : undefined;
  return `${stem}-${label ?? "cutout"}`;
}

async function copy(cut: () => Promise<Blob>, name: string, host: Host): Promise<void> {
  if (!navigator.clipboard?.write) {
    // Browsers give the clipboard to HTTPS and this machine's own pages alone.
    saveFile(await cut(), `${name}.png`);
    return host.say("info", "This page may not use the clipboard: the cut-out was saved as a file.");
  }
  // The promise goes into the item, because Safari forgets the key press while an answer is waited for.
  await navigator.clipboard.write([new ClipboardItem({ "image/png": cut() })]);
  host.say("info", "The cut-out is in the clipboard.");
}
