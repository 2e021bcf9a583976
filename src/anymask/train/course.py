"""What every training run has: how far it is, its learning rates, its optimiser's groups, its lines."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.optim import Optimizer


def share_done(step: int, steps: int, seconds: float, minutes: float) -> float:
    """Share of the schedule that is done, by steps or by training time, whichever is further.

    minutes: 0 for a schedule of steps alone.
    """
    by_steps = step / steps
    return max(by_steps, seconds / (60 * minutes)) if minutes else by_steps


def share_of_rate(done: float, step: int, warmup: int, last: float = 0.02) -> float:
    """Share of the base learning rate: linear over the first `warmup` steps, then along a cosine to `last`.

    done: as from `share_done`; more than 1 counts as 1.
    """
    fallen = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return min(1.0, (step + 1) / warmup) * (last + (1 - last) * fallen)


def parameter_groups(
    named: Iterable[tuple[str, Tensor]],
    rate: Callable[[str], float],
    weight_decay: float,
    no_decay: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """An optimiser's groups: weight decay for matrices and kernels, not for biases and norms.

    no_decay: ends of the names of others that have none, either.
    rate: base learning rate of a parameter, by its name; `set_rates` says which share of it counts.
    """
    groups: dict[tuple[float, bool], list[Tensor]] = {}
    for name, parameter in named:
        is_matrix = parameter.ndim > 1 and not name.endswith(no_decay)
        groups.setdefault((rate(name), is_matrix), []).append(parameter)
    return [
        {"params": found, "base": base, "lr": 0.0, "weight_decay": weight_decay if matrix else 0.0}
        for (base, matrix), found in groups.items()
    ]


def set_rates(optimiser: Optimizer, share: float) -> None:
    """Every group of `parameter_groups` learns at this share of its base rate from now on."""
    for group in optimiser.param_groups:
        group["lr"] = group["base"] * share


def write_line(file: Path, values: Mapping[str, Any]) -> str:
    """Append values as one line of JSON; returns the line. Raises OSError."""
    line = json.dumps(values)
    with file.open("a", encoding="utf-8") as out:
        out.write(line + "\n")
    return line
