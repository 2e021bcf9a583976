import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { LEAST_CHARACTERS, PASSWORD_RULE } from "../logic/password";
import { Logo } from "../shell/Logo";
import { errorText } from "./Problem";

interface DoorProps {
  title: string;
  lead: ReactNode;
  button: string;
  /** A new password is asked for with its rule, a known one without. */
  password: "new" | "known";
  enter: (name: string, password: string) => Promise<void>;
}

/** Name and password: the form of login, first admin and invitation. */
export function Door({ title, lead, button, password, enter }: DoorProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    try {
      await enter(String(form.get("name")).trim(), String(form.get("password")));
    } catch (error) {
      setProblem(errorText(error));
      setBusy(false);
    }
  }

  return (
    <div className="door">
      <form className="door-card" onSubmit={(event) => void submit(event)}>
        <Stack gap="md">
          <Logo size={34} />
          <div>
            <Title order={1}>{title}</Title>
            <Text size="sm" c="dimmed" mt={4}>
              {lead}
            </Text>
          </div>
          <TextInput name="name" label="Name" required autoComplete="username" autoFocus maxLength={80} />
          <PasswordInput
            name="password"
            label="Password"
            required
            description={password === "new" ? PASSWORD_RULE : null}
            minLength={password === "new" ? LEAST_CHARACTERS : 1}
            autoComplete={password === "new" ? "new-password" : "current-password"}
          />
          {problem ? (
            <Alert color="red" variant="outline" role="alert">
              {problem}
            </Alert>
          ) : null}
          <Button type="submit" loading={busy} fullWidth>
            {button}
          </Button>
        </Stack>
      </form>
    </div>
  );
}
