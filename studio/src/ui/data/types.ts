/** What the server's answers hold beside pictures, labels and masks (those are in core/types). */

import type { Id, ImageState, ImageSummary, Label, LabelAttribute } from "../../core/types";

export type { Id, ImageState, ImageSummary, Label, LabelAttribute };

export type Role = "annotator" | "reviewer" | "admin";

export interface Person {
  id: Id;
  name: string;
  role: Role;
  created?: string;
  disabled?: boolean;
}

/** `GET /me`: who looks, and what this server allows. `user` is null before login. */
export interface Me {
  user: Person | null;
  csrf: string;
  accounts: boolean;
  version: string;
  limits: Record<string, number>;
}

export interface ProjectCounts {
  images: number;
  labelled: number;
  reviewed: number;
  masks: number;
}

export interface Project {
  id: Id;
  name: string;
  root?: string | null;
  model: string | null;
  settings: Record<string, unknown>;
  counts: ProjectCounts;
}

export interface Listing<T> {
  items: T[];
  next: string | null;
}
