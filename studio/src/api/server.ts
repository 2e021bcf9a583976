/** What the editor asks of the server, one function a request. All throw ApiError. */

import type { SendOutcome } from "../core/save";
import type { BoxXYXY, Candidate, Id, ImageSummary, Label, MaskRow, Prediction, Prompt, Rle, WindowMask } from "../core/types";
import { decodeRle } from "../core/rle";
import { ApiError, forgetToken, get, post, postForFile } from "./http";
import { type AskOptions, type Picture, type Predictor, Superseded } from "./predictor";
import { candidateOf, predictionOf, type WireCandidate, wireMask, type WirePrediction, wirePrompt } from "./wire";

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
  if (error.status === 409 && error.body["head"]) return { kind: "conflict", head: error.body["head"] as MaskRow };
  if (error.status === 401) {
    forgetToken();
    return { kind: "signed_out" };
  }
  if (!error.temporary) return { kind: "refused", detail: error.message };
  const seconds = error.retryAfter === null ? {} : { seconds: error.retryAfter };
  return { kind: "unavailable", detail: error.message, ...seconds };
}

/** The model on the server. */
export class ServerPredictor implements Predictor {
  /** Names this page to the server, which lets its later hover requests end its earlier ones. */
  readonly #client = crypto.getRandomValues(new Uint32Array(2)).join("-");

  async prepare(picture: Picture, signal?: AbortSignal): Promise<void> {
    await post(`/images/${picture.id}/embedding`, {}, signal);
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
}

export interface EverythingResult {
  readonly run: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly decoded: number;
  readonly candidates: readonly Candidate[];
}

type WireEverything = Omit<EverythingResult, "candidates"> & { readonly records: readonly WireRecord[] };

function everythingOf({ records, ...rest }: WireEverything): EverythingResult {
  const candidates = records.map((record) => ({
    mask: decodeRle(record.segmentation),
    area: record.area,
    score: record.predicted_iou ?? 0,
    stability: record.stability_score,
  }));
  return { ...rest, candidates };
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
