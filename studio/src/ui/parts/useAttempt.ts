import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { errorText } from "./Problem";

/** A toast for what went wrong. */
export function showProblem(error: unknown): void {
  notifications.show({
    color: "red",
    title: "That did not work",
    message: errorText(error),
    autoClose: 8000,
  });
}

/** A toast for what has been done. */
export function showDone(message: string): void {
  notifications.show({ color: "teal", message });
}

/** A toast for what is done, but not as one might think. */
export function showWarning(title: string, message: string): void {
  notifications.show({ color: "yellow", title, message, autoClose: 12_000 });
}

/** An action with its running state; a failure is shown as a toast, `done` after success. */
export function useAttempt<A extends unknown[]>(action: (...given: A) => Promise<unknown>, done?: string) {
  const [running, setRunning] = useState(false);
  async function run(...given: A): Promise<boolean> {
    setRunning(true);
    try {
      await action(...given);
      if (done) showDone(done);
      return true;
    } catch (error) {
      showProblem(error);
      return false;
    } finally {
      setRunning(false);
    }
  }
  return { running, run };
}
