import { ActionIcon, Button, Popover, Slider, Stack, Switch, Tooltip } from "@mantine/core";
import { SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { DEFAULT_VIEW, type View } from "../../core/view";
import { editor } from "../../editor";
import { useEditor } from "../../state/editorStore";
import { setPreference } from "../../state/preferences";

type Shade = "fill" | "brightness" | "contrast" | "saturation";

const SHADES: readonly { name: Shade; title: string; max: number }[] = [
  { name: "fill", title: "Colour of masks", max: 1 },
  { name: "brightness", title: "Brightness", max: 2.5 },
  { name: "contrast", title: "Contrast", max: 3 },
  { name: "saturation", title: "Colour", max: 2 },
];

function ShadeSlider({ name, title, max, view }: (typeof SHADES)[number] & { view: View }) {
  return (
    <div className="slider-row">
      <div className="slider-head">
        <span id={`shade-${name}`}>{title}</span>
        <span className="slider-value">{Math.round(view[name] * 100)} %</span>
      </div>
      <Slider
        size="sm"
        label={null}
        min={0}
        max={max}
        step={0.05}
        value={view[name]}
        thumbProps={{ "aria-labelledby": `shade-${name}` }}
        onChange={(value) => editor.setView({ [name]: value })}
      />
    </div>
  );
}

/** How picture and masks are shown; the picture itself never changes. */
export function ViewPopover() {
  const [opened, setOpened] = useState(false);
  const view = useEditor((state) => state.view);
  const hoverPreview = useEditor((state) => state.hoverPreview);
  const { fill, brightness, contrast, saturation, outlines } = DEFAULT_VIEW;
  return (
    <Popover position="top-end" width={260} trapFocus withinPortal opened={opened} onChange={setOpened}>
      <Popover.Target>
        <Tooltip label="How picture and masks are shown" disabled={opened}>
          <ActionIcon
            size={26}
            aria-label="How picture and masks are shown"
            onClick={() => setOpened(!opened)}
            data-testid="view-options"
          >
            <SlidersHorizontal size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label="How picture and masks are shown">
        <Stack gap="sm">
          {SHADES.map((shade) => (
            <ShadeSlider key={shade.name} {...shade} view={view} />
          ))}
          <Switch
            size="sm"
            label="Outlines"
            checked={view.outlines}
            onChange={(event) => editor.setView({ outlines: event.currentTarget.checked })}
          />
          <Switch
            size="sm"
            label="Mask under the cursor"
            checked={hoverPreview}
            onChange={(event) => {
              editor.setHoverPreview(event.currentTarget.checked);
              setPreference("hoverPreview", event.currentTarget.checked);
            }}
          />
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => editor.setView({ fill, brightness, contrast, saturation, outlines })}
          >
            As it was
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
