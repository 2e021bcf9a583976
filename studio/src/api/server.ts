/** What the editor asks of the server, one function a request. All throw ApiError. */

import { decodeRle } from "../core/rle";
import type { SendOutcome } from "../core/save";
import type {
  Attributes,
  BoxXYXY,
  Candidate,
  Id,
  ImageSummary,
  Label,
  MaskRow,
  Prediction,
  Prompt,
  Rle,
  WindowMask,
} from "../core/types";
import type { Answer, EmbeddingPredictor } from "./browser/choosingPredictor";
import { ApiError, forgetToken, get, post, postForFile } from "./http";
import { type AskOptions, type Picture, Superseded } from "./predictor";
import {
  candidateOf,
  predictionOf,
  type WireCandidate,
  type WirePrediction,
  wireMask,
  wirePrompt,
} from "./wire";

interface Listing<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export async function getImage(id: Id, signal?: AbortSignal): Promise<ImageSummary> {
  return get<ImageSummary>(`/images/${id}`, {}, signal);
}

/** The present rows of all objects, also of those that are gone. */
export async function getHeads(image: Id, signal?: AbortSignal): Promise<readonly MaskRow[]> {
  return (await get<Listing<MaskRow>>(`/images/${image}/masks`, { deleted: true }, signal)).items;
}

export async function getHistory(object: Id): Promise<readonly MaskRow[]> {
  return (await get<Listing<MaskRow>>(`/objects/${object}/history`)).items;
}

export async function getLabels(project: Id, signal?: AbortSignal): Promise<readonly Label[]> {
  return (await get<Listing<Label>>(`/projects/${project}/labels`, {}, signal)).items;
}

/** Rows as the server takes them: without what it knows itself. */
function sentRow({ image_id: _image, author_id: _author, created: _created, ...row }: MaskRow): object {
  return row;
}

/** Saves rows; what came of it is a value, not an error. */
export async function sendRows(image: Id, rows: readonly MaskRow[]): Promise<SendOutcome> {
  try {
    const saved = await post<Listing<MaskRow>>(`/images/${image}/masks`, { masks: rows.map(sentRow) });
    return { kind: "saved", rows: saved.items };
  } catch (error) {
    if (error instanceof ApiError) return outcomeOf(error);
    throw error;
  }
}

function outcomeOf(error: ApiError): SendOutcome {
  if (error.status === 409 && error.body["head"])
    return { kind: "conflict", head: error.body["head"] as MaskRow };
  if (error.status === 401) {
    forgetToken();
    return { kind: "signed_out" };
  }
  if (!error.temporary) return { kind: "refused", detail: error.message };
  const seconds = error.retryAfter === null ? {} : { seconds: error.retryAfter };
  return { kind: "unavailable", detail: error.message, ...seconds };
}

/** The model on the server. */
export class ServerPredictor implements EmbeddingPredictor {
  /** Names this page to the server, which lets its later hover requests end its earlier ones. */
  readonly #client = crypto.getRandomValues(new Uint32Array(2)).join("-");

  async prepare(picture: Picture, signal?: AbortSignal): Promise<void> {
    await this.embed(picture, signal);
  }

  /** Embeds the picture, and tells by which model. */
  async embed(picture: Picture, signal?: AbortSignal): Promise<{ readonly model_sha256: string }> {
    return post(`/images/${picture.id}/embedding`, {}, signal);
  }

