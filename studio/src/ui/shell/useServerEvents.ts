import { useEffect } from "react";
import { type EventKind, follow, isThisPage, look, onServerEvent, type ServerEvent } from "../../api/events";
import { type Present, useAppStore } from "../../state/appStore";
import { queryClient } from "../data/client";
import { keys } from "../data/keys";
import { type Route, routeProject } from "../logic/routes";

interface Entry {
  user_id: string;
  name: string;
  client: string;
  image_id: string | null;
}

function present(people: unknown): Present[] {
  const entries = (Array.isArray(people) ? people : []) as Entry[];
  const others = entries.filter((entry) => !isThisPage(entry));
  const byUser = new Map(others.map((entry) => [entry.user_id, entry]));
  return [...byUser.values()].map(({ user_id, name, image_id }) => ({
    user: user_id,
    name,
    image: image_id,
  }));
}

/** The loaded data that an event of a project makes old. */
function touched(kind: EventKind, project: string): readonly (readonly string[])[] {
  switch (kind) {
    case "mask":
    case "image":
    case "task":
      return [keys.images(project), keys.project(project), keys.statistics(project)];
    case "review":
      return [keys.images(project), keys.reviews];
    case "label":
      return [keys.labels(project)];
    case "job":
      return [keys.jobs(project)];
    case "reset":
      return [[]];
    default:
      return [];
  }
}

function apply({ kind, project, detail }: ServerEvent): void {
  const app = useAppStore.getState();
  if (kind === "hello" || kind === "presence") app.setPresent(present(detail["people"]));
  if (kind === "open" || kind === "broken") app.setConnected(kind === "open");
  for (const queryKey of touched(kind, project)) void queryClient.invalidateQueries({ queryKey });
}

/** Follows the project of the address while somebody is logged in, and says which picture is shown. */
export function useServerEvents(route: Route, isSignedIn: boolean): void {
  const project = isSignedIn ? routeProject(route) : null;
  const image = route.page === "image" ? route.image : null;
  useEffect(() => onServerEvent(apply), []);
  useEffect(() => follow(project), [project]);
  useEffect(() => {
    // Being seen by others is worth no message when it fails.
    look(image).catch(() => undefined);
  }, [image]);
}
