import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Journal, retryDelay, SaveQueue, type SaveStatus, type SendOutcome } from "../../src/core/save";
import type { MaskRow } from "../../src/core/types";
import { random } from "./make";

function row(id: string, object = id, image = "image"): MaskRow {
  return { id, object_id: object, image_id: image, parent_id: null } as unknown as MaskRow;
}

class MemoryJournal implements Journal {
  rows: MaskRow[] = [];
  async add(rows: readonly MaskRow[]): Promise<void> {
    this.rows.push(...rows);
  }
  async remove(ids: readonly string[]): Promise<void> {
    this.rows = this.rows.filter((row) => !ids.includes(row.id));
  }
  async all(): Promise<readonly MaskRow[]> {
    return [...this.rows];
  }
}

/** A queue with everything round it; `answer` is the server. */
function setup(answer: (rows: readonly MaskRow[], image: string) => SendOutcome | Promise<SendOutcome>) {
  const journal = new MemoryJournal();
  const sent: string[][] = [];
  const statuses: SaveStatus[] = [];
  const conflicts: { head: string; mine: string[] }[] = [];
  const queue = new SaveQueue(
    async (image, rows) => {
      sent.push(rows.map(({ id }) => id));
      return answer(rows, image);
    },
    journal,
    {
      status: (status) => statuses.push(status),
      saved: () => undefined,
      conflict: (head, mine) => conflicts.push({ head: head.id, mine: mine.map(({ id }) => id) }),
    },
  );
  return { queue, journal, sent, statuses, conflicts, last: () => statuses.at(-1) };
}

const saved = (rows: readonly MaskRow[]): SendOutcome => ({ kind: "saved", rows });
const away: SendOutcome = { kind: "unavailable", detail: "The server does not answer." };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the usual way", () => {
  test("a row is sent at once, and leaves the journal when the server has it", async () => {
    const { queue, journal, sent, last } = setup(saved);
    queue.add([row("a")]);
    expect(await queue.done()).toBe(true);
    expect(sent).toEqual([["a"]]);
    expect(journal.rows).toEqual([]);
    expect(last()).toEqual({ state: "saved", waiting: 0, detail: null });
  });

  test("what comes while a request is under way goes out with the next one, in order", async () => {
    const { queue, sent } = setup(saved);
    queue.add([row("a")]);
    queue.add([row("b")]);
    queue.add([row("c")]);
    await queue.done();
    expect(sent).toEqual([["a"], ["b", "c"]]);
  });

  test("one picture at a time", async () => {
    const { queue, sent } = setup(saved);
    queue.add([row("a"), row("b", "b", "other"), row("c", "c", "other"), row("d")]);
    await queue.done();
    expect(sent).toEqual([["a"], ["b", "c"], ["d"]]);
  });

  test("the journal has a row before the server acknowledged it", async () => {
    let during: readonly string[] = [];
    const { queue, journal } = setup((rows) => {
      during = journal.rows.map(({ id }) => id);
      return saved(rows);
    });
    queue.add([row("a")]);
    await queue.done();
    expect(during).toEqual(["a"]);
  });
});

