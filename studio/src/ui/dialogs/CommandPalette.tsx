import { Kbd, Modal, ScrollArea, TextInput, VisuallyHidden } from "@mantine/core";
import { Search } from "lucide-react";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { found } from "../../core/commands";
import { keyText } from "../../core/keys";
import { useAppStore } from "../../state/appStore";
import { commandsHere, performCommand, useKeyboard } from "../../state/keyboard";
import { useMe } from "../data/queries";
import { IS_MAC } from "../keys";
import { formatRoute, type Route, routeProject } from "../logic/routes";
import { NAVIGATION } from "../shell/nav";

interface Entry {
  id: string;
  label: string;
  group: string;
  key: string | null;
  run: () => void;
}

/** The pages that one may go to, as entries beside the commands. */
function pageEntries(route: Route, role: string | undefined): Entry[] {
  const project = routeProject(route);
  const go = (target: Route) => () => {
    window.location.hash = formatRoute(target);
  };
  const entry = (label: string, target: Route): Entry => ({
    id: `page.${label}`,
    label: `Go to ${label}`,
    group: "Pages",
    key: null,
    run: go(target),
  });
  const inProject = project
    ? NAVIGATION.filter((item) => item.roles.some((allowed) => allowed === role)).map((item) =>
        entry(item.label, { page: item.page, project }),
      )
    : [];
  const admin = role === "admin" ? [entry("People", { page: "people" })] : [];
  return [
    ...inProject,
    entry("Projects", { page: "projects" }),
    entry("Settings", { page: "settings" }),
    ...admin,
  ];
}

function useEntries(route: Route, search: string): Entry[] {
  const state = useKeyboard();
  const me = useMe();
  const role = me.data?.user?.role;
  return useMemo(() => {
    const others = commandsHere(state).filter(({ name }) => name !== "palette");
    const commands = found(others, search).map((command): Entry => {
      const key = state.keymap.get(command.name)?.[0];
      return {
        id: command.name,
        label: command.label,
        group: command.group,
        key: key === undefined ? null : keyText(key, IS_MAC),
        run: () => void performCommand(command.name),
      };
    });
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const pages = pageEntries(route, role).filter(({ label }) =>
      words.every((word) => label.toLowerCase().includes(word)),
    );
    return [...commands, ...pages];
  }, [state, search, route, role]);
}

function Palette({ route, close }: { route: Route; close: () => void }) {
  const [search, setSearch] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const entries = useEntries(route, search);
  const current = Math.min(at, entries.length - 1);

  function run(entry: Entry | undefined) {
    if (!entry) return;
    close();
    entry.run();
  }

  function move(to: number) {
    const target = Math.max(0, Math.min(entries.length - 1, to));
    setAt(target);
    list.current?.querySelector(`#palette-${target}`)?.scrollIntoView({ block: "nearest" });
  }

  function onKeyDown(event: KeyboardEvent) {
    const moves: Record<string, number> = { ArrowDown: current + 1, ArrowUp: current - 1 };
    const target = moves[event.key];
    if (target !== undefined) {
      event.preventDefault();
      move(target);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(entries[current]);
    }
  }

  return (
    <>
      <TextInput
        data-autofocus
        size="md"
        variant="unstyled"
        className="palette-search"
        aria-label="Command"
        placeholder="What do you want to do?"
        leftSection={<Search size={17} aria-hidden />}
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={entries.length > 0 ? `palette-${current}` : undefined}
        value={search}
        onChange={(event) => {
          setSearch(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        data-testid="palette-search"
      />
      <ScrollArea.Autosize mah="50vh" type="auto" viewportProps={{ tabIndex: -1 }}>
        <div id="palette-list" role="listbox" aria-label="Commands" ref={list} className="palette-list">
          {entries.map((entry, index) => (
            <div
              key={entry.id}
              id={`palette-${index}`}
              role="option"
              aria-selected={index === current}
              tabIndex={-1}
              className="palette-entry"
              onMouseMove={() => setAt(index)}
              onClick={() => run(entry)}
              onKeyDown={() => undefined}
            >
              <span className="palette-label">{entry.label}</span>
              <span className="palette-group">{entry.group}</span>
              {entry.key ? <Kbd size="xs">{entry.key}</Kbd> : null}
            </div>
          ))}
        </div>
        {entries.length === 0 ? (
          <p className="panel-note palette-none">Nothing is called like that here.</p>
        ) : null}
      </ScrollArea.Autosize>
    </>
  );
}

/** Everything that can be done here, found by typing. */
export function CommandPalette({ route }: { route: Route }) {
  const opened = useAppStore((state) => state.dialog === "palette");
  const openDialog = useAppStore((state) => state.openDialog);
  return (
    <Modal.Root opened={opened} onClose={() => openDialog(null)} size={560} yOffset="12vh">
      <Modal.Overlay backgroundOpacity={0.35} />
      <Modal.Content>
        <VisuallyHidden>
          <Modal.Title>Find a command</Modal.Title>
        </VisuallyHidden>
        <Modal.Body p={0}>
          <Palette route={route} close={() => openDialog(null)} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
