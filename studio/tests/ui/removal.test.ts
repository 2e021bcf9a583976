import { describe, expect, it } from "vitest";
import type { ImageSummary } from "../../src/core/types";
import { fileText, isNameTyped, removalLosses, withoutImage } from "../../src/ui/logic/removal";

describe("removing a picture for good", () => {
  it("tells how many masks go, and that versions lose theirs", () => {
    const losses = removalLosses({ path: "a.jpg", masks: 1200 });
    expect(losses[0]).toContain("1,200 masks");
    expect(losses.some((loss) => loss.includes("version"))).toBe(true);
    // Deleted objects have a history, too.
    expect(removalLosses({ path: "a.jpg", masks: 0 })[0]).not.toContain("0 masks");
  });

  it("tells an upload, whose file goes, from a picture of the folder, whose file stays", () => {
    expect(fileText({ path: ".anymask/uploads/12ab.jpg", masks: 0 })).toContain("deleted");
    const stays = fileText({ path: "day 1/cat.jpg", masks: 0 });
    expect(stays).toContain("day 1/cat.jpg stays");
    expect(stays).not.toContain("deleted");
    expect(fileText({ path: "x.anymask/uploads/cat.jpg", masks: 0 })).toContain("stays");
  });

  it("asks for just the name, however its accents and spaces are written", () => {
    expect(isNameTyped("cat.jpg", "cat.jpg")).toBe(true);
    expect(isNameTyped(" cat.jpg ", "cat.jpg")).toBe(true);
    expect(isNameTyped("caf\u00e9 1.jpg", "cafe\u0301  1.jpg")).toBe(true);
    for (const wrong of ["", " ", "cat", "Cat.jpg", "cat.jpg.jpg", "cat jpg"])
      expect(isNameTyped(wrong, "cat.jpg"), wrong).toBe(false);
  });

  it("takes it out of the gallery's pages and leaves the others", () => {
    const page = (ids: string[], next: string | null) => ({
      items: ids.map((id) => ({ id }) as ImageSummary),
      next,
    });
    const pages = [page(["a", "b"], "more"), page(["c"], null)];
    expect(withoutImage(pages, "b")).toEqual([page(["a"], "more"), page(["c"], null)]);
    expect(withoutImage(pages, "c")).toEqual([page(["a", "b"], "more"), page([], null)]);
    expect(withoutImage(pages, "unknown")).toEqual(pages);
    expect(pages[0]?.items).toHaveLength(2);
  });
});
