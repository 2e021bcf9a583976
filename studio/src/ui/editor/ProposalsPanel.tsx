import { Button, Group, Loader, Select, Slider, TextInput } from "@mantine/core";
import { useThrottledCallback } from "@mantine/hooks";
import { Copy, ScanSearch, TextSearch } from "lucide-react";
import { type FormEvent, useState } from "react";
import { editor } from "../../editor";
import { type Everything, useEditor } from "../../state/editorStore";
import { FILTERS, type Filter, filtersOf, filterValue, PRESETS } from "../logic/everything";
import { plural } from "../logic/format";

function Start() {
  const [preset, setPreset] = useState<string | null>("objects");
  const [words, setWords] = useState("");
  function find(event: FormEvent) {
    event.preventDefault();
    if (words.trim() !== "") void editor.find(words.trim());
  }
  return (
    <>
      <div className="row-with-button">
        <Select
          aria-label="What to find"
          size="xs"
          allowDeselect={false}
          data={PRESETS.map(({ name, title }) => ({ value: name, label: title }))}
          value={preset}
          onChange={setPreset}
        />
        <Button
          size="xs"
          leftSection={<ScanSearch size={15} aria-hidden />}
          onClick={() => void editor.startEverything(preset, {})}
          data-testid="everything-start"
        >
          Find all
        </Button>
      </div>
      <form className="row-with-button" onSubmit={find}>
        <TextInput
          aria-label="Find by words"
          placeholder="Find by words: red car"
          size="xs"
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <Button
          size="xs"
          type="submit"
          variant="default"
          disabled={words.trim() === ""}
          leftSection={<TextSearch size={15} aria-hidden />}
        >
          Find
        </Button>
      </form>
      <Button
        size="xs"
        variant="default"
        leftSection={<Copy size={15} aria-hidden />}
        onClick={() => void editor.propagate()}
        data-testid="propagate"
      >
        Take over from the previous picture
      </Button>
    </>
  );
}

const THROTTLE = 120;

function FilterSlider({ filter, everything }: { filter: Filter; everything: Everything }) {
  const [moved, setMoved] = useState<number | null>(null);
  const value = moved ?? filterValue(everything.settings, filter);
  const apply = useThrottledCallback((next: number) => {
    void editor.filterEverything({
      ...filtersOf(everything.settings),
      [filter.name]: filter.fromSlider(next),
    });
  }, THROTTLE);
  return (
    <div className="slider-row">
      <div className="slider-head">
        <span id={`filter-${filter.name}`}>{filter.title}</span>
        <span className="slider-value">{filter.text(value)}</span>
      </div>
      <Slider
        size="sm"
        label={null}
        min={filter.min}
        max={filter.max}
        step={filter.step}
        value={value}
        thumbProps={{ "aria-labelledby": `filter-${filter.name}` }}
        onChange={(next) => {
          setMoved(next);
          apply(next);
        }}
        data-testid={`filter-${filter.name}`}
      />
    </div>
  );
}

function Running() {
  return (
    <Group justify="space-between" role="status">
      <Group gap={8}>
        <Loader size={14} aria-hidden />
        <span className="panel-note">Looking for everything</span>
      </Group>
      <Button size="compact-xs" variant="default" onClick={() => editor.dismissProposals()}>
        Stop
      </Button>
    </Group>
  );
}

function Found({ everything }: { everything: Everything | null }) {
  const proposals = useEditor((state) => state.proposals);
  return (
    <>
      <p className="panel-note" role="status" data-testid="proposal-count">
        {plural(proposals.length, "proposal")}. Click those to keep, or drag a rectangle over several.
      </p>
      {everything
        ? FILTERS.map((filter) => <FilterSlider key={filter.name} filter={filter} everything={everything} />)
        : null}
      <Group gap="xs" grow>
        <Button
          size="xs"
          disabled={proposals.length === 0}
          onClick={() => editor.acceptProposals(proposals.map(({ id }) => id))}
          data-testid="accept-all"
        >
          Keep all {proposals.length > 0 ? proposals.length : ""}
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => editor.dismissProposals()}
          data-testid="dismiss-all"
        >
          Drop the rest
        </Button>
      </Group>
    </>
  );
}

/** Masks that nobody asked for one by one: everything mode, a search by words, another picture's objects. */
export function ProposalsPanel() {
  const tool = useEditor((state) => state.tool);
  const everything = useEditor((state) => state.everything);
  const hasProposals = useEditor((state) => state.proposals.length > 0);
  const isFound = hasProposals || (everything !== null && !everything.running);
  if (tool !== "everything" && !isFound) return null;
  return (
    <section className="panel-section" aria-label="Proposals">
      <div className="panel-head">
        <h2>Everything</h2>
      </div>
      {everything?.running ? <Running /> : isFound ? <Found everything={everything} /> : <Start />}
    </section>
  );
}
