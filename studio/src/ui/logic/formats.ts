import type { FormatInfo } from "../data/types";

/** What each format is good for and what it loses, in a few words. */
export const FORMAT_NOTES: Readonly<Record<string, string>> = {
  coco: "For training and most tools. Exact masks as run lengths.",
  "coco-polygons": "Outlines where a mask has no holes. For tools that want polygons.",
  json: "Everything that is known about each mask, one file a picture.",
  panoptic: "One owner for every pixel; overlaps are cut.",
  sa1b: "As the SA-1B data set has it. Without labels.",
  yolo: "Label and outline. Scores and attributes are lost.",
  voc: "Pictures of masks, up to 254 objects each; overlaps are cut.",
  labelme: "One file beside each picture, to be opened in labelme.",
  cvat: "CVAT for images 1.1, to be uploaded as annotations.",
  "label-studio": "A list of tasks with brush masks.",
  png: "One picture of masks for each picture. Without labels; overlaps are cut.",
  labelmap: "One picture of numbers for each picture; overlaps are cut.",
  palette: "Numbers with colours, up to 255 objects; overlaps are cut.",
  geojson: "Outlines in pixels, for maps and geometry tools.",
  svg: "Outlines to be opened in a drawing program.",
  csv: "A table with one line a mask.",
};

/** What kind of file a format makes. */
export function fileKind(format: FormatInfo): string {
  return format.is_folder ? "Several files in a zip" : `A ${format.suffix} file`;
}

/** The formats of most people first, the rest as the server lists them. */
export function orderedFormats(formats: readonly FormatInfo[]): FormatInfo[] {
  const first = ["coco", "yolo", "voc", "labelme", "cvat", "label-studio", "png"];
  const rank = (format: FormatInfo) => {
    const place = first.indexOf(format.name);
    return place < 0 ? first.length : place;
  };
  return [...formats].sort((a, b) => rank(a) - rank(b));
}

/** What an import did, in sentences; the first is the good news. */
export function importText(result: {
  images: number;
  masks: number;
  known: number;
  labels: string[];
  unmatched: string[];
  wrong_size: string[];
  left_out: string[];
}): string[] {
  const lines = [`${result.masks} new masks in ${result.images} pictures.`];
  if (result.known > 0) lines.push(`${result.known} masks were here already.`);
  if (result.labels.length > 0) lines.push(`New labels: ${result.labels.join(", ")}.`);
  if (result.unmatched.length > 0) lines.push(`Not in this project: ${some(result.unmatched)}.`);
  if (result.wrong_size.length > 0) lines.push(`Of another size here: ${some(result.wrong_size)}.`);
  if (result.left_out.length > 0) lines.push(`Left out: ${result.left_out.join(", ")}.`);
  return lines;
}

const NAMED = 5;

function some(names: readonly string[]): string {
  const rest = names.length - NAMED;
  return names.slice(0, NAMED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
