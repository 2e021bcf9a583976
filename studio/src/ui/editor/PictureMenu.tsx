import { ActionIcon, Menu } from "@mantine/core";
import { Check, Ellipsis, Star } from "lucide-react";
import { changeImage } from "../data/mutations";
import { useImageFacts } from "../data/queries";
import type { ImageFacts } from "../data/types";
import { showProblem } from "../parts/useAttempt";

const SPLITS: readonly { value: ImageFacts["split"]; label: string }[] = [
  { value: "train", label: "Training" },
  { value: "val", label: "Validation" },
  { value: "test", label: "Test" },
  { value: null, label: "Not decided" },
];

/** What the picture is for: a gold picture, and its part of the data set. For reviewers. */
export function PictureMenu({ project, image }: { project: string; image: string }) {
  const facts = useImageFacts(image);
  const change = (part: Parameters<typeof changeImage>[2]) => {
    changeImage(project, image, part).catch(showProblem);
  };
  const gold = facts.data?.gold ?? false;
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon size={32} aria-label="What this picture is for" data-testid="picture-menu">
          <Ellipsis size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
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
            rightSection={facts.data?.split === value ? <Check size={15} aria-label="chosen" /> : null}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
