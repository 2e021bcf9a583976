import { ActionIcon, Menu } from "@mantine/core";
import { Ellipsis, Trash2 } from "lucide-react";
import { useRef } from "react";

interface TileMenuProps {
  name: string;
  /** Whether the Tab key reaches it. */
  current: boolean;
  remove: () => void;
}

/** What an administrator may do with a picture of the gallery. */
export function TileMenu({ name, current, remove }: TileMenuProps) {
  const button = useRef<HTMLButtonElement>(null);
  function removeThis() {
    button.current?.focus(); // the dialog gives the focus back to it
    remove();
  }
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
        <Menu.Item
          className="danger-item"
          leftSection={<Trash2 size={15} aria-hidden />}
          onClick={removeThis}
          data-testid="remove-picture"
        >
          Remove for good
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
