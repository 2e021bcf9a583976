/** What must survive a reload, in the browser's IndexedDB: rows that are not saved yet, the steps of undo, the collage. */

import type { Journal } from "../core/save";
import type { StoredSteps } from "../core/steps";
import type { Id, MaskRow } from "../core/types";

const DATABASE = "anymask-studio";
const ROWS = "rows";
const STEPS = "steps";
const COLLAGE = "collage";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result
        .createObjectStore(ROWS, { keyPath: "order", autoIncrement: true })
        .createIndex("id", "row.id");
      request.result.createObjectStore(STEPS, { keyPath: "key" });
      request.result.createObjectStore(COLLAGE, { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another page holds an older database"));
  });
}

let database: Promise<IDBDatabase> | null = null;

/** One transaction; settles when it is on disk. */
async function transact<T>(
  store: string,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T> | null,
): Promise<T | undefined> {
  database ??= open();
  const transaction = (await database).transaction(store, mode, { durability: "strict" });
  const request = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/** The rows of one person; other people's, who use the same browser, stay where they are. */
export class BrowserJournal implements Journal {
  constructor(private readonly user: Id) {}

  async add(rows: readonly MaskRow[]): Promise<void> {
    await transact(ROWS, "readwrite", (store) => {
      for (const row of rows) store.add({ user: this.user, row });
      return null;
    });
  }

  async remove(ids: readonly Id[]): Promise<void> {
    await transact(ROWS, "readwrite", (store) => {
      for (const id of ids) {
        store.index("id").getKey(id).onsuccess = (event) => {
          const key = (event.target as IDBRequest<IDBValidKey | undefined>).result;
          if (key !== undefined) store.delete(key);
        };
      }
      return null;
    });
  }

  async all(): Promise<readonly MaskRow[]> {
    const entries = await transact(
      ROWS,
      "readonly",
      (store) => store.getAll() as IDBRequest<{ user: Id; row: MaskRow }[]>,
    );
    return (entries ?? []).filter((entry) => entry.user === this.user).map((entry) => entry.row);
  }
}

/** Pictures whose steps are kept; those not worked on for longest are forgotten. */
const PICTURES = 50;

interface StepsEntry {
  readonly key: string;
  readonly when: number;
  readonly steps: StoredSteps;
}

/** The steps of undo of one person, a picture each. Losing them is no loss of work: errors are not told. */
export class StepsShelf {
  constructor(private readonly user: Id) {}

  async put(image: Id, steps: StoredSteps): Promise<void> {
    const entry: StepsEntry = { key: this.#key(image), when: Date.now(), steps };
    await transact(STEPS, "readwrite", (store) => {
      store.put(entry);
      // Not when its success is told: a page that is being left is told nothing any more.
      store.transaction.commit();
      return null;
    }).catch(() => undefined);
  }

  async get(image: Id): Promise<StoredSteps | null> {
    const found = await transact(
      STEPS,
      "readonly",
      (store) => store.get(this.#key(image)) as IDBRequest<StepsEntry | undefined>,
    ).catch(() => undefined);
    return found?.steps ?? null;
  }

  /** Of a picture that is no more. */
  async remove(image: Id): Promise<void> {
    await transact(STEPS, "readwrite", (store) => store.delete(this.#key(image))).catch(() => undefined);
  }

  /** Forgets pictures of long ago. */
  async tidy(): Promise<void> {
    await transact(STEPS, "readwrite", (store) => {
      store.getAll().onsuccess = (event) => {
        const entries = (event.target as IDBRequest<StepsEntry[]>).result;
        const old = [...entries].sort((a, b) => b.when - a.when).slice(PICTURES);
        for (const { key } of old) store.delete(key);
      };
      return null;
    }).catch(() => undefined);
  }

  #key(image: Id): string {
    return `${this.user}/${image}`;
  }
}

/** The pictures of the collage's cut-outs, PNG. */
export const collageShelf = {
  async put(id: Id, picture: Blob): Promise<void> {
    await transact(COLLAGE, "readwrite", (store) => {
      store.put({ id, picture });
      return null;
    });
  },
  async remove(id: Id): Promise<void> {
    await transact(COLLAGE, "readwrite", (store) => store.delete(id));
  },
  async all(): Promise<ReadonlyMap<Id, Blob>> {
    const entries = await transact(
      COLLAGE,
      "readonly",
      (store) => store.getAll() as IDBRequest<{ id: Id; picture: Blob }[]>,
    );
    return new Map((entries ?? []).map(({ id, picture }) => [id, picture]));
  },
};
