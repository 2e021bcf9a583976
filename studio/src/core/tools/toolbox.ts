/** The tool in hand. One object per picture; what tools know between events is kept here. */

import { boxesTool } from "./boxes";
import { brushTool, eraserTool } from "./painting";
import { everythingTool } from "./picking";
import { polygonTool } from "./polygon";
import { boxTool, clickTool, lassoTool, roughTool, scribbleTool } from "./prompting";
import { reviewTool } from "./review";
import { selectTool } from "./select";
import type { Effect, Tool, ToolContext, ToolEvent, ToolName, ToolView } from "./tool";

/** A tool and its state, whatever type that has. */
interface Running {
  readonly name: ToolName;
  send(event: ToolEvent, context: ToolContext): readonly Effect[];
  busy(): boolean;
  view(context: ToolContext): ToolView;
}

function running<S>(tool: Tool<S>): Running {
  let state = tool.start;
  return {
    name: tool.name,
    send(event, context) {
      const step = tool.step(state, event, context);
      state = step.state;
      return step.effects;
    },
    busy: () => tool.busy(state),
    view: (context) => tool.view(state, context),
  };
}

const TOOLS: Record<ToolName, () => Running> = {
  click: () => running(clickTool),
  box: () => running(boxTool),
  boxes: () => running(boxesTool),
  lasso: () => running(lassoTool),
  polygon: () => running(polygonTool),
  scribble: () => running(scribbleTool),
  rough: () => running(roughTool),
  brush: () => running(brushTool),
  eraser: () => running(eraserTool),
  select: () => running(selectTool),
  everything: () => running(everythingTool),
  review: () => running(reviewTool),
};

/** What the caller knows at every event; the toolbox adds the ticket. */
export type Surroundings = Omit<ToolContext, "ticket">;

export class Toolbox {
  private tool: Running;
  private ticket = 0;

  constructor(
    name: ToolName,
    private readonly surroundings: () => Surroundings,
  ) {
    this.tool = TOOLS[name]();
  }

  get name(): ToolName {
    return this.tool.name;
  }

  /** Whether Escape, undo and Enter are for the tool. */
  get busy(): boolean {
    return this.tool.busy();
  }

  /** Takes up another tool, as at its beginning; what is in hand is put down. */
  use(name: ToolName): void {
    this.tool = TOOLS[name]();
  }

  send(event: ToolEvent): readonly Effect[] {
    this.ticket++;
    return this.tool.send(event, { ...this.surroundings(), ticket: this.ticket });
  }

  view(): ToolView {
    return this.tool.view({ ...this.surroundings(), ticket: this.ticket });
  }
}
