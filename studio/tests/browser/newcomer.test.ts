/** From `anymask studio examples/` to an exported COCO file with five good masks, as a newcomer would. */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { test } from "./fixtures";
import type { Studio } from "./studio";

/** Where the record goes; kept for the documentation if STUDIO_PICTURES names a folder. */
const RECORD = resolve(import.meta.dirname, "../../../out/newcomer");
const PICTURES = process.env["STUDIO_PICTURES"];
/** What a hand does at most, clicks and keys; at four seconds each that is two minutes. */
const ACTIONS = 30;

interface Wanted {
  readonly file: string;
  readonly label: string;
  readonly point: readonly [number, number];
  /** x0, y0, x1, y1 of the true object. */
  readonly box: readonly [number, number, number, number];
}

interface Clicks {
  readonly photos: readonly {
    readonly file: string;
    readonly objects: readonly Omit<Wanted, "file">[];
  }[];
}

const FIVE = [
  ["coffee.jpg", "coffee"],
  ["coffee.jpg", "cup and saucer"],
  ["flower.jpg", "dahlia"],
  ["astronaut.jpg", "mission patch"],
  ["chelsea.jpg", "cat"],
];

test("five good masks, labelled and exported", async ({ studio }) => {
  mkdirSync(RECORD, { recursive: true });
  const wanted = read();
  const began = Date.now();
  let actions = 0;
  let opened = "";
  await studio.gallery();
  await shot(studio, 1, "the pictures");
  for (const [index, object] of wanted.entries()) {
    if (object.file !== opened) {
      await studio.open(object.file);
      actions += opened === "" ? 1 : 2;
      opened = object.file;
    }
    // What is made from now on gets this label.
    await studio.addLabel(object.label);
    await studio.clickImage(...object.point);
    await studio.offered();
    actions += 2 + (await chooseBest(studio, object));
    if (index === 0) await shot(studio, 2, "the answer to a click");
    await studio.key("Enter");
    actions += 1;
    if (index === 1) await shot(studio, 3, "two objects with labels");
  }
  await studio.saved();
  await studio.gallery();
  const file = JSON.parse(readFileSync(await studio.export("coco"), "utf8"));
  actions += 4; // back to the pictures, export, the format, start
  await shot(studio, 4, "exported");
  const seconds = (Date.now() - began) / 1000;
  writeFileSync(join(RECORD, "record.json"), JSON.stringify({ actions, seconds }));
  console.log(`newcomer: ${actions} actions, ${seconds.toFixed(0)} seconds of browser time`);

  expect(file.annotations.length).toBe(5);
  for (const object of wanted) expect(overlap(file, object), object.label).toBeGreaterThan(0.7);
  expect(actions).toBeLessThanOrEqual(ACTIONS);
});

/** The person looks at the three candidates and takes the one that fits; how many keys that takes. */
async function chooseBest(studio: Studio, { box }: Wanted): Promise<number> {
  const fits = await studio.state((state) =>
    (state.draft?.candidates ?? []).map(({ mask }) => [
      mask.x,
      mask.y,
      mask.x + mask.width,
      mask.y + mask.height,
    ]),
  );
  const ious = fits.map((one) => iou(one, box));
  const best = ious.indexOf(Math.max(...ious));
  if (best > 0) await studio.page.getByTestId(`candidate-${best}`).click();
  return best > 0 ? 1 : 0;
}

function read(): Wanted[] {
  const clicks = JSON.parse(
    readFileSync(resolve(import.meta.dirname, "../../../examples/clicks.json"), "utf8"),
  ) as Clicks;
  return FIVE.map(([file, label]) => {
    const photo = clicks.photos.find((one) => one.file === file);
    const object = photo?.objects.find((one) => one.label === label);
    if (!file || !object) throw new Error(`examples/clicks.json has no ${label} in ${file}`);
    return { ...object, file };
  });
}

interface Coco {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly {
    readonly image_id: number;
    readonly category_id: number;
    readonly bbox: readonly [number, number, number, number];
  }[];
}

/** IoU of the exported object's box with the true one. */
function overlap(file: Coco, { file: name, label, box }: Wanted): number {
  const image = file.images.find((one) => one.file_name === name);
  const category = file.categories.find((one) => one.name === label);
  const mine = file.annotations.filter(
    (one) => one.image_id === image?.id && one.category_id === category?.id,
  );
  const [only] = mine;
  if (mine.length !== 1 || !only) return 0;
  const [x, y, width, height] = only.bbox;
  return iou([x, y, x + width, y + height], box);
}

function iou(a: readonly number[], b: readonly number[]): number {
  const [ax0 = 0, ay0 = 0, ax1 = 0, ay1 = 0] = a;
  const [bx0 = 0, by0 = 0, bx1 = 0, by1 = 0] = b;
  const width = Math.max(0, Math.min(ax1, bx1) - Math.max(ax0, bx0));
  const height = Math.max(0, Math.min(ay1, by1) - Math.max(ay0, by0));
  const shared = width * height;
  return shared / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - shared);
}

async function shot(studio: Studio, step: number, what: string): Promise<void> {
  await studio.still();
  const path = join(RECORD, `newcomer-${step}.jpg`);
  await studio.page.screenshot({ path, type: "jpeg", quality: 72 });
  if (PICTURES) copyFileSync(path, join(PICTURES, `newcomer-${step}.jpg`));
  console.log(`newcomer ${step}: ${what}`);
}
