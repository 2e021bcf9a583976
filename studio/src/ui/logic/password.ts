import { ApiError } from "../../api/http";

/** The server's rule for new passwords. */
export const LEAST_CHARACTERS = 10;
export const PASSWORD_RULE = `At least ${LEAST_CHARACTERS} characters.`;

/** A change of one's password as it is typed: the old one, the new one twice. */
export interface PasswordEntry {
  readonly old: string;
  readonly fresh: string;
  readonly again: string;
}

/** What is wrong, by field; `form`: what belongs to none of them. */
export type PasswordProblems = Partial<Record<keyof PasswordEntry | "form", string>>;

/** What can be told before the server is asked. */
export function entryProblems({ old, fresh, again }: PasswordEntry): PasswordProblems {
  const problems: PasswordProblems = {};
  if (old === "") problems.old = "Enter your present password.";
  // The server counts characters, not UTF-16 units.
  if ([...fresh].length < LEAST_CHARACTERS) problems.fresh = `Use at least ${LEAST_CHARACTERS} characters.`;
  else if (again !== fresh) problems.again = "This is not the same as the new password.";
  return problems;
}

/** What the server said against the change, where it belongs. */
export function answerProblems(error: unknown): PasswordProblems {
  const text = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ApiError)) return { form: text };
  if (error.code === "wrong_login") return { old: "This is not your password." };
  if (error.status === 429) return { old: text };
  const field = /^body\.(old|new): (.+)$/.exec(text);
  if (field?.[2]) return field[1] === "old" ? { old: field[2] } : { fresh: field[2] };
  return { form: text };
}

/** The first field that a person must look at; null if none is wrong. */
export function firstProblem(problems: PasswordProblems): keyof PasswordEntry | null {
  return (["old", "fresh", "again"] as const).find((field) => problems[field] !== undefined) ?? null;
}
