import { describe, expect, it } from "vitest";
import { formatRoute, parseRoute, type Route, routeProject } from "../../src/ui/logic/routes";

const ROUTES: readonly Route[] = [
  { page: "home" },
  { page: "projects" },
  { page: "gallery", project: "7c1e" },
  { page: "progress", project: "a b/ü%" },
  { page: "engine", project: "p" },
  { page: "image", project: "p", image: "90ab", review: false },
  { page: "image", project: "p", image: "90ab", review: true },
  { page: "people" },
  { page: "settings" },
  { page: "login" },
  { page: "setup", token: "a+b/c=&d" },
  { page: "redeem", token: "" },
];

describe("routes", () => {
  it.each(ROUTES)("$page comes back from its address", (route) => {
    expect(parseRoute(formatRoute(route))).toEqual(route);
  });

  it("reads addresses typed by hand", () => {
    expect(parseRoute("#/p/1/gallery")).toEqual({ page: "gallery", project: "1" });
    expect(parseRoute("#/p/1/")).toEqual({ page: "gallery", project: "1" });
    expect(parseRoute("#//p//1")).toEqual({ page: "gallery", project: "1" });
    expect(parseRoute("#/p/100%")).toEqual({ page: "gallery", project: "100%" });
  });

  it.each(["#/nowhere", "#/p/1/nowhere", "#/p", "#/p/1/labels/more", "#/p/1/image"])(
    "%s is unknown",
    (hash) => {
      expect(parseRoute(hash).page).toBe("unknown");
      expect(formatRoute(parseRoute(hash))).toBe(hash);
    },
  );

  it("says which project a page belongs to", () => {
    expect(routeProject({ page: "labels", project: "1" })).toBe("1");
    expect(routeProject({ page: "people" })).toBeNull();
  });
});
