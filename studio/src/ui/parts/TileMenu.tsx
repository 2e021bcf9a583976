import { ActionIcon, Menu } from "@mantine/core";
import { Ellipsis } from "lucide-react";
import { useRef } from "react";
import { RemoveItem } from "./RemoveItem";

interface TileMenuProps {
  name: string;
  /** Whether the Tab key reaches it. */
  current: boolean;
  remove: () => void;
}

/** What an administrator may do with a picture of the gallery. */
export function TileMenu({ name, current, remove }: TileMenuProps) {
  const button = useRef<HTMLButtonElement>(null);
  return (
    <Menu position="bottom-start" width={200}>
      <Menu.Target>
        <ActionIcon
          ref={button}
          size={28}
          className="tile-menu"
          aria-label={`Menu of ${name}`}
          tabIndex={current ? 0 : -1}
          data-testid="tile-menu"
        >
          <Ellipsis size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <RemoveItem button={button} remove={remove} />
      </Menu.Dropdown>
    </Menu>
  );
}
