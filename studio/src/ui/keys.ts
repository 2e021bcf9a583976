/** The key of a command as people read it, null if it has none. */
export function useKeyText(_command: string): string | null {
  return null;
}
