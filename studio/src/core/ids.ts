import type { Id } from "./types";

/**
 * A new UUID4 as 32 hexadecimal digits, as the server has them. (`crypto.randomUUID` is missing on pages that come over
 * plain HTTP from another machine.)
 */
export function newId(): Id {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
