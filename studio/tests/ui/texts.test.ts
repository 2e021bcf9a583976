import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/core/commands";
import { DEFAULT_KEYS, keymapOf, withKeys } from "../../src/core/keys";
import { DEFAULT_PREFERENCES, readPreferences } from "../../src/state/preferences";
import { groupedCommands } from "../../src/ui/logic/commandGroups";
import { areaOf, FILTERS, filterValue, sliderOfArea } from "../../src/ui/logic/everything";
import { importText, orderedFormats } from "../../src/ui/logic/formats";
import { metricsText } from "../../src/ui/logic/models";
import { agreementText } from "../../src/ui/logic/review";
import { saveText } from "../../src/ui/logic/saving";
import { batches, refusedText } from "../../src/ui/logic/upload";

describe("saving", () => {
  const status = (
    state: "saved" | "saving" | "waiting" | "offline" | "signed_out" | "refused",
    detail: string | null = null,
  ) => saveText({ state, waiting: 3, detail }, 0);

  it("says at once what is safe and what is not", () => {
    expect(status("saved").tone).toBe("good");
    expect([status("saving").tone, status("waiting").tone]).toEqual(["busy", "busy"]);
    expect([status("offline").tone, status("signed_out").tone, status("refused").tone]).toEqual([
      "bad",
      "bad",
      "bad",
    ]);
    expect(status("offline").hint).toContain("3 changes");
    expect(status("refused", "the disk is full").hint).toBe("the disk is full");
  });

  it("puts conflicts before all else", () => {
    expect(saveText({ state: "saved", waiting: 0, detail: null }, 2)).toMatchObject({
      tone: "conflict",
      text: "2 conflicts",
    });
  });
});

describe("upload", () => {
  it("splits files by number and bytes, loses none, keeps their order", () => {
    const files = Array.from({ length: 45 }, (_, index) => ({ size: index === 7 ? 90 : 10, index }));
    const split = batches(files, 20, 100);
    expect(split.flat()).toEqual(files);
    for (const batch of split) {
      expect(batch.length).toBeLessThanOrEqual(20);
      if (batch.length > 1) expect(batch.reduce((sum, file) => sum + file.size, 0)).toBeLessThanOrEqual(100);
    }
    expect(batches([{ size: 500 }], 20, 100)).toEqual([[{ size: 500 }]]);
    expect(batches([])).toEqual([]);
  });

  it("names the first of those that were refused", () => {
    const refused = ["a", "b", "c", "d", "e"].map((name) => ({ name, reason: "no picture" }));
    expect(refusedText(refused)).toBe("a: no picture; b: no picture; c: no picture; and 2 more");
    expect(refusedText([])).toBe("");
  });
});

describe("everything mode", () => {
  it.each(FILTERS)("$title: the slider and the setting are each other's way back", (filter) => {
    for (const value of [filter.min, filter.max, (filter.min + filter.max) / 2]) {
      const setting = filter.fromSlider(value);
      expect(filter.fromSlider(filter.toSlider(setting))).toBeCloseTo(setting, 6);
    }
  });

  it("takes areas by powers of ten", () => {
    expect([areaOf(0), areaOf(2), areaOf(6)]).toEqual([0, 100, 1_000_000]);
    expect([sliderOfArea(0), sliderOfArea(1000)]).toEqual([0, 3]);
  });

  it("stands where the run says, else at the fallback", () => {
    const [score] = FILTERS;
    if (!score) throw new Error("no filter");
    expect(filterValue({ pred_iou_thresh: 0.5 }, score)).toBe(0.5);
    expect(filterValue({ pred_iou_thresh: null }, score)).toBe(score.fallback);
  });
});

describe("files", () => {
  it("lists the formats of most people first", () => {
    const format = (name: string) => ({ name, title: name, suffix: ".x", is_folder: false });
    const names = orderedFormats(["svg", "yolo", "csv", "coco"].map(format)).map(({ name }) => name);
    expect(names).toEqual(["coco", "yolo", "svg", "csv"]);
  });

  it("tells what an import did, and only that", () => {
    const nothing = {
      images: 2,
      masks: 9,
      known: 0,
      labels: [],
      unmatched: [],
      wrong_size: [],
      left_out: [],
    };
    expect(importText(nothing)).toEqual(["9 new masks in 2 pictures."]);
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    expect(
      importText({ ...nothing, known: 1, labels: ["cat"], unmatched: names, left_out: ["2 points"] }),
    ).toEqual([
      "9 new masks in 2 pictures.",
      "1 masks were here already.",
      "New labels: cat.",
      "Not in this project: a, b, c, d, e and 2 more.",
      "Left out: 2 points.",
    ]);
  });
});

describe("versions and review", () => {
  it("shows a model's figures", () => {
    expect(metricsText({ iou_1_click: 0.71234, note: "x", iou_3_clicks: 0.8 })).toBe(
      "iou 1 click 0.712, iou 3 clicks 0.8",
    );
    expect(metricsText({})).toBe("");
  });

  it("says how far two people agree", () => {
    const match = (same_label: boolean) => ({ first_mask: "a", second_mask: "b", iou: 0.9, same_label });
    const two = { first_user: "1", second_user: "2", f1: 0.8 };
    expect(
      agreementText([
        { ...two, mean_iou: 0.912, matches: [match(true), match(false)], first_only: ["c"], second_only: [] },
      ]),
    ).toEqual([
      "Two people: mean IoU 0.91 on 2 shared objects, 1 found by one of them alone, 1 labelled differently.",
    ]);
    expect(
      agreementText([{ ...two, mean_iou: null, matches: [], first_only: ["a"], second_only: ["b"] }]),
    ).toEqual(["Two people: no object in common, 2 found by one of them alone."]);
  });
});

describe("the help sheet", () => {
  it("lists the keys of a place and of everywhere, and no command without a key", () => {
    const keymap = keymapOf(withKeys(DEFAULT_KEYS, "undo", []));
    const shown = groupedCommands(COMMANDS, "review", keymap).flatMap(({ commands }) => commands);
    expect(shown.some(({ name }) => name === "review.accept")).toBe(true);
    expect(shown.some(({ name }) => name === "help")).toBe(true);
    expect(shown.some(({ name }) => name === "undo")).toBe(false);
    expect(shown.every(({ scope }) => scope === "review" || scope === "everywhere")).toBe(true);
  });
});

describe("preferences", () => {
  it("come back as they were kept; anything else is as delivered", () => {
    const kept = { ...DEFAULT_PREFERENCES, leftHanded: true, hoverPreview: false };
    expect(readPreferences(JSON.stringify(kept))).toEqual(kept);
    for (const text of [null, "", "{", "[]", "null", "3"])
      expect(readPreferences(text)).toEqual(DEFAULT_PREFERENCES);
    expect(readPreferences('{"leftHanded":"yes","evil":true}')).toEqual(DEFAULT_PREFERENCES);
  });
});
