import { Center, Loader } from "@mantine/core";
import { type ComponentType, lazy, Suspense, useEffect } from "react";
import type { Handlers } from "../../core/commands";
import { editor } from "../../editor";
import { useAppStore } from "../../state/appStore";
import { useMe } from "../data/queries";
import { CommandPalette } from "../dialogs/CommandPalette";
import { ConflictDialog } from "../dialogs/ConflictDialog";
import { HelpSheet } from "../dialogs/HelpSheet";
import { PasswordDialog } from "../dialogs/PasswordDialog";
import { useCommands, useKeyListener } from "../keys";
import { formatRoute, type Route } from "../logic/routes";
import { AssistPage } from "../pages/AssistPage";
import { CollagePage } from "../pages/CollagePage";
import { GalleryPage } from "../pages/GalleryPage";
import { LabelsPage } from "../pages/LabelsPage";
import { LoginPage } from "../pages/LoginPage";
import { PeoplePage } from "../pages/PeoplePage";
import { ProgressPage } from "../pages/ProgressPage";
import { HomePage, ProjectsPage } from "../pages/ProjectsPage";
import { RedeemPage } from "../pages/RedeemPage";
import { ReviewPage } from "../pages/ReviewPage";
import { SettingsPage } from "../pages/SettingsPage";
import { SetupPage } from "../pages/SetupPage";
import { UnknownPage } from "../pages/UnknownPage";
import { VersionsPage } from "../pages/VersionsPage";
import { LoadProblem } from "../parts/Problem";
import { useRoute } from "../router";
import { Header } from "./Header";
import { useServerEvents } from "./useServerEvents";

const EditorPage = lazy(async () => ({ default: (await import("../editor/EditorPage")).EditorPage }));

function inProject(Component: ComponentType<{ project: string }>, project: string) {
  return <Component project={project} key={project} />;
}

function PageOf({ route }: { route: Route }) {
  switch (route.page) {
    case "home":
      return <HomePage />;
    case "projects":
      return <ProjectsPage />;
    case "gallery":
      return inProject(GalleryPage, route.project);
    case "review":
      return inProject(ReviewPage, route.project);
    case "labels":
      return inProject(LabelsPage, route.project);
    case "engine":
      return inProject(AssistPage, route.project);
    case "versions":
      return inProject(VersionsPage, route.project);
    case "progress":
      return inProject(ProgressPage, route.project);
    case "collage":
      return <CollagePage key={route.project} />;
    case "people":
      return <PeoplePage />;
    case "settings":
      return <SettingsPage />;
    case "image":
      return <EditorPage project={route.project} image={route.image} review={route.review} />;
    default:
      return <UnknownPage />;
  }
}

/** Pages that need no login. */
function openPage(route: Route) {
  if (route.page === "setup") return <SetupPage token={route.token} />;
  if (route.page === "redeem") return <RedeemPage token={route.token} />;
  return null;
}

function Waiting() {
  return (
    <Center h="50vh">
      <Loader size="sm" aria-label="Loading" />
    </Center>
  );
}

function Content({ route }: { route: Route }) {
  const me = useMe();
  const open = openPage(route);
  if (open) return open;
  if (me.error) return <LoadProblem error={me.error} retry={() => void me.refetch()} />;
  if (!me.data) return <Waiting />;
  if (me.data.user === null) return <LoginPage />;
  return (
    <Suspense fallback={<Waiting />}>
      <PageOf route={route} />
    </Suspense>
  );
}

const openDialog = (dialog: "help" | "palette") => () => useAppStore.getState().openDialog(dialog);

const dialogs: Handlers = {
  help: { perform: openDialog("help") },
  palette: { perform: openDialog("palette") },
};

/** The header, the page that the address names, and the dialogs that every page has. */
export function Shell() {
  const route = useRoute();
  const address = formatRoute(route);
  const me = useMe();
  const user = me.data?.user?.id ?? null;
  useServerEvents(route, user !== null);
  useEffect(() => {
    if (user !== null) void editor.signIn(user);
  }, [user]);
  useKeyListener();
  useCommands("everywhere", dialogs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: dialogs belong to the page on which they were opened
  useEffect(() => {
    useAppStore.getState().openDialog(null);
  }, [address]);
  return (
    <div className="shell">
      <button type="button" className="skip-link" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the page
      </button>
      <Header route={route} />
      <main id="main" className="main" tabIndex={-1}>
        <Content route={route} />
      </main>
      <HelpSheet />
      <CommandPalette route={route} />
      <ConflictDialog />
      <PasswordDialog />
    </div>
  );
}