describe("a server that is away", () => {
  test("the row waits, and goes out when the server is back", async () => {
    let up = false;
    const { queue, journal, last } = setup((rows) => (up ? saved(rows) : away));
    queue.add([row("a")]);
    expect(await queue.done()).toBe(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(last()).toMatchObject({ state: "offline", waiting: 1 });
    expect(journal.rows).toHaveLength(1);
    up = true;
    await vi.advanceTimersByTimeAsync(21_000);
    expect(last()).toMatchObject({ state: "saved", waiting: 0 });
  });

  test("it is asked ever less often, and not before it said so itself", async () => {
    const { queue, sent } = setup(() => ({ ...away, seconds: 7 }));
    queue.add([row("a")]);
    await vi.advanceTimersByTimeAsync(6_900);
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(sent).toHaveLength(2);
    for (let failures = 1; failures < 12; failures++) {
      expect(retryDelay(failures, 1)).toBe(Math.min(20, 0.5 * 2 ** (failures - 1)));
      expect(retryDelay(failures, 0)).toBe(retryDelay(failures, 1) / 2);
    }
  });

  test("“Save” tries at once", async () => {
    let up = false;
    const { queue, last } = setup((rows) => (up ? saved(rows) : away));
    queue.add([row("a")]);
    await vi.advanceTimersByTimeAsync(10);
    up = true;
    queue.retry();
    await queue.done();
    expect(last()?.state).toBe("saved");
  });

  test("after a reload the rows of the journal are sent first", async () => {
    const { queue, journal, sent } = setup(saved);
    journal.rows = [row("old1"), row("old2")];
    const restored = queue.restore();
    queue.add([row("new")]);
    expect((await restored).map(({ id }) => id)).toEqual(["old1", "old2"]);
    await queue.done();
    expect(sent.flat().filter((id) => id.startsWith("old"))).toEqual(["old1", "old2"]);
    expect(new Set(sent.flat())).toEqual(new Set(["old1", "old2", "new"]));
    expect(journal.rows).toEqual([]);
  });

  test.each([1, 2, 3, 4])(
    "nothing is lost, doubled in effect or reordered, whatever fails (seed %i)",
    async (seed) => {
      const chance = random(seed);
      const store: string[] = [];
      // A request may also be carried out although its answer gets lost.
      const { queue, journal } = setup((rows) => {
        const luck = chance();
        if (luck < 0.3) return away;
        for (const { id } of rows) if (!store.includes(id)) store.push(id);
        return luck < 0.5 ? away : saved(rows);
      });
      const ids = Array.from({ length: 50 }, (_, i) => `row${i}`);
      for (const id of ids) {
        queue.add([row(id)]);
        await vi.advanceTimersByTimeAsync(chance() * 3000);
      }
      await vi.advanceTimersByTimeAsync(600_000);
      expect(store).toEqual(ids);
      expect(journal.rows).toEqual([]);
    },
  );
});

describe("what the server does not take", () => {
  test("in a conflict the object's rows are given up, and told; the others are saved", async () => {
    const { queue, conflicts, sent, journal, last } = setup((rows) =>
      rows.some((one) => one.object_id === "x")
        ? { kind: "conflict", head: row("theirs", "x") }
        : saved(rows),
    );
    queue.add([row("a", "x"), row("b", "y"), row("c", "x")]);
    await queue.done();
    expect(conflicts).toEqual([{ head: "theirs", mine: ["a", "c"] }]);
    expect(sent.at(-1)).toEqual(["b"]);
    expect(journal.rows).toEqual([]);
    expect(last()?.state).toBe("saved");
  });

  test("a refused row is found among others, kept and told; the others are saved", async () => {
    const { queue, journal, sent, last } = setup((rows) =>
      rows.some(({ id }) => id === "bad") ? { kind: "refused", detail: "no such label" } : saved(rows),
    );
    queue.add([row("a"), row("bad"), row("c")]);
    expect(await queue.done()).toBe(false);
    expect(sent).toEqual([["a", "bad", "c"], ["a", "bad"], ["a"], ["bad"], ["c"]]);
    expect(last()).toEqual({ state: "refused", waiting: 1, detail: "no such label" });
    expect(journal.rows.map(({ id }) => id)).toEqual(["bad"]);
  });

  test("rows of a picture that is no more are given up, those of others go on", async () => {
    let up = false;
    const { queue, journal, sent, last } = setup((rows, image) => {
      if (!up) return away;
      return image === "gone" ? { kind: "refused", detail: "there is nothing of this id here" } : saved(rows);
    });
    queue.add([row("a", "a", "gone"), row("b"), row("c", "c", "gone")]);
    await queue.done();
    await queue.forget("gone");
    expect(queue.waiting.map(({ id }) => id)).toEqual(["b"]);
    expect(journal.rows.map(({ id }) => id)).toEqual(["b"]);
    up = true;
    queue.retry();
    expect(await queue.done()).toBe(true);
    expect(sent.at(-1)).toEqual(["b"]);
    expect(last()).toMatchObject({ state: "saved", waiting: 0 });
  });

  test("rows that were refused because their picture is no more are given up, too", async () => {
    const { queue, journal, last } = setup(() => ({
      kind: "refused",
      detail: "there is nothing of this id",
    }));
    queue.add([row("a", "a", "gone")]);
    expect(await queue.done()).toBe(false);
    await queue.forget("elsewhere");
    expect(last()).toMatchObject({ state: "refused", waiting: 1 });
    await queue.forget("gone");
    expect(journal.rows).toEqual([]);
    expect(last()).toMatchObject({ state: "saved", waiting: 0 });
  });

  test("a server that names a strange conflict is not asked for ever", async () => {
    const { queue, sent, last } = setup(() => ({ kind: "conflict", head: row("theirs", "unheard of") }));
    queue.add([row("a")]);
    await queue.done();
    expect(sent).toEqual([["a"]]);
    expect(last()).toMatchObject({ state: "refused", waiting: 1 });
  });

  test("somebody who was signed out keeps the rows, and sends them after signing in", async () => {
    let signedIn = false;
    const { queue, last } = setup((rows) => (signedIn ? saved(rows) : { kind: "signed_out" }));
    queue.add([row("a")]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(last()).toMatchObject({ state: "signed_out", waiting: 1 });
    signedIn = true;
    queue.retry();
    await queue.done();
    expect(last()?.state).toBe("saved");
  });

  test("a full disk under the journal keeps no row from the server", async () => {
    const { queue, journal, last } = setup(saved);
    journal.add = () => Promise.reject(new Error("quota"));
    queue.add([row("a")]);
    await queue.done();
    expect(last()?.state).toBe("saved");
  });
});
