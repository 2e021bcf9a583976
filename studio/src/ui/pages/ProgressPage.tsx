import { EmptyState, Group, SimpleGrid, Stack, Table, Text, Tooltip } from "@mantine/core";
import { ChartLine } from "lucide-react";
import { useLabels, useStatistics } from "../data/queries";
import type { ImageState, PersonFigures, Statistics } from "../data/types";
import { formatCount, formatSeconds, percent, plural } from "../logic/format";
import { dayLines } from "../logic/progress";
import { DayPlot } from "../parts/DayPlot";
import { Page } from "../parts/Page";
import { Loaded } from "../parts/Problem";
import { IMAGE_STATES, stateLabel } from "../parts/StateBadge";

function Figure({ value, name, note }: { value: string; name: string; note?: string }) {
  return (
    <div className="card figure">
      <span className="figure-name">{name}</span>
      <span className="figure-value">{value}</span>
      {note ? <span className="figure-note">{note}</span> : null}
    </div>
  );
}

/** The pictures as one bar, a part for each state. */
function StateBar({ images }: { images: Record<ImageState, number> }) {
  const total = IMAGE_STATES.reduce((sum, state) => sum + images[state], 0);
  const shown = [...IMAGE_STATES].reverse().filter((state) => images[state] > 0);
  return (
    <section className="card">
      <h2 className="card-title">Pictures</h2>
      <div
        className="state-bar"
        role="img"
        aria-label={shown.map((state) => `${stateLabel(state)}: ${images[state]}`).join(", ")}
      >
        {shown.map((state) => (
          <Tooltip key={state} label={`${stateLabel(state)}: ${formatCount(images[state])}`}>
            <span data-state={state} style={{ flexGrow: images[state] }} />
          </Tooltip>
        ))}
      </div>
      <Group gap="lg" mt="sm">
        {IMAGE_STATES.map((state) => (
          <span key={state} className="state-key">
            <span className="state-dot" data-state={state} />
            {stateLabel(state)} <strong>{formatCount(images[state])}</strong>
            <span className="dimmed">{percent(images[state], total)} %</span>
          </span>
        ))}
      </Group>
    </section>
  );
}

function Labels({ project, counts }: { project: string; counts: Record<string, number> }) {
  const labels = useLabels(project);
  const used = (labels.data ?? [])
    .filter((label) => counts[label.id])
    .sort((a, b) => (counts[b.id] ?? 0) - (counts[a.id] ?? 0));
  const most = Math.max(1, ...Object.values(counts));
  if (used.length === 0) return null;
  return (
    <section className="card">
      <h2 className="card-title">Masks by label</h2>
      <div className="bars">
        {used.map((label) => (
          <div key={label.id} className="bar-row">
            <span className="bar-name">{label.name}</span>
            <span className="bar-track">
              <span
                style={{ width: `${(100 * (counts[label.id] ?? 0)) / most}%`, background: label.colour }}
              />
            </span>
            <span className="bar-count">{formatCount(counts[label.id] ?? 0)}</span>
          </div>
        ))}
      </div>
    </section>
  );
}

function perMask(value: number | null): string {
  return value === null ? "–" : value.toFixed(1);
}

function People({ people }: { people: PersonFigures[] }) {
  return (
    <section className="card">
      <h2 className="card-title">People</h2>
      <Table.ScrollContainer minWidth={620} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table highlightOnHover aria-label="What everybody did">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th ta="right">Pictures done</Table.Th>
              <Table.Th ta="right">Masks</Table.Th>
              <Table.Th ta="right">Seconds a mask</Table.Th>
              <Table.Th ta="right">Prompts a mask</Table.Th>
              <Table.Th ta="right">Reviews</Table.Th>
              <Table.Th ta="right">Time</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {people.map((person) => (
              <Table.Tr key={person.user_id}>
                <Table.Td>{person.name}</Table.Td>
                <Table.Td ta="right">{formatCount(person.images)}</Table.Td>
                <Table.Td ta="right">{formatCount(person.masks)}</Table.Td>
                <Table.Td ta="right">{perMask(person.seconds_per_mask)}</Table.Td>
                <Table.Td ta="right">{perMask(person.prompts_per_mask)}</Table.Td>
                <Table.Td ta="right">{formatCount(person.reviews)}</Table.Td>
                <Table.Td ta="right">{formatSeconds(person.seconds)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  );
}

function Figures({ project, data }: { project: string; data: Statistics }) {
  const total = IMAGE_STATES.reduce((sum, state) => sum + data.images[state], 0);
  const left = data.images.new + data.images.in_progress;
  const lines = dayLines(data.days);
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 2, md: 4 }}>
        <Figure
          name="Labelled"
          value={`${percent(total - left, total)} %`}
          note={`${plural(left, "picture")} left`}
        />
        <Figure name="Masks" value={formatCount(data.masks)} />
        <Figure
          name="Seconds a mask"
          value={perMask(data.seconds_per_mask)}
          note="time at work, all people"
        />
        <Figure name="Prompts a mask" value={perMask(data.prompts_per_mask)} note="clicks, boxes, strokes" />
      </SimpleGrid>
      <StateBar images={data.images} />
      {lines.length > 0 ? (
        <section className="card">
          <h2 className="card-title">Seconds a mask, by day</h2>
          <DayPlot lines={lines} unit="s" />
        </section>
      ) : null}
      <Labels project={project} counts={data.by_label} />
      {data.people.length > 0 ? <People people={data.people} /> : null}
    </Stack>
  );
}

/** How far the project is, and how fast it goes. */
export function ProgressPage({ project }: { project: string }) {
  const statistics = useStatistics(project);
  return (
    <Page title="Progress" lead="How far the work is, and what a mask costs.">
      <Loaded query={statistics}>
        {(data) =>
          data.masks === 0 && data.people.length === 0 ? (
            <EmptyState
              py={60}
              icon={<ChartLine aria-hidden />}
              title="Nothing has been labelled yet"
              description="Progress and speed appear here with the first mask."
            />
          ) : (
            <Figures project={project} data={data} />
          )
        }
      </Loaded>
      <Text size="xs" c="dimmed" mt="md">
        Time counts from one action to the next; pauses of more than a minute are left out.
      </Text>
    </Page>
  );
}
