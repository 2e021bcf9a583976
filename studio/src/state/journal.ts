/** What must survive a reload, in the browser's IndexedDB: rows that are not saved yet, and the steps of undo. */

import type { Journal } from "../core/save";
import type { Id, MaskRow } from "../core/types";

const DATABASE = "anymask-studio";
const ROWS = "rows";
const STEPS = "steps";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(ROWS, { keyPath: "order", autoIncrement: true }).createIndex("id", "row.id");
      request.result.createObjectStore(STEPS, { keyPath: "key" });
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
    const entries = await transact(ROWS, "readonly", (store) => store.getAll() as IDBRequest<{ user: Id; row: MaskRow }[]>);
    return (entries ?? []).filter((entry) => entry.user === this.user).map((entry) => entry.row);
  }
}
