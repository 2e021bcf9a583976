import { Button, EmptyState, Switch, TextInput } from "@mantine/core";
import { Plus, Tags } from "lucide-react";
import { type FormEvent, useState } from "react";
import { addLabel } from "../data/mutations";
import { useLabels, useStatistics } from "../data/queries";
import type { Label } from "../data/types";
import { LabelDialog } from "../dialogs/LabelDialog";
import { LabelRow } from "../parts/LabelRow";
import { Page } from "../parts/Page";
import { Loaded } from "../parts/Problem";
import { useAttempt } from "../parts/useAttempt";

function NewLabel({ project, labels }: { project: string; labels: readonly Label[] }) {
  const [name, setName] = useState("");
  const isKnown = labels.some((label) => label.name.toLowerCase() === name.trim().toLowerCase());
  const adding = useAttempt(async () => {
    await addLabel(project, name.trim(), labels);
    setName("");
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    void adding.run();
  }
  return (
    <form className="row-with-button new-label" onSubmit={submit}>
      <TextInput
        aria-label="Name of a new label"
        placeholder="Name of a new label"
        maxLength={200}
        value={name}
        error={isKnown ? "There is a label of this name already." : null}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Button
        type="submit"
        leftSection={<Plus size={16} aria-hidden />}
        loading={adding.running}
        disabled={name.trim() === "" || isKnown}
      >
        Add
      </Button>
    </form>
  );
}

function List({ project, labels }: { project: string; labels: Label[] }) {
  const [archived, setArchived] = useState(false);
  const [edited, setEdited] = useState<string | null>(null);
  const statistics = useStatistics(project);
  const shown = labels.filter((label) => archived || !label.archived);
  const chosen = labels.find((label) => label.id === edited);
  return (
    <>
      <NewLabel project={project} labels={labels} />
      {shown.length === 0 ? (
        <EmptyState
          py={50}
          icon={<Tags aria-hidden />}
          title="There are no labels yet"
          description="Add one for each kind of object, such as “cat” or “leaf”. Digits 1 to 9 then give them while you work."
        />
      ) : (
        <ul className="label-table">
          {shown.map((label, index) => (
            <LabelRow
              key={label.id}
              project={project}
              label={label}
              masks={statistics.data?.by_label[label.id] ?? 0}
              before={shown[index - 1]}
              after={shown[index + 1]}
              edit={() => setEdited(label.id)}
            />
          ))}
        </ul>
      )}
      {labels.some((label) => label.archived) ? (
        <Switch
          mt="md"
          size="sm"
          label="Show archived labels"
          checked={archived}
          onChange={(event) => setArchived(event.currentTarget.checked)}
        />
      ) : null}
      {chosen ? (
        <LabelDialog project={project} label={chosen} labels={labels} close={() => setEdited(null)} />
      ) : null}
    </>
  );
}

/** The kinds of objects of a project: names, colours, digit keys, attributes. */
export function LabelsPage({ project }: { project: string }) {
  const labels = useLabels(project);
  return (
    <Page title="Labels" lead="What objects can be. Objects may also stay without a label." width="narrow">
      <div className="card">
        <Loaded query={labels}>{(data) => <List project={project} labels={data} />}</Loaded>
      </div>
    </Page>
  );
}
