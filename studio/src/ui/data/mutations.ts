/** Writes that more than one place makes; each brings the cache up to date. */

import type { InfiniteData } from "@tanstack/react-query";
import { ApiError, forgetToken, get, patch, post, remove } from "../../api/http";
import { newId } from "../../core/ids";
import { freeHotkey } from "../logic/labels";
import { withoutImage } from "../logic/removal";
import { queryClient } from "./client";
import { keys } from "./keys";
import type {
  ImageFacts,
  ImageState,
  ImageSummary,
  Invitation,
  Label,
  LabelAttribute,
  Listing,
  Me,
  Project,
  Role,
  Scan,
  Snapshot,
} from "./types";

/** After who we are has changed, nothing that was loaded for the one before may stay. */
async function forgetEverything(): Promise<void> {
  forgetToken();
  const me = await get<Me>("/me");
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] });
  queryClient.setQueryData(keys.me, me);
}

export async function logIn(name: string, password: string): Promise<void> {
  await post("/login", { name, password });
  await forgetEverything();
}

export async function logOut(): Promise<void> {
  await post("/logout");
  await forgetEverything();
}

export async function setUp(token: string, name: string, password: string): Promise<void> {
  await post("/setup", { token, name, password });
  await forgetEverything();
}

export async function redeem(token: string, name: string, password: string): Promise<void> {
  await post("/redeem", { token, name, password });
  await forgetEverything();
}

/** One's own password. Every session of this person ends; a new one begins in this browser. */
export async function changePassword(old: string, fresh: string): Promise<void> {
  const me = await post<Me>("/me/password", { old, new: fresh });
  forgetToken();
  // An answer to the session that has ended would show the login.
  await queryClient.cancelQueries({ queryKey: keys.me });
  queryClient.setQueryData(keys.me, me);
}

export async function createProject(name: string): Promise<Project> {
  const project = await post<Project>("/projects", { id: newId(), name });
  await queryClient.invalidateQueries({ queryKey: keys.projects });
  return project;
}

/** Look for new files in the project's folder. */
export async function scan(project: string): Promise<Scan> {
  const found = await post<Scan>(`/projects/${project}/scan`);
  queryClient.setQueryData(keys.scan(project), found);
  await refreshImages(project);
  return found;
}

export interface UploadResult {
  added: string[];
  refused: { name: string; reason: string }[];
}

export async function refreshImages(project: string): Promise<void> {
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: keys.images(project) }),
    queryClient.invalidateQueries({ queryKey: keys.project(project) }),
  ]);
}

/** A new label beside `labels`, with the next digit key that is free. */
export async function addLabel(project: string, name: string, labels: readonly Label[]): Promise<Label> {
  const hotkey = freeHotkey(labels);
  const created = await post<Label>(`/projects/${project}/labels`, { name, ...(hotkey ? { hotkey } : {}) });
  await queryClient.invalidateQueries({ queryKey: keys.labels(project) });
  return created;
}

export async function changeImage(
  project: string,
  image: string,
  change: Partial<Pick<ImageFacts, "gold" | "split" | "group">>,
): Promise<void> {
  await patch(`/images/${image}`, change);
  await Promise.all([queryClient.invalidateQueries({ queryKey: keys.image(image) }), refreshImages(project)]);
}

/** Removes a picture and all that is known of it. One that somebody else has removed meanwhile is no error. */
export async function removeImage(project: string, image: string): Promise<void> {
  try {
    await remove(`/images/${image}`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
  // At once, also in galleries that are not shown now and are loaded anew later.
  queryClient.setQueriesData<InfiniteData<Listing<ImageSummary>>>(
    { queryKey: keys.images(project) },
    (data) => data && { ...data, pages: withoutImage(data.pages, image) },
  );
  const old = [keys.statistics(project), keys.jobs(project), keys.snapshots(project), keys.projects];
  await Promise.all([
    refreshImages(project),
    ...old.map((queryKey) => queryClient.invalidateQueries({ queryKey })),
  ]);
}

export async function invite(role: Role): Promise<Invitation> {
  return post<Invitation>("/invitations", { role });
}

export async function updateUser(id: string, change: { role?: Role; disabled?: boolean }): Promise<void> {
  await patch(`/users/${id}`, change);
  await queryClient.invalidateQueries({ queryKey: keys.users });
}

export interface LabelChange {
  name?: string;
  colour?: string;
  /** "" takes it away. */
  hotkey?: string;
  attributes?: readonly LabelAttribute[];
  position?: number;
  archived?: boolean;
}

export async function updateLabel(project: string, id: string, change: LabelChange): Promise<void> {
  await patch(`/labels/${id}`, change);
  await queryClient.invalidateQueries({ queryKey: keys.labels(project) });
}

/** All objects of one label get another; the first is archived. */
export async function mergeLabel(project: string, id: string, into: string): Promise<void> {
  await post(`/labels/${id}/merge`, { into });
  await queryClient.invalidateQueries({ queryKey: keys.labels(project) });
}

/** Freezes the present masks of a project's pictures in these states. */
export async function freeze(
  project: string,
  name: string,
  states: readonly ImageState[],
): Promise<Snapshot> {
  const snapshot = await post<Snapshot>(`/projects/${project}/snapshots`, { name, states });
  await queryClient.invalidateQueries({ queryKey: keys.snapshots(project) });
  return snapshot;
}

export async function switchModel(project: string, sha256: string): Promise<void> {
  await post(`/projects/${project}/models/switch`, { sha256 });
  await refreshModels(project);
}

async function refreshModels(project: string): Promise<void> {
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: keys.models(project) }),
    queryClient.invalidateQueries({ queryKey: keys.project(project) }),
  ]);
}

/** The model before the present one answers again; the present one is refused. */
export async function revertModel(project: string): Promise<void> {
  await post(`/projects/${project}/models/revert`);
  await refreshModels(project);
}

export interface AssistRequest {
  preset: string;
  /** 0 for all that the preset finds, 1 for none. */
  confidence: number;
  label_id: string | null;
}

export async function startAssist(project: string, request: AssistRequest): Promise<void> {
  await post(`/projects/${project}/assist`, request);
  await queryClient.invalidateQueries({ queryKey: keys.jobs(project) });
}
