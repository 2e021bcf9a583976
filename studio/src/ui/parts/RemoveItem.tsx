import { Menu } from "@mantine/core";
import { Trash2 } from "lucide-react";
import type { RefObject } from "react";

interface RemoveItemProps {
  /** Opens the menu that this is in. */
  button: RefObject<HTMLButtonElement | null>;
  remove: () => void;
}

/** Of a picture's menu: asks whether to remove it for good. */
export function RemoveItem({ button, remove }: RemoveItemProps) {
  function removeThis() {
    button.current?.focus(); // the dialog gives the focus back to it
    remove();
  }
  return (
    <Menu.Item
      className="danger-item"
      leftSection={<Trash2 size={15} aria-hidden />}
      onClick={removeThis}
      data-testid="remove-picture"
    >
      Remove for good
    </Menu.Item>
  );
}
