import { ActionIcon, Menu } from "@mantine/core";
import { Check, Ellipsis, Star } from "lucide-react";
import { useRef, useState } from "react";
import { changeImage } from "../data/mutations";
import { useImageFacts, useMay } from "../data/queries";
import type { ImageFacts } from "../data/types";
import { RemovePictureDialog } from "../dialogs/RemovePictureDialog";
import { RemoveItem } from "../parts/RemoveItem";
import { showProblem } from "../parts/useAttempt";
import { navigate } from "../router";

const SPLITS: readonly { value: ImageFacts["split"]; label: string }[] = [
  { value: "train", label: "Training" },
  { value: "val", label: "Validation" },
  { value: "test", label: "Test" },
  { value: null, label: "Not decided" },
];

interface PictureProps {
  project: string;
  image: string;
}

/** A gold picture or not, and its part of the data set. */
function Purposes({ project, image, facts }: PictureProps & { facts: ImageFacts | undefined }) {
  const change = (part: Parameters<typeof changeImage>[2]) => {
    changeImage(project, image, part).catch(showProblem);
  };
  const gold = facts?.gold ?? false;
  return (
    <>
      <Menu.Item
        leftSection={<Star size={15} aria-hidden fill={gold ? "currentColor" : "none"} />}
        onClick={() => change({ gold: !gold })}
      >
        {gold ? "No longer a gold picture" : "Gold picture: measures people"}
      </Menu.Item>
      <Menu.Divider />
      <Menu.Label>Part of the data set</Menu.Label>
      {SPLITS.map(({ value, label }) => (
        <Menu.Item
          key={label}
          onClick={() => change({ split: value })}
          rightSection={facts?.split === value ? <Check size={15} aria-label="chosen" /> : null}
        >
          {label}
        </Menu.Item>
      ))}
    </>
  );
}

/** What the picture is for, and its removal. For reviewers; removing is for administrators. */
export function PictureMenu({ project, image }: PictureProps) {
  const may = useMay();
  const facts = useImageFacts(image);
  const button = useRef<HTMLButtonElement>(null);
  const [removing, setRemoving] = useState(false);
  return (
    <>
      <Menu position="bottom-end" width={240}>
        <Menu.Target>
          <ActionIcon ref={button} size={32} aria-label="Menu of this picture" data-testid="picture-menu">
            <Ellipsis size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Purposes project={project} image={image} facts={facts.data} />
          {may.administrate ? (
            <>
              <Menu.Divider />
              <RemoveItem button={button} remove={() => setRemoving(true)} />
            </>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <RemovePictureDialog
        project={project}
        image={removing ? image : null}
        close={() => setRemoving(false)}
        removed={() => navigate({ page: "gallery", project }, { replace: true })}
      />
    </>
  );
}
