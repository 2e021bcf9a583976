/**
 * The values that this page takes from the server, held against those that its OpenAPI document promises (`npm run
 * types` writes schema.ts from it). There is no code here: a difference is an error of the compiler.
 */

import type { Label, MaskRow } from "../core/types";
import type * as Ui from "../ui/data/types";
import type { components } from "./schema";
import type { WireTask } from "./server";
import type { WireCandidate, WirePrediction } from "./wire";

type Sent = components["schemas"];
/** Pairs and triples of numbers as lists of numbers: OpenAPI's types do not tell how long a list is. */
type Loose<T> = T extends readonly number[]
  ? readonly number[]
  : T extends readonly (infer One)[]
    ? readonly Loose<One>[]
    : T extends object
      ? { readonly [Name in keyof T]: Loose<T[Name]> }
      : T;
type Fits<Ours, Theirs extends Ours> = [Ours, Theirs];
/** An answer `Theirs` holds all that `Ours` takes from it. */
type Takes<Ours, Theirs extends Loose<Ours>> = Fits<Loose<Ours>, Theirs>;

/** Left out is what the document does not narrow: attributes and their choices, splits, counts by state. */
export type Answers = [
  Takes<WireCandidate, Sent["WindowCandidate"]>,
  Takes<WirePrediction, Sent["StudioPromptAnswer"]>,
  Takes<WireTask, Sent["TaskAnswer"]>,
  Takes<Omit<Label, "attributes">, Sent["LabelAnswer"]>,
  Takes<Omit<MaskRow, "attributes">, Sent["MaskAnswer"]>,
  Takes<Ui.Me, Sent["MeAnswer"]>,
  Takes<Ui.Person, Sent["UserAnswer"]>,
  Takes<Ui.Project, Sent["ProjectAnswer"]>,
  Takes<Omit<Ui.ImageFacts, "split">, Sent["ImageAnswer"]>,
  Takes<Ui.ImageSummary, Sent["GalleryImageAnswer"]>,
  Takes<Ui.FormatInfo, Sent["FormatAnswer"]>,
  Takes<Ui.Snapshot, Sent["SnapshotAnswer"]>,
  Takes<Ui.ImportResult, Sent["StudioImportAnswer"]>,
  Takes<Omit<Ui.Statistics, "images">, Sent["StatisticsAnswer"]>,
  Takes<Ui.Invitation, Sent["InvitationAnswer"]>,
  Takes<Ui.ProjectModel, Sent["ProjectModel"]>,
  Takes<Ui.Job, Sent["AssistJob"]>,
  Takes<Ui.Assist, Sent["AssistAnswer"]>,
  Takes<Ui.Review, Sent["ReviewAnswer"]>,
  Takes<Ui.Agreement, Sent["AgreementAnswer"]["items"][number]>,
  Takes<Ui.Scan, Sent["ScanAnswer"]>,
];
