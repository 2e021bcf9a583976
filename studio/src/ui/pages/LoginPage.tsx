import { logIn } from "../data/mutations";
import { Door } from "../parts/Door";

/** Shown in place of any page while nobody is logged in; afterwards the page itself appears. */
export function LoginPage() {
  return (
    <Door
      title="Log in"
      lead="To the labelling studio. An administrator can send you an invitation."
      button="Log in"
      password="known"
      enter={logIn}
    />
  );
}
