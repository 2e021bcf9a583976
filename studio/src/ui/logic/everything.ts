/** Everything mode's presets and live filters, as the panel offers them. */

export interface Preset {
  name: string;
  title: string;
}

export const PRESETS: readonly Preset[] = [
  { name: "objects", title: "Objects" },
  { name: "parts", title: "Objects and parts" },
  { name: "dense", title: "Many small objects" },
  { name: "demo", title: "As SAM's demo" },
  { name: "paper", title: "As SAM's paper" },
];

/** One slider. The slider's own scale differs from the setting's where the setting spans powers of ten. */
export interface Filter {
  name: "pred_iou_thresh" | "stability_score_thresh" | "min_area" | "mask_nms_thresh";
  title: string;
  min: number;
  max: number;
  step: number;
  text: (value: number) => string;
  fromSlider: (value: number) => number;
  toSlider: (setting: number) => number;
  /** Where the run says nothing. */
  fallback: number;
}

const same = (value: number) => value;
const percentText = (value: number) => `${Math.round(value * 100)} %`;

/** Areas from 0 to a million pixels: a slider from 0 to 6, each step of 1 ten times as much. */
export const areaOf = (value: number) => (value <= 0 ? 0 : Math.round(10 ** value));
export const sliderOfArea = (area: number) => (area <= 1 ? 0 : Math.log10(area));

export const FILTERS: readonly Filter[] = [
  {
    name: "pred_iou_thresh",
    title: "Score at least",
    min: 0,
    max: 1,
    step: 0.01,
    text: percentText,
    fromSlider: same,
    toSlider: same,
    fallback: 0.88,
  },
  {
    name: "stability_score_thresh",
    title: "Stability at least",
    min: 0,
    max: 1,
    step: 0.01,
    text: percentText,
    fromSlider: same,
    toSlider: same,
    fallback: 0.95,
  },
  {
    name: "min_area",
    title: "Smallest area",
    min: 0,
    max: 6,
    step: 0.05,
    text: (value) => `${areaOf(value).toLocaleString("en")} px`,
    fromSlider: areaOf,
    toSlider: sliderOfArea,
    fallback: 0,
  },
  {
    name: "mask_nms_thresh",
    title: "Overlap allowed",
    min: 0.05,
    max: 1,
    step: 0.01,
    text: percentText,
    fromSlider: same,
    toSlider: same,
    fallback: 0.7,
  },
];

/** What the sliders set, out of all settings of a run: the others cannot be changed without decoding again. */
export function filtersOf(settings: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    FILTERS.flatMap(({ name }) => {
      const setting = settings[name];
      return typeof setting === "number" ? [[name, setting]] : [];
    }),
  );
}

/** Where a filter's slider stands by the run's settings. */
export function filterValue(settings: Readonly<Record<string, unknown>>, filter: Filter): number {
  const setting = settings[filter.name];
  return filter.toSlider(typeof setting === "number" ? setting : filter.fallback);
}
