/** What happens in a project, as the server tells it: one stream a page, any number of listeners. */

import { newId } from "../core/ids";
import type { Id } from "../core/types";
import { post, url } from "./http";

export type EventKind =
  | "hello"
  | "presence"
  | "mask"
  | "image"
  | "task"
  | "label"
  | "review"
  | "job"
  /** Events were lost: load anew. */
  | "reset"
  /** The stream is open (again), or broken and being tried again. */
  | "open"
  | "broken";

export interface ServerEvent {
  readonly kind: EventKind;
  readonly project: Id;
  readonly detail: Readonly<Record<string, unknown>>;
}

const KINDS: readonly EventKind[] = [
  "hello",
  "presence",
  "mask",
  "image",
  "task",
  "label",
  "review",
  "job",
  "reset",
];

/** Names this page towards the server. */
const client = newId();
const listeners = new Set<(event: ServerEvent) => void>();
let source: EventSource | null = null;
let followed: Id | null = null;
let seen: Id | null = null;

function tell(kind: EventKind, project: Id, detail: ServerEvent["detail"] = {}): void {
  for (const listener of listeners) listener({ kind, project, detail });
}

/** Be told of events until the given function is called. */
export function onServerEvent(listener: (event: ServerEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Follow a project's events, or none; what was followed before is left. */
export function follow(project: Id | null): void {
  if (project === followed) return;
  source?.close();
  followed = project;
  source = null;
  if (project === null) return;
  const stream = new EventSource(url(`/projects/${project}/events-stream`, { client, image: seen }));
  stream.onopen = () => tell("open", project);
  stream.onerror = () => tell("broken", project);
  for (const kind of KINDS) {
    stream.addEventListener(kind, (event) => {
      if (event instanceof MessageEvent) tell(kind, project, JSON.parse(event.data) as ServerEvent["detail"]);
    });
  }
  source = stream;
}

/** Tell the others which picture this page shows. */
export async function look(image: Id | null): Promise<void> {
  if (image === seen) return;
  seen = image;
  if (followed !== null) await post(`/projects/${followed}/presence`, { client, image_id: image });
}

/** Whether an entry of a presence event is this very page. */
export function isThisPage(entry: { client: string }): boolean {
  return entry.client === client;
}
