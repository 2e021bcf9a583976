import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/api/http";
import { answerProblems, entryProblems, firstProblem, LEAST_CHARACTERS } from "../../src/ui/logic/password";

const LONG = "x".repeat(LEAST_CHARACTERS);

describe("a new password", () => {
  it("goes to the server only if the old one is there, the new one long enough and twice the same", () => {
    expect(entryProblems({ old: "o", fresh: LONG, again: LONG })).toEqual({});
    expect(Object.keys(entryProblems({ old: "", fresh: LONG, again: LONG }))).toEqual(["old"]);
    expect(Object.keys(entryProblems({ old: "o", fresh: LONG.slice(1), again: "" }))).toEqual(["fresh"]);
    expect(Object.keys(entryProblems({ old: "o", fresh: LONG, again: `${LONG} ` }))).toEqual(["again"]);
    expect(Object.keys(entryProblems({ old: "", fresh: "", again: "" }))).toEqual(["old", "fresh"]);
  });

  it("is counted in characters, as the server counts", () => {
    const cats = "🐈".repeat(LEAST_CHARACTERS - 1);
    expect(entryProblems({ old: "o", fresh: cats, again: cats }).fresh).toContain(String(LEAST_CHARACTERS));
    expect(entryProblems({ old: "o", fresh: `${cats}🐈`, again: `${cats}🐈` })).toEqual({});
  });

  it("has the server's problems where they belong", () => {
    const answer = (status: number, code: string, text: string) =>
      answerProblems(new ApiError(status, code, text));
    expect(answer(401, "wrong_login", "this name and password do not go together; try again")).toEqual({
      old: "This is not your password.",
    });
    const often = "too many requests from this address; try again in 28 s";
    expect(answer(429, "too_often", often)).toEqual({ old: often });
    expect(answer(422, "invalid", "body.new: String should have at least 12 characters")).toEqual({
      fresh: "String should have at least 12 characters",
    });
    expect(answer(422, "invalid", "body.old: too long")).toEqual({ old: "too long" });
    for (const [status, code] of [
      [401, "unauthorized"],
      [0, "offline"],
      [503, "busy"],
    ] as const)
      expect(answer(status, code, "told")).toEqual({ form: "told" });
    expect(answerProblems(new Error("strange"))).toEqual({ form: "strange" });
  });

  it("leads to the first field that is wrong", () => {
    expect(firstProblem({ again: "a", fresh: "b" })).toBe("fresh");
    expect(firstProblem({ again: "a" })).toBe("again");
    expect(firstProblem({ form: "a" })).toBeNull();
    expect(firstProblem({})).toBeNull();
  });
});
