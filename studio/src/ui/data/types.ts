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

/** A picture, and what it is for. `group`: pictures of one patient, scene or film. `masks`: how many objects. */
export interface ImageFacts {
  id: Id;
  name: string;
  /** Of its file, in the folder of the studio. */
  path: string;
  masks: number;
  gold: boolean;
  split: "train" | "val" | "test" | null;
  group: string | null;
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

export interface PersonFigures {
  user_id: Id;
  name: string;
  masks: number;
  seconds: number;
  prompts: number;
  images: number;
  reviews: number;
  seconds_per_mask: number | null;
  prompts_per_mask: number | null;
}

/** What somebody did on a day (UTC, 2026-01-31). */
export interface DayFigures {
  user_id: Id;
  name: string;
  day: string;
  masks: number;
  seconds: number;
  prompts: number;
  seconds_per_mask: number | null;
}

export interface Statistics {
  images: Record<ImageState, number>;
  masks: number;
  by_label: Record<Id, number>;
  by_source: Record<string, number>;
  tasks: Record<string, number>;
  people: PersonFigures[];
  days: DayFigures[];
  seconds_per_mask: number | null;
  prompts_per_mask: number | null;
}

export interface Invitation {
  token: string;
  /** Of the page where it is used, behind the studio's address. */
  path: string;
  role: Role;
}

/** A model of a project. `is_open`: ready to answer. `created`: null for one that was never registered. */
export interface ProjectModel {
  sha256: string;
  name: string;
  is_open: boolean;
  created: string | null;
  state: "candidate" | "current" | "retired" | "refused";
  metrics: Record<string, unknown>;
}

export interface Job {
  id: Id;
  state: "waiting" | "running" | "done" | "failed" | "stopped";
  /** 0 to 1. */
  progress: number;
  /** In words. */
  detail: string;
  created: string;
  updated: string;
}

/** How far the data engine's second stage is. `seconds_left`: null before a picture is finished. */
export interface Assist {
  job: Job | null;
  images: Record<string, number>;
  left: number;
  confident: number;
  by_hand: number;
  by_hand_per_image: number | null;
  seconds_per_mask: number | null;
  seconds_left: number | null;
}

export interface Review {
  id: Id;
  mask_id: Id;
  reviewer_id: Id | null;
  verdict: "accepted" | "rejected" | "comment";
  comment: string;
  created: string;
}

/** How well two people agree on a picture. */
export interface Agreement {
  first_user: Id;
  second_user: Id;
  mean_iou: number | null;
  f1: number;
  matches: { first_mask: Id; second_mask: Id; iou: number; same_label: boolean }[];
  first_only: Id[];
  second_only: Id[];
}

/** What the last look through the folder found. `broken`: the first files that could not be taken, of `broken_count`. */
export interface Scan {
  running: boolean;
  found: number;
  added: number;
  broken: { path: string; reason: string }[];
  broken_count: number;
}
