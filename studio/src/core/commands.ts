/**
 * Everything that can be done by a key, as data: toolbar, palette, help sheet and remapping read this one list.
 *
 * What a command does is given by whoever can do it (`Handlers`); keys are those of a preset, changed by the person.
 */

/** Where a command works. Those of "everywhere" work in all other places, too. */
export type Scope = "everywhere" | "editor" | "review" | "gallery" | "collage";

export type Group =
  | "Tools"
  | "Mask in hand"
  | "Objects"
  | "Mask edits"
  | "Labels"
  | "View"
  | "Pictures"
  | "Review"
  | "Collage"
  | "General";

export interface CommandSpec {
  readonly name: string;
  readonly label: string;
  readonly group: Group;
  readonly scope: Scope;
  /** Keys of the preset "anymask", as `keyOf` writes them. */
  readonly keys: readonly string[];
}

function spec<N extends string>(
  scope: Scope,
  group: Group,
  name: N,
  label: string,
  ...keys: readonly string[]
): CommandSpec & { readonly name: N } {
  return { name, label, group, scope, keys };
}

const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] as const;

export const COMMANDS = [
  spec("editor", "Tools", "tool.click", "Click: mask under a click", "S"),
  spec("editor", "Tools", "tool.box", "Box round one object", "B", "R"),
  spec("editor", "Tools", "tool.boxes", "Boxes round several objects", "Shift+B"),
  spec("editor", "Tools", "tool.lasso", "Lasso that snaps", "L"),
  spec("editor", "Tools", "tool.scribble", "Scribble over the object", "Q"),
  spec("editor", "Tools", "tool.rough", "Rough paint, made exact by the model", "Shift+W"),
  spec("editor", "Tools", "tool.everything", "Everything: find all objects", "E"),
  spec("editor", "Tools", "tool.brush", "Brush", "W"),
  spec("editor", "Tools", "tool.eraser", "Eraser", "X"),
  spec("editor", "Tools", "tool.polygon", "Polygon", "P"),
  spec("editor", "Tools", "tool.select", "Select, move, reshape", "V"),
  spec("editor", "Tools", "brush.larger", "Larger brush", "]"),
  spec("editor", "Tools", "brush.smaller", "Smaller brush", "["),

  spec("editor", "Mask in hand", "draft.accept", "Keep the mask", "Enter", "N"),
  spec("editor", "Mask in hand", "draft.cancel", "Give the mask up; select nothing", "Escape"),
  spec("editor", "Mask in hand", "draft.takeBack", "Take the last click back", "T"),
  spec("editor", "Mask in hand", "candidate.next", "Next candidate", "C"),
  spec("editor", "Mask in hand", "candidate.previous", "Previous candidate", "Shift+C"),

  spec("editor", "Objects", "object.next", "Select the next object", "J"),
  spec("editor", "Objects", "object.previous", "Select the previous object", "K"),
  spec("editor", "Objects", "object.selectAll", "Select all objects", "Ctrl+A"),
  spec("editor", "Objects", "object.refine", "Refine the selected object with clicks", "I"),
  spec("editor", "Objects", "object.delete", "Delete", "Delete", "Backspace"),
  spec("editor", "Objects", "object.duplicate", "Duplicate", "Ctrl+D"),
  spec("editor", "Objects", "object.hide", "Hide or show", "H"),
  spec("editor", "Objects", "object.lock", "Lock or unlock", "Alt+L"),
  spec("editor", "Objects", "object.raise", "One place up", "Alt+ArrowUp"),
  spec("editor", "Objects", "object.lower", "One place down", "Alt+ArrowDown"),
  spec("editor", "Objects", "object.copyCutout", "Copy the cut-out", "Ctrl+C"),
  spec("editor", "Objects", "object.saveCutout", "Save the cut-out as PNG", "Ctrl+Shift+S"),
  spec("editor", "Objects", "object.toCollage", "Put the cut-out on the collage", "Ctrl+Shift+L"),

  spec("editor", "Mask edits", "mask.union", "Unite the selected", "M"),
  spec("editor", "Mask edits", "mask.subtract", "Take the others from the first selected", "Shift+M"),
  spec("editor", "Mask edits", "mask.intersect", "Keep what the selected share", "Ctrl+M"),
  spec("editor", "Mask edits", "mask.split", "Split into separate parts", "Alt+M"),
  spec("editor", "Mask edits", "mask.fillHoles", "Fill holes", "Alt+F"),
  spec("editor", "Mask edits", "mask.removeIslands", "Remove islands", "Alt+I"),

  ...DIGITS.map((digit) =>
    spec(
      "editor",
      "Labels",
      `label.${digit}`,
      `Label with the key ${digit}`,
      ...(digit === 0 ? [] : [String(digit)]),
    ),
  ),
  spec("editor", "Labels", "label.none", "No label", "Shift+Delete"),

  spec("editor", "View", "view.fit", "Fit the picture", "0", "Ctrl+0"),
  spec("editor", "View", "view.object", "Look at the selected object", "G"),
  spec("editor", "View", "view.zoomIn", "Zoom in", "+", "="),
  spec("editor", "View", "view.zoomOut", "Zoom out", "-"),
  spec("editor", "View", "view.hideAll", "Hide or show all masks", "Shift+H"),
  spec("editor", "View", "view.outlines", "Outlines on or off", "O"),
  spec("editor", "View", "view.hover", "Mask under the cursor on or off", "U"),

  spec("editor", "Pictures", "image.next", "Next picture", "D", "ArrowRight"),
  spec("editor", "Pictures", "image.previous", "Previous picture", "A", "ArrowLeft"),
  spec("editor", "Pictures", "image.finish", "Done: next of the queue", "Ctrl+Enter"),
  spec("editor", "Pictures", "image.skip", "Skip", "Ctrl+Space"),
  spec("editor", "Pictures", "image.propagate", "Take the masks of the previous picture over", "Shift+D"),
  spec("editor", "Pictures", "proposals.acceptAll", "Keep all proposals", "Shift+Enter"),
  spec("editor", "Pictures", "proposals.dismiss", "Give all proposals up", "Shift+Backspace"),

  spec("review", "Review", "review.accept", "Accept", "Y", "Enter"),
  spec("review", "Review", "review.reject", "Reject", "N"),
  spec("review", "Review", "review.comment", "Comment", "C"),
  spec("review", "Review", "review.next", "Next object", "J", "ArrowDown"),
  spec("review", "Review", "review.previous", "Previous object", "K", "ArrowUp"),
  spec("review", "Review", "review.nextImage", "Next picture", "D", "ArrowRight"),
  spec("review", "Review", "review.previousImage", "Previous picture", "A", "ArrowLeft"),

  spec("collage", "Collage", "collage.left", "Move left", "ArrowLeft"),
  spec("collage", "Collage", "collage.right", "Move right", "ArrowRight"),
  spec("collage", "Collage", "collage.up", "Move up", "ArrowUp"),
  spec("collage", "Collage", "collage.down", "Move down", "ArrowDown"),
  spec("collage", "Collage", "collage.larger", "Larger", "+", "="),
  spec("collage", "Collage", "collage.smaller", "Smaller", "-"),
  spec("collage", "Collage", "collage.turnLeft", "Turn left", "["),
  spec("collage", "Collage", "collage.turnRight", "Turn right", "]"),
  spec("collage", "Collage", "collage.delete", "Remove the cut-out", "Delete", "Backspace"),

  spec("everywhere", "General", "undo", "Undo", "Ctrl+Z"),
  spec("everywhere", "General", "redo", "Redo", "Ctrl+Shift+Z", "Ctrl+Y"),
  spec("everywhere", "General", "save", "Save now", "Ctrl+S"),
  spec("everywhere", "General", "palette", "Find a command", "Ctrl+K"),
  spec("everywhere", "General", "help", "Keys", "?", "F1"),
] as const satisfies readonly CommandSpec[];

