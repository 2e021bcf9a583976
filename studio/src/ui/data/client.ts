import { QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError, forgetToken } from "../../api/http";
import { keys } from "./keys";

/** A session that has ended shows in whatever is asked first; the page then asks who is logged in, and shows the login. */
function heedSignOut(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 401) return;
  forgetToken();
  void queryClient.invalidateQueries({ queryKey: keys.me });
}

/** The page's one cache of server data. Refusals (4xx) are not asked again; a server that is away is. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: heedSignOut }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => error instanceof ApiError && error.temporary && failures < 3,
    },
  },
});
