import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

/** Water: the brand's colour, for links and the main action. */
const canal: MantineColorsTuple = [
  "#e9f6f8",
  "#d3ebf0",
  "#a8d8e1",
  "#7ac4d1",
  "#57b4c4",
  "#3aa6b8",
  "#1d92a6",
  "#0f7b8e",
  "#0b6475",
  "#084b58",
];

/** Dark surfaces with the brand's tint instead of neutral grey. */
const dark: MantineColorsTuple = [
  "#dfe9ea",
  "#b9c8cb",
  "#93a6aa",
  "#66797e",
  "#34454a",
  "#26343a",
  "#182428",
  "#121c20",
  "#0d1518",
  "#080f11",
];

export const theme = createTheme({
  primaryColor: "canal",
  primaryShade: { light: 8, dark: 7 },
  autoContrast: true,
  colors: { canal, dark },
  fontFamily: "'IBM Plex Sans Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'IBM Plex Mono', ui-monospace, monospace",
  headings: {
    fontFamily: "'IBM Plex Sans Variable', system-ui, sans-serif",
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.5rem", lineHeight: "2rem" },
      h2: { fontSize: "1rem", lineHeight: "1.5rem" },
      h3: { fontSize: "0.875rem", lineHeight: "1.25rem" },
    },
  },
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  spacing: { xs: "0.5rem", sm: "0.75rem", md: "1rem", lg: "1.5rem", xl: "2rem" },
  radius: { xs: "3px", sm: "4px", md: "6px", lg: "10px", xl: "16px" },
  defaultRadius: "md",
  cursorType: "pointer",
  components: {
    Button: { defaultProps: { size: "sm" } },
    InputWrapper: { styles: { description: { fontSize: "0.75rem" }, error: { fontSize: "0.75rem" } } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45, blur: 2 } } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: true } } },
  },
});

/** Mantine's own colours follow the surfaces and meanings of `base.css`. */
export const cssVariables: CSSVariablesResolver = () => {
  const shared = {
    "--mantine-color-body": "var(--panel)",
    "--mantine-color-text": "var(--ink)",
    "--mantine-color-dimmed": "var(--ink-soft)",
    "--mantine-color-default-border": "var(--line)",
    "--mantine-color-anchor": "var(--accent)",
    "--mantine-color-error": "var(--bad)",
    "--mantine-color-placeholder": "var(--ink-faint)",
    ...meaning("red", "bad"),
    ...meaning("yellow", "warn"),
    ...meaning("green", "ok"),
    "--mantine-color-red-filled": "#b3261e",
    "--mantine-color-red-filled-hover": "#951c15",
  };
  return { variables: {}, light: shared, dark: shared };
};

/** Alerts in the colours of the states. */
function meaning(colour: string, tone: string): Record<string, string> {
  return {
    [`--mantine-color-${colour}-light`]: `color-mix(in srgb, var(--${tone}) 9%, var(--panel))`,
    [`--mantine-color-${colour}-light-color`]: `var(--${tone})`,
  };
}
