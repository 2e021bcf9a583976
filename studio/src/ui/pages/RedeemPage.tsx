import { redeem } from "../data/mutations";
import { Door } from "../parts/Door";
import { navigate } from "../router";

/** An invitation's link: makes the invited person's account. */
export function RedeemPage({ token }: { token: string }) {
  return (
    <Door
      title="You are invited"
      lead="Choose a name and a password to start labelling. This link works once."
      button="Join"
      password="new"
      enter={async (name, password) => {
        await redeem(token, name, password);
        navigate({ page: "home" }, { replace: true });
      }}
    />
  );
}
