/**
 * Addresses inside the page. They live behind the `#`, so that any static server can deliver the page and the one-time
 * tokens of setup and invitation links never reach a server's log.
 */

export type ProjectPage = "gallery" | "review" | "progress" | "engine" | "versions" | "labels" | "collage";

export type Route =
  | { page: "home" | "projects" }
  | { page: ProjectPage; project: string }
  | { page: "image"; project: string; image: string; review: boolean }
  | { page: "people" | "settings" | "login" }
  | { page: "setup" | "redeem"; token: string }
  | { page: "unknown"; path: string };

const PROJECT_PAGES: readonly ProjectPage[] = [
  "gallery",
  "review",
  "progress",
  "engine",
  "versions",
  "labels",
  "collage",
];
const PLAIN_PAGES = ["people", "settings", "login"] as const;
const TOKEN_PAGES = ["setup", "redeem"] as const;

function oneOf<T extends string>(names: readonly T[], name: string): T | undefined {
  return names.find((known) => known === name);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone % typed by hand
  }
}

function projectRoute(project: string, rest: string[], path: string): Route {
  const [head = "gallery", image, mode] = rest;
  if (head === "image" && image) return { page: "image", project, image, review: mode === "review" };
  const page = oneOf(PROJECT_PAGES, head);
  return page && rest.length <= 1 ? { page, project } : { page: "unknown", path };
}

/** The route that a location hash such as `#/p/7c1e/image/90ab` names; unknown addresses keep their text. */
export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#/, "");
  const [address = "", query = ""] = path.split("?", 2);
  const parts = address.split("/").filter(Boolean).map(decode);
  const [head, project, ...rest] = parts;
  if (path === "") return { page: "home" };
  if (head === undefined) return { page: "projects" };
  if (head === "p" && project) return projectRoute(project, rest, path);
  const token = oneOf(TOKEN_PAGES, head);
  if (token) return { page: token, token: new URLSearchParams(query).get("token") ?? "" };
  const plain = oneOf(PLAIN_PAGES, head);
  return plain ? { page: plain } : { page: "unknown", path };
}

/** The hash of a route; `parseRoute(formatRoute(route))` gives the route back. */
export function formatRoute(route: Route): string {
  switch (route.page) {
    case "home":
      return "#";
    case "projects":
      return "#/";
    case "image":
      return `#/p/${encodeURIComponent(route.project)}/image/${encodeURIComponent(route.image)}${route.review ? "/review" : ""}`;
    case "setup":
    case "redeem":
      return `#/${route.page}?token=${encodeURIComponent(route.token)}`;
    case "people":
    case "settings":
    case "login":
      return `#/${route.page}`;
    case "unknown":
      return `#${route.path}`;
    default:
      return `#/p/${encodeURIComponent(route.project)}${route.page === "gallery" ? "" : `/${route.page}`}`;
  }
}

/** The project that a route belongs to, if any. */
export function routeProject(route: Route): string | null {
  return "project" in route ? route.project : null;
}
