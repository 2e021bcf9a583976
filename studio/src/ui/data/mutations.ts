/** Writes that more than one place makes; each brings the cache up to date. */

import { forgetToken, post } from "../../api/http";
import { newId } from "../../core/ids";
import { queryClient } from "./client";
import { keys } from "./queries";
import type { Label, Project } from "./types";

/** After who we are has changed, nothing that was loaded may stay. */
async function forgetEverything(): Promise<void> {
  forgetToken();
  queryClient.clear();
  await queryClient.refetchQueries({ queryKey: keys.me });
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

export async function createProject(name: string): Promise<Project> {
  const project = await post<Project>("/projects", { id: newId(), name });
  await queryClient.invalidateQueries({ queryKey: keys.projects });
  return project;
}

/** Look for new files in the project's folder. */
export async function scan(project: string): Promise<void> {
  await post(`/projects/${project}/scan`);
  await refreshImages(project);
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

export interface NewLabel {
  name: string;
  colour?: string;
  hotkey?: string;
}

export async function createLabel(project: string, label: NewLabel): Promise<Label> {
  const created = await post<Label>(`/projects/${project}/labels`, label);
  await queryClient.invalidateQueries({ queryKey: keys.labels(project) });
  return created;
}
