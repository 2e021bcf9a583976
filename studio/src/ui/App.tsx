import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./styles/index.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { queryClient } from "./data/client";
import { Shell } from "./shell/Shell";
import { theme, variables } from "./theme";

/** The studio: themes, data and toasts around the shell. */
export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="dark">
      <QueryClientProvider client={queryClient}>
        <Notifications position="bottom-left" autoClose={5000} limit={4} />
        <Shell />
      </QueryClientProvider>
    </MantineProvider>
  );
}