export type CommandName = (typeof COMMANDS)[number]["name"];

/** What a command does. `enabled`: whether it makes sense now; without it, always. */
export interface Handler {
  readonly perform: () => void;
  readonly enabled?: () => boolean;
}

/** What can be done where the person is. */
export type Handlers = { readonly [N in CommandName]?: Handler };

export interface Command extends CommandSpec {
  readonly name: CommandName;
}

/** The commands that somebody handles. */
export function handled(handlers: Handlers): readonly Command[] {
  return COMMANDS.filter(({ name }) => handlers[name] !== undefined);
}

export function commandOf(name: string): Command | null {
  return COMMANDS.find((command) => command.name === name) ?? null;
}

/** Does a command if it may be done now; whether it was. */
export function perform(handlers: Handlers, name: CommandName): boolean {
  const handler = handlers[name];
  if (handler === undefined || handler.enabled?.() === false) return false;
  handler.perform();
  return true;
}

/**
 * Commands whose label or group holds all words of a text, those whose label begins with it first: for the palette.
 */
export function found(commands: readonly Command[], text: string): readonly Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = commands.filter(({ label, group }) => {
    const all = `${label} ${group}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
  const first = words.join(" ");
  const begins = ({ label }: Command) => label.toLowerCase().startsWith(first);
  return [...hits.filter(begins), ...hits.filter((hit) => !begins(hit))];
}
