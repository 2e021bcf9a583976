import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

/** The accent: a blue that white text reads on (5.4:1) and that no default label colour equals. */
const azure: MantineColorsTuple = [
  "#eef4ff",
  "#dbe7ff",
  "#b9cffc",
  "#8fb2f8",
  "#6595f2",
  "#417bea",
  "#2a63d6",
  "#1f50b4",
  "#1b4391",
  "#183974",
];

/** Neutral greys without a tint, so that colours of the picture are judged fairly beside them. */
const dark: MantineColorsTuple = [
  "#e8e9eb",
  "#c0c3c9",
  "#9a9ea7",
  "#717680",
  "#474b54",
  "#363941",
  "#26282e",
  "#1b1d21",
  "#141518",
  "#0d0e10",
];

export const theme = createTheme({
  primaryColor: "azure",
  primaryShade: 6,
  colors: { azure, dark },
  autoContrast: true,
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, monospace",
  headings: { fontWeight: "650", sizes: { h1: { fontSize: "1.5rem" }, h2: { fontSize: "1.15rem" } } },
  components: {
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    Tooltip: { defaultProps: { openDelay: 350, withinPortal: true } },
    Modal: {
      defaultProps: {
        centered: true,
        overlayProps: { backgroundOpacity: 0.45 },
        // A dialog's head is no banner of the page.
        attributes: { header: { role: "presentation" } },
        styles: { title: { fontWeight: 650 } },
      },
    },
    // The placeholder that Menu focuses first is no item of a menu, which axe tells.
    Menu: { defaultProps: { shadow: "md", withinPortal: true, withInitialFocusPlaceholder: false } },
    Notification: {
      defaultProps: {
        closeButtonProps: { "aria-label": "Close" },
        styles: { description: { color: "var(--mantine-color-dimmed)" } },
      },
    },
  },
});

/** Where Mantine's greys miss 4.5:1 on our grounds, these reach it. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#596069",
    "--mantine-color-placeholder": "#6a717b",
    "--mantine-color-error": "#b42318",
    "--studio-ground": "#f5f6f7",
    "--studio-panel": "#ffffff",
    "--studio-raised": "#ffffff",
    "--studio-line": "#dcdfe3",
    "--studio-hover": "#edeff2",
    "--studio-active": "#e1eaff",
    "--studio-active-ink": "#1b4391",
    "--studio-stage": "#cfd2d6",
    "--studio-good": "#146c2e",
    "--studio-warn": "#8a5300",
    "--studio-bad": "#b42318",
    "--studio-good-ground": "#dcf5e3",
    "--studio-warn-ground": "#fff0d1",
    "--studio-bad-ground": "#fee4e2",
  },
  dark: {
    "--mantine-color-dimmed": "#a3a7b0",
    "--mantine-color-placeholder": "#9297a1",
    "--mantine-color-error": "#ff8f85",
    "--studio-ground": "#141518",
    "--studio-panel": "#1b1d21",
    "--studio-raised": "#222429",
    "--studio-line": "#33363d",
    "--studio-hover": "#292c32",
    "--studio-active": "#1e335c",
    "--studio-active-ink": "#b9cffc",
    "--studio-stage": "#0d0e10",
    "--studio-good": "#7ddb97",
    "--studio-warn": "#f4c267",
    "--studio-bad": "#ff9a91",
    "--studio-good-ground": "#173523",
    "--studio-warn-ground": "#3a2c10",
    "--studio-bad-ground": "#43201d",
  },
});
