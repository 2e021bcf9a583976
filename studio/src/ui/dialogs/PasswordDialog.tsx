import { Alert, Button, Group, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { ApiError } from "../../api/http";
import { editor } from "../../editor";
import { useAppStore } from "../../state/appStore";
import { queryClient } from "../data/client";
import { keys } from "../data/keys";
import { changePassword } from "../data/mutations";
import { useMe } from "../data/queries";
import type { Person } from "../data/types";
import {
  answerProblems,
  entryProblems,
  firstProblem,
  PASSWORD_RULE,
  type PasswordProblems,
} from "../logic/password";
import { showDone } from "../parts/useAttempt";

interface FormProps {
  person: Person;
  close: () => void;
}

function usePasswordForm({ person, close }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [problems, setProblems] = useState<PasswordProblems>({});
  const [busy, setBusy] = useState(false);

  function show(found: PasswordProblems) {
    setProblems(found);
    const field = firstProblem(found);
    if (field) form.current?.querySelector<HTMLInputElement>(`[name="${field}"]`)?.focus();
  }

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const typed = new FormData(event.currentTarget);
    const text = (field: string) => String(typed.get(field));
    const entry = { old: text("old"), fresh: text("fresh"), again: text("again") };
    const found = entryProblems(entry);
    show(found);
    if (firstProblem(found)) return;
    setBusy(true);
    try {
      await changePassword(entry.old, entry.fresh);
      close();
      showDone("Your password is changed. Everywhere else you are logged out.");
      // What was saved between the old session and the new one was turned away.
      void editor.signIn(person.id);
    } catch (error) {
      setBusy(false);
      show(answerProblems(error));
      if (error instanceof ApiError && error.code === "unauthorized")
        void queryClient.invalidateQueries({ queryKey: keys.me });
    }
  }

  return { form, problems, busy, submit };
}

function PasswordForm({ person, close }: FormProps) {
  const { form, problems, busy, submit } = usePasswordForm({ person, close });
  return (
    <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
      <Stack>
        <Text size="sm" c="dimmed">
          You stay logged in here. Wherever else you are logged in, you are logged out and need the new
          password.
        </Text>
        {/* Password managers see whose password this is. */}
        <input type="text" name="username" autoComplete="username" value={person.name} readOnly hidden />
        <PasswordInput
          name="old"
          label="Present password"
          required
          data-autofocus
          maxLength={1000}
          autoComplete="current-password"
          error={problems.old}
        />
        <PasswordInput
          name="fresh"
          label="New password"
          description={PASSWORD_RULE}
          required
          maxLength={1000}
          autoComplete="new-password"
          error={problems.fresh}
        />
        <PasswordInput
          name="again"
          label="New password again"
          required
          maxLength={1000}
          autoComplete="new-password"
          error={problems.again}
        />
        {problems.form ? (
          <Alert color="red" variant="outline" role="alert">
            {problems.form}
          </Alert>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} data-testid="password-change">
            Change the password
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** One's own password, where people log in. What was typed goes with the dialog. */
export function PasswordDialog() {
  const me = useMe();
  const wanted = useAppStore((state) => state.dialog === "password");
  const openDialog = useAppStore((state) => state.openDialog);
  const person = me.data?.accounts ? me.data.user : null;
  const close = () => openDialog(null);
  return (
    <Modal
      opened={wanted && person !== null}
      onClose={close}
      title="Change my password"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {person ? <PasswordForm person={person} close={close} /> : null}
    </Modal>
  );
}
