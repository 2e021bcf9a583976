import { Anchor, type AnchorProps } from "@mantine/core";
import { type ReactNode, useSyncExternalStore } from "react";
import { formatRoute, parseRoute, type Route } from "./logic/routes";

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

const currentHash = () => window.location.hash;

/** The route that the address bar shows now. */
export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, currentHash));
}

/** Go to a page; `replace` leaves no step behind for the browser's Back button. */
export function navigate(route: Route, options: { replace?: boolean } = {}): void {
  const hash = formatRoute(route);
  if (options.replace) {
    window.history.replaceState(null, "", hash);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    window.location.hash = hash;
  }
}

/** A link to a page of the studio. */
export function Link({ to, children, ...rest }: { to: Route; children: ReactNode } & AnchorProps) {
  return (
    <Anchor href={formatRoute(to)} {...rest}>
      {children}
    </Anchor>
  );
}