  async predict(picture: Picture, prompt: Prompt, options: AskOptions = {}): Promise<Prediction> {
    const body = {
      ...wirePrompt(prompt),
      ...(options.hover === undefined ? {} : { hover: { client: this.#client, sequence: options.hover } }),
      ...(options.object ? { object: options.object } : {}),
      ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
    };
    try {
      return predictionOf(await post<WirePrediction>(`/images/${picture.id}/prompt`, body, options.signal));
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) throw new Superseded(error.message);
      throw error;
    }
  }

  /** Has a prompt written down that the browser answered. */
  async record(picture: Picture, prompt: Prompt, answer: Answer, options: AskOptions): Promise<void> {
    const body = {
      ...wirePrompt(prompt),
      ...answer,
      ...(options.object ? { object: options.object } : {}),
      ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
    };
    await post(`/images/${picture.id}/prompts`, body);
  }

  async predictBoxes(
    picture: Picture,
    boxes: readonly BoxXYXY[],
    options: AskOptions = {},
  ): Promise<readonly Prediction[]> {
    const body = { boxes, ...(options.seconds === undefined ? {} : { seconds: options.seconds }) };
    const answer = await post<{ candidates: readonly WireCandidate[]; milliseconds: number }>(
      `/images/${picture.id}/boxes`,
      body,
      options.signal,
    );
    return answer.candidates.map((candidate) => ({
      id: null,
      candidates: [candidateOf(candidate)],
      milliseconds: answer.milliseconds,
      worse: false,
    }));
  }
}

interface WireRecord {
  readonly segmentation: { readonly size: readonly [number, number]; readonly counts: string };
  readonly area: number;
  readonly predicted_iou: number | null;
  readonly stability_score: number | null;
  readonly category?: string | null;
}

export interface EverythingResult {
  readonly run: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly decoded: number;
  readonly candidates: readonly Candidate[];
}

type WireEverything = Omit<EverythingResult, "candidates"> & { readonly records: readonly WireRecord[] };

function everythingOf({ records, ...rest }: WireEverything): EverythingResult {
  return { ...rest, candidates: records.map(recordCandidate) };
}

function recordCandidate(record: WireRecord): Candidate {
  return {
    mask: decodeRle(record.segmentation),
    area: record.area,
    score: record.predicted_iou ?? 0,
    stability: record.stability_score,
  };
}

/** All masks of a picture. A long run answers 503 and goes on; ask again to join it. */
export async function runEverything(
  image: Id,
  preset: string | null,
  settings: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<EverythingResult> {
  const body = { ...(preset ? { preset } : {}), settings };
  return everythingOf(await post<WireEverything>(`/images/${image}/everything`, body, signal));
}

/** The masks of a run that pass other thresholds; nothing is decoded. */
export async function filterEverything(
  run: string,
  settings: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<EverythingResult> {
  return everythingOf(await post<WireEverything>(`/everything/${run}/records`, settings, signal));
}

/** The objects on a transparent ground, as a PNG with a soft edge, cut to their box. */
export async function cutOut(image: Id, masks: readonly WindowMask[], feather: number): Promise<Blob> {
  const body = { masks: masks.map(wireMask), feather, crop: true };
  return (await postForFile(`/images/${image}/cutout`, body)).blob;
}

/** `mask` with outlines that moved by at most `tolerance` pixels; `error`: share of pixels lost, 1 - IoU. */
export async function simplify(
  image: Id,
  mask: WindowMask,
  tolerance: number,
): Promise<{ mask: WindowMask; vertices: number; error: number }> {
  const body = { mask: wireMask(mask), tolerance };
  const answer = await post<{ rle: Rle; iou: number; vertices: number }>(`/images/${image}/polygons`, body);
  return { mask: decodeRle(answer.rle), vertices: answer.vertices, error: 1 - answer.iou };
}

export interface Propagated extends Candidate {
  readonly label: Id | null;
  readonly attributes: Attributes;
}

/** The objects of picture `source` found again in `image`: those that the server believes in. */
export async function propagate(
  image: Id,
  source: Id,
  signal?: AbortSignal,
): Promise<{ found: readonly Propagated[]; lost: number }> {
  const { items } = await post<{
    items: readonly {
      label_id: Id | null;
      attributes: Attributes;
      candidate: WireCandidate | null;
      kept: boolean;
    }[];
  }>(`/images/${image}/propagate`, { source }, signal);
  const found = items.flatMap(({ candidate, kept, label_id, attributes }) =>
    candidate && kept ? [{ ...candidateOf(candidate), label: label_id, attributes }] : [],
  );
  return { found, lost: items.length - found.length };
}

/** Masks of what words name, the best fit first. */
export async function find(
  image: Id,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<readonly (Candidate & { readonly text: string | null })[]> {
  const { records } = await post<{ records: readonly WireRecord[] }>(
    `/images/${image}/find`,
    { texts },
    signal,
  );
  return records.map((record) => ({ ...recordCandidate(record), text: record.category ?? null }));
}

export async function review(mask: Id, verdict: string, comment: string): Promise<void> {
  await post(`/masks/${mask}/review`, { verdict, comment });
}

/** Ids of all pictures of a project in the gallery's order. */
export async function getImageIds(project: Id): Promise<readonly Id[]> {
  const ids: Id[] = [];
  let cursor: string | null = null;
  do {
    const page: Listing<{ id: Id }> = await get(`/projects/${project}/images`, { cursor, limit: 500 });
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== null);
  return ids;
}

export interface WireTask {
  readonly id: Id;
  readonly image_id: Id;
  readonly kind: "label" | "review";
  readonly lease_token: string | null;
  readonly lease_until: string | null;
}

/** The next picture that nobody works on, or a certain one; 409 while somebody else does. */
export async function nextTask(project: Id, kind: "label" | "review", image?: Id): Promise<WireTask | null> {
  const body = image === undefined ? { kind } : { kind, image };
  return (await post<{ task: WireTask | null }>(`/projects/${project}/tasks/next`, body)).task;
}

/** `seconds`: worked on it since this was last told. 409 if the lease is lost. */
export async function tellTask(
  task: Id,
  what: "renew" | "finish" | "skip" | "release",
  leaseToken: string,
  seconds: number,
): Promise<WireTask> {
  return post<WireTask>(`/tasks/${task}/${what}`, { lease_token: leaseToken, seconds });
}
