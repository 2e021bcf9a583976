import { logIn } from "../data/mutations";
import { useMe } from "../data/queries";
import { Door } from "../parts/Door";

/** Shown in place of any page while nobody is logged in; afterwards the page itself appears. */
export function LoginPage() {
  const me = useMe();
  return (
    <Door
      title="Log in"
      lead={
        me.data?.setup
          ? "Nobody is here yet: open the one-time link that “anymask studio” has printed."
          : "To the labelling studio. An administrator can send you an invitation."
      }
      button="Log in"
      password="known"
      enter={logIn}
    />
  );
}
