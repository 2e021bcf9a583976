import { Button, Group, Modal, Progress, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { FolderPlus } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { createProject } from "../data/mutations";
import { useMe, useProjects } from "../data/queries";
import type { Project } from "../data/types";
import { percent, plural } from "../logic/format";
import { formatRoute } from "../logic/routes";
import { Page } from "../parts/Page";
import { Loaded } from "../parts/Problem";
import { useAttempt } from "../parts/useAttempt";
import { navigate } from "../router";

function ProjectCard({ project }: { project: Project }) {
  const { images, labelled, masks } = project.counts;
  const done = percent(labelled, images);
  return (
    <a className="card project-card" href={formatRoute({ page: "gallery", project: project.id })}>
      <Text fw={650} size="lg" truncate>
        {project.name}
      </Text>
      <Text size="sm" c="dimmed">
        {plural(images, "picture")}, {plural(masks, "mask")}
      </Text>
      <Progress value={done} mt="sm" size="sm" aria-label={`${done} % of the pictures are labelled`} />
      <Text size="xs" c="dimmed" mt={6}>
        {done} % labelled{project.model ? ` · ${project.model}` : ""}
      </Text>
    </a>
  );
}

function NewProject({ opened, close }: { opened: boolean; close: () => void }) {
  const [name, setName] = useState("");
  const creating = useAttempt(async () => {
    const project = await createProject(name.trim());
    close();
    navigate({ page: "gallery", project: project.id });
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    void creating.run();
  }
  return (
    <Modal opened={opened} onClose={close} title="New project" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description="Pictures are added afterwards by dropping them onto the page."
            required
            maxLength={120}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={creating.running} disabled={name.trim() === ""}>
              Create
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Where the studio opens: a lone project at once, else the list to choose from. */
export function HomePage() {
  const projects = useProjects();
  const found = projects.data?.items;
  useEffect(() => {
    const [first, second] = found ?? [];
    if (found === undefined) return;
    const target =
      first && !second ? ({ page: "gallery", project: first.id } as const) : ({ page: "projects" } as const);
    navigate(target, { replace: true });
  }, [found]);
  return <Loaded query={projects}>{() => null}</Loaded>;
}

/** All projects of this studio. */
export function ProjectsPage() {
  const projects = useProjects();
  const me = useMe();
  const [creating, setCreating] = useState(false);
  return (
    <Page
      title="Projects"
      lead="A project is a set of pictures with its labels, people and model."
      actions={
        me.data?.user?.role === "admin" ? (
          <Button leftSection={<FolderPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
            New project
          </Button>
        ) : null
      }
    >
      <Loaded query={projects}>
        {(data) => (
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
            {data.items.map((project) => (
              <ProjectCard key={project.id} project={project} />
            ))}
          </SimpleGrid>
        )}
      </Loaded>
      <NewProject opened={creating} close={() => setCreating(false)} />
    </Page>
  );
}
