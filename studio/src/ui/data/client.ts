import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "../../api/http";

/** The page's one cache of server data. Refusals (4xx) are not asked again; a server that is away is. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => error instanceof ApiError && error.temporary && failures < 3,
    },
  },
});
