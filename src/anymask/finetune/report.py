"""A run's result as JSON and as a page for people (Markdown), beside the comparison pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anymask.evaluate.compare import Comparison, Difference
from anymask.finetune.verdict import LEAST_UNITS, Verdict, forgotten

FORMAT = 1
UNCHANGED = " Training gained nothing on the validation part, so the weights are the old ones."
_SHOWN = ("click1", "oracle1", "click2", "click3", "click4", "click5", "box")
TITLES = {
    "click1": "1 click", "oracle1": "1 click, best of 3", "click2": "2 clicks", "click3": "3 clicks",
    "click4": "4 clicks", "click5": "5 clicks", "box": "box",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Result:
    """What a run came to.

    base, model: full names. verdict, held_out: on pictures that were not trained on. guard: on the data that
    says what was forgotten, if some was given. training: what the manifest says, too.
    """

    base: str
    model: str
    verdict: Verdict
    held_out: Comparison
    guard: Comparison | None
    training: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As JSON values, without the single masks."""
        return {
            "anymask_finetune": FORMAT,
            "base": self.base,
            "model": self.model,
            "verdict": self.verdict.to_json(),
            "held_out": self.held_out.to_json(),
            "guard": None if self.guard is None else self.guard.to_json(),
            "training": dict(self.training),
        }

    def metrics(self) -> dict[str, Any]:
        """What the manifest says of the comparison."""
        guard = {} if self.guard is None else {"guard": _figures(self.guard)}
        return {"verdict": self.verdict.to_json(), "held_out": _figures(self.held_out), **guard}

    def to_markdown(self) -> str:
        """A page for people."""
        found = self.held_out
        lines = [
            f"# {self.base} -> {self.model}: {self.verdict.word}",
            "",
            self._explained(),
            "",
            f"## Held out: {found.data[1]}",
            "",
            f"{found.pictures} pictures, {len(found.pairs)} masks. IoU, mean over masks; differences are "
            "taken mask by mask, intervals are 95 % bootstrap intervals over pictures.",
            "",
            *_table(found),
            "",
            "Pictures of the largest gains and losses: [comparison.html](comparison.html).",
            "",
            *self._guard(),
            "## Training",
            "",
            *(f"- {name}: {_said(value)}" for name, value in self.training.items()),
            "",
        ]
        return "\n".join(lines)

    def _explained(self) -> str:
        verdict = self.verdict
        low, high = verdict.interval_95
        what = (
            f"The mean of {', '.join(TITLES[name] for name in verdict.judge)} went from {verdict.before:.3f} "
            f"to {verdict.after:.3f}, a difference of {verdict.difference:+.3f} with an interval of "
            f"{low:+.3f} to {high:+.3f}."
        )
        why = {
            "better": "The whole interval lies above 0: the new model is better on such pictures.",
            "worse": "The whole interval lies below 0: the new model is worse. Keep the old one.",
            "not shown to be better": "The interval holds 0: these pictures do not show that the new model "
            "is better. Keep the old one, or measure on more pictures.",
            "too little data to tell": f"{verdict.units} pictures or groups are too few to prove anything; "
            f"hold out at least {LEAST_UNITS}.",
        }[verdict.word]
        nothing = "" if self.training.get("best_step") else UNCHANGED
        return f"**{verdict.word}.** {what} {why}{nothing}"

    def _guard(self) -> list[str]:
        if self.guard is None:
            return []
        lost = forgotten(self.guard, self.verdict.judge)
        said = "Nothing that was judged got surely worse here by more than 0.005."
        if lost is not None:
            said = f"**Something was forgotten**: up to {lost.difference:+.3f} IoU on this data."
        return [
            f"## Guard: {self.guard.data[1]}",
            "",
            f"{said} {self.guard.pictures} pictures, {len(self.guard.pairs)} masks; "
            "[guard.html](guard.html) shows where.",
            "",
            *_table(self.guard),
            "",
        ]


def _figures(found: Comparison) -> dict[str, dict[str, float]]:
    return {
        name: {"before": one.a, "after": one.b, "low": one.interval_95[0], "high": one.interval_95[1]}
        for name, one in found.over_masks.items()
        if name in _SHOWN
    }


def _table(found: Comparison) -> Sequence[str]:
    rows = ["| | before | after | difference | interval | won | lost |", "|---|---|---|---|---|---|---|"]
    return [*rows, *(_row(n, found.over_masks[n]) for n in _SHOWN if n in found.over_masks)]


def _row(name: str, one: Difference) -> str:
    low, high = one.interval_95
    return (
        f"| {TITLES[name]} | {one.a:.3f} | {one.b:.3f} | {one.difference:+.3f} | {low:+.3f} to {high:+.3f} | "
        f"{one.wins} | {one.losses} |"
    )


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(entry)}" for name, entry in value.items())
    return ", ".join(map(_said, value)) if isinstance(value, list) else str(value)
