import { setUp } from "../data/mutations";
import { Door } from "../parts/Door";
import { navigate } from "../router";

/** The one-time link that the server prints: makes the first administrator. */
export function SetupPage({ token }: { token: string }) {
  return (
    <Door
      title="Set up the studio"
      lead="Choose the name and password of the first administrator. This link works once."
      button="Create the administrator"
      password="new"
      enter={async (name, password) => {
        await setUp(token, name, password);
        navigate({ page: "people" }, { replace: true });
      }}
    />
  );
}
