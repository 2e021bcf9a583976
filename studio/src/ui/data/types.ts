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
  csrf: string | null;
  accounts: boolean;
  /** Whether the first administrator is still missing. */
  setup: boolean;
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
  root: string | null;
  model: string;
  settings: Record<string, unknown>;
  counts: ProjectCounts;
}

export interface Listing<T> {
  items: T[];
  next: string | null;
}

/** A file format. `is_folder`: several files, exchanged as a zip. */
export interface FormatInfo {
  name: string;
  title: string;
  suffix: string;
  is_folder: boolean;
}

export interface Snapshot {
  id: Id;
  project_id: Id;
  name: string;
  sha256: string;
  created: string;
  author_id: Id | null;
  images: number;
  masks: number;
}

/** What became of an imported file. */
export interface ImportResult {
  images: number;
  masks: number;
  known: number;
  labels: string[];
  unmatched: string[];
  wrong_size: string[];
  left_out: string[];
}
