import { Alert, Button, Group, Progress, Select, SimpleGrid, Slider, Stack, Text } from "@mantine/core";
import { Zap } from "lucide-react";
import { useState } from "react";
import { startAssist } from "../data/mutations";
import { useAssist, useLabels } from "../data/queries";
import type { Assist, Job } from "../data/types";
import { PRESETS } from "../logic/everything";
import { formatCount, formatSeconds, plural } from "../logic/format";
import { Page } from "../parts/Page";
import { Loaded } from "../parts/Problem";
import { useAttempt } from "../parts/useAttempt";
import { navigate } from "../router";

function Start({ project, fresh, busy }: { project: string; fresh: number; busy: boolean }) {
  const labels = useLabels(project);
  const [preset, setPreset] = useState("objects");
  const [confidence, setConfidence] = useState(50);
  const [label, setLabel] = useState<string | null>(null);
  const starting = useAttempt(() =>
    startAssist(project, { preset, confidence: confidence / 100, label_id: label }),
  );
  return (
    <section className="card">
      <h2 className="card-title">Let the model begin</h2>
      <Text size="sm" c="dimmed" mb="md">
        The model labels what it is sure of and locks it. People then open the pictures in which most is left,
        and fill the gaps.
      </Text>
      <Stack gap="md" maw={460}>
        <Select
          label="What to look for"
          allowDeselect={false}
          data={PRESETS.map(({ name, title }) => ({ value: name, label: title }))}
          value={preset}
          onChange={(value) => setPreset(value ?? "objects")}
        />
        <Select
          label="Label of its masks"
          placeholder="None"
          clearable
          clearButtonProps={{ "aria-label": "None" }}
          data={(labels.data ?? [])
            .filter((one) => !one.archived)
            .map((one) => ({ value: one.id, label: one.name }))}
          value={label}
          onChange={setLabel}
        />
        <div>
          <div className="slider-head">
            <span id="confidence">How sure it has to be</span>
            <span className="slider-value">{confidence} %</span>
          </div>
          <Slider
            mt={6}
            label={null}
            value={confidence}
            onChange={setConfidence}
            min={0}
            max={100}
            step={5}
            thumbProps={{ "aria-labelledby": "confidence" }}
          />
          <div className="slider-head slider-ends" aria-hidden>
            <span>more masks</span>
            <span>surer masks</span>
          </div>
        </div>
        <Button
          w="fit-content"
          leftSection={<Zap size={16} aria-hidden />}
          disabled={busy || fresh === 0}
          loading={starting.running}
          onClick={() => void starting.run()}
          data-testid="assist-start"
        >
          Begin with {plural(fresh, "new picture")}
        </Button>
      </Stack>
    </section>
  );
}

const TITLES: Record<Job["state"], string> = {
  waiting: "The model is about to begin",
  running: "The model is at work",
  done: "The model is done",
  failed: "The model had to stop",
  stopped: "Stopped",
};

function Run({ job }: { job: Job }) {
  const share = Math.round(job.progress * 100);
  return (
    <Alert variant="outline" color={job.state === "failed" ? "red" : "azure"} title={TITLES[job.state]}>
      {job.state === "running" || job.state === "waiting" ? (
        <Progress value={share} aria-label={`${share} % done`} mb={6} />
      ) : null}
      <Text size="sm" role="status">
        {job.detail}
      </Text>
    </Alert>
  );
}

function Estimate({ project, data }: { project: string; data: Assist }) {
  return (
    <section className="card">
      <h2 className="card-title">What is left</h2>
      <SimpleGrid cols={{ base: 2, md: 4 }} mb="md">
        <Fact value={formatCount(data.left)} name="pictures to finish" />
        <Fact value={formatCount(data.confident)} name="masks by the model" />
        <Fact value={formatCount(data.by_hand)} name="masks by people" />
        <Fact
          value={data.seconds_left === null ? "–" : formatSeconds(data.seconds_left)}
          name="of work for people"
        />
      </SimpleGrid>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {data.seconds_left === null
            ? "An estimate appears once the first picture is done."
            : `${(data.seconds_per_mask ?? 0).toFixed(1)} s a mask, ${(data.by_hand_per_image ?? 0).toFixed(1)} masks by hand a picture.`}
        </Text>
        <Button variant="default" onClick={() => navigate({ page: "gallery", project })}>
          To the pictures
        </Button>
      </Group>
    </section>
  );
}

function Fact({ value, name }: { value: string; name: string }) {
  return (
    <div className="figure">
      <span className="figure-value">{value}</span>
      <span className="figure-name">{name}</span>
    </div>
  );
}

/** The data engine's second stage: confident masks by the model, gaps by people. */
export function AssistPage({ project }: { project: string }) {
  const assist = useAssist(project);
  return (
    <Page title="Assist" lead="Let the model do what it is sure of, and people the rest." width="narrow">
      <Loaded query={assist}>
        {(data) => (
          <Stack gap="md">
            {data.job ? <Run job={data.job} /> : null}
            <Estimate project={project} data={data} />
            <Start
              project={project}
              fresh={data.images["new"] ?? 0}
              busy={data.job?.state === "running" || data.job?.state === "waiting"}
            />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}
