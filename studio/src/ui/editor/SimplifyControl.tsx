import { Button, Slider } from "@mantine/core";
import { useState } from "react";
import type { MaskObject } from "../../core/types";
import { editor } from "../../editor";
import { showProblem } from "../parts/useAttempt";

const MOST = 12;

/** Fewer corners for a mask's outline: the slider says what it would cost, the button does it. */
export function SimplifyControl({ object }: { object: MaskObject }) {
  const [tolerance, setTolerance] = useState(0);
  const [cost, setCost] = useState<{ vertices: number; error: number } | null>(null);

  async function look(value: number, apply: boolean) {
    try {
      const found = await editor.simplify(object.id, value, apply);
      setCost(apply ? null : found);
      if (apply) setTolerance(0);
    } catch (error) {
      showProblem(error);
    }
  }

  return (
    <div className="slider-row">
      <div className="slider-head">
        <span id="simplify-name">Simplify the outline</span>
        <span className="slider-value" role="status">
          {tolerance === 0 || !cost
            ? `${tolerance} px`
            : `${cost.vertices} corners, ${(100 * cost.error).toFixed(1)} % off`}
        </span>
      </div>
      <div className="slider-with-button">
        <Slider
          size="sm"
          min={0}
          max={MOST}
          step={0.5}
          label={null}
          disabled={object.locked}
          value={tolerance}
          thumbProps={{ "aria-labelledby": "simplify-name" }}
          onChange={(value) => {
            setTolerance(value);
            if (value > 0) void look(value, false);
            else setCost(null);
          }}
        />
        <Button
          size="compact-xs"
          variant="default"
          disabled={tolerance === 0 || object.locked}
          onClick={() => void look(tolerance, true)}
        >
          Apply
        </Button>
      </div>
    </div>
  );
}
