import {
  ActionIcon,
  Avatar,
  Badge,
  Burger,
  Button,
  Group,
  Menu,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { ChevronDown, Command, Keyboard, KeyRound, LogOut, Moon, Settings, Sun, Users } from "lucide-react";
import { useRef } from "react";
import { useAppStore } from "../../state/appStore";
import { logOut } from "../data/mutations";
import { useMe, useProject, useProjects } from "../data/queries";
import type { Me, Person } from "../data/types";
import { initials } from "../logic/format";
import { formatRoute, type Route, routeProject } from "../logic/routes";
import { Link, navigate } from "../router";
import { Logo } from "./Logo";
import { NAVIGATION, type NavItem } from "./nav";
import { Presence } from "./Presence";
import { SaveIndicator } from "./SaveIndicator";

function isActive(item: NavItem, route: Route): boolean {
  if (route.page === "image") return item.page === (route.review ? "review" : "gallery");
  return route.page === item.page;
}

function itemsFor(person: Person | null): NavItem[] {
  return NAVIGATION.filter((item) => person !== null && item.roles.includes(person.role));
}

function ProjectMenu({ project }: { project: string }) {
  const current = useProject(project);
  const projects = useProjects();
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          className="project-menu"
          rightSection={<ChevronDown size={14} aria-hidden />}
        >
          {current.data?.name ?? "Project"}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {projects.data?.items.map((other) => (
          <Menu.Item key={other.id} component="a" href={formatRoute({ page: "gallery", project: other.id })}>
            {other.name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component="a" href={formatRoute({ page: "projects" })}>
          All projects
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function ProjectNav({ items, project, route }: { items: NavItem[]; project: string; route: Route }) {
  return (
    <nav aria-label="Project" className="project-nav">
      {items.map((item) => (
        <a
          key={item.page}
          href={formatRoute({ page: item.page, project })}
          className="nav-link"
          title={item.label}
          aria-current={isActive(item, route) ? "page" : undefined}
          data-testid={`nav-${item.page}`}
        >
          <item.icon size={15} aria-hidden />
          <span>{item.label}</span>
        </a>
      ))}
    </nav>
  );
}

function NarrowNav({ items, project }: { items: NavItem[]; project: string }) {
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Burger size="sm" className="narrow-nav" aria-label="Pages of the project" />
      </Menu.Target>
      <Menu.Dropdown>
        {items.map((item) => (
          <Menu.Item
            key={item.page}
            component="a"
            href={formatRoute({ page: item.page, project })}
            leftSection={<item.icon size={16} aria-hidden />}
          >
            {item.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function ThemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("dark");
  const next = scheme === "dark" ? "light" : "dark";
  return (
    <Tooltip label={`Switch to the ${next} theme`}>
      <ActionIcon
        size="lg"
        aria-label={`Switch to the ${next} theme`}
        onClick={() => setColorScheme(next)}
        data-testid="theme-toggle"
      >
        {scheme === "dark" ? <Sun size={17} aria-hidden /> : <Moon size={17} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}

function UserMenu({ me, person }: { me: Me; person: Person }) {
  const openDialog = useAppStore((state) => state.openDialog);
  const button = useRef<HTMLButtonElement>(null);
  function changePassword() {
    button.current?.focus(); // the dialog gives the focus back to it
    openDialog("password");
  }
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon
          ref={button}
          size="lg"
          radius="xl"
          aria-label={`${initials(person.name)}: menu of ${person.name}`}
          data-testid="user-menu"
        >
          <Avatar size={26} radius="xl" color="azure" variant="filled" alt="">
            {initials(person.name)}
          </Avatar>
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {person.name}, {person.role}
        </Menu.Label>
        <Menu.Item
          leftSection={<Settings size={15} aria-hidden />}
          onClick={() => navigate({ page: "settings" })}
        >
          Settings
        </Menu.Item>
        {person.role === "admin" ? (
          <Menu.Item
            leftSection={<Users size={15} aria-hidden />}
            onClick={() => navigate({ page: "people" })}
          >
            People
          </Menu.Item>
        ) : null}
        {me.accounts ? (
          <Menu.Item
            leftSection={<KeyRound size={15} aria-hidden />}
            onClick={changePassword}
            data-testid="change-password"
          >
            Change my password
          </Menu.Item>
        ) : null}
        {me.accounts ? (
          <Menu.Item leftSection={<LogOut size={15} aria-hidden />} onClick={() => void logOut()}>
            Log out
          </Menu.Item>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}

function HelpButtons() {
  const openDialog = useAppStore((state) => state.openDialog);
  return (
    <>
      <Tooltip label="Find a command (Ctrl+K)">
        <ActionIcon size="lg" aria-label="Find a command" onClick={() => openDialog("palette")}>
          <Command size={17} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Keys and help (?)">
        <ActionIcon
          size="lg"
          aria-label="Keys and help"
          onClick={() => openDialog("help")}
          data-testid="help"
        >
          <Keyboard size={18} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </>
  );
}

/** The project of the address, or the one before on pages that belong to none. */
function useLastProject(project: string | null): string | null {
  const last = useRef(project);
  if (project !== null) last.current = project;
  return last.current;
}

/** The bar above every page: where one is, where one can go, whether the work is saved, who else is here. */
export function Header({ route }: { route: Route }) {
  const me = useMe();
  const last = useLastProject(routeProject(route));
  const person = me.data?.user ?? null;
  const project = person === null ? null : last;
  const current = useProject(project);
  const items = itemsFor(person);
  return (
    <header className="header">
      <Group gap={6} wrap="nowrap" className="header-start">
        {project && items.length > 0 ? <NarrowNav items={items} project={project} /> : null}
        <Link
          to={{ page: "projects" }}
          className="home-link"
          aria-label="anymask: all projects"
          underline="never"
        >
          <Logo />
          <span className="wordmark">anymask</span>
        </Link>
        {project ? <ProjectMenu project={project} /> : null}
      </Group>
      {project ? <ProjectNav items={items} project={project} route={route} /> : <span />}
      <Group gap={4} wrap="nowrap" className="header-end">
        {project ? <SaveIndicator /> : null}
        <Presence />
        {current.data?.model ? (
          <Tooltip label="The model that answers">
            <Badge variant="default" size="sm" radius="sm" className="model-badge" tt="none" fw={500}>
              {current.data.model}
            </Badge>
          </Tooltip>
        ) : null}
        <HelpButtons />
        <ThemeToggle />
        {me.data && person ? <UserMenu me={me.data} person={person} /> : null}
      </Group>
    </header>
  );
}
