/** Splitting many files into requests that a server accepts, and telling what it refused. */

export interface Sized {
  size: number;
}

const MOST_FILES = 20;
const MOST_BYTES = 64_000_000;

/** Files in requests of at most `mostFiles` and about `mostBytes`; a larger file goes alone. */
export function batches<T extends Sized>(
  files: readonly T[],
  mostFiles = MOST_FILES,
  mostBytes = MOST_BYTES,
): T[][] {
  const all: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const file of files) {
    if (batch.length > 0 && (batch.length >= mostFiles || bytes + file.size > mostBytes)) {
      all.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.size;
  }
  return batch.length > 0 ? [...all, batch] : all;
}

const NAMED = 3;

/** "notes.txt: not a picture", for the first few of the refused files. */
export function refusedText(refused: readonly { name: string; reason: string }[]): string {
  const named = refused.slice(0, NAMED).map(({ name, reason }) => `${name}: ${reason}`);
  const rest = refused.length - named.length;
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
}
