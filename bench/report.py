"""What was measured, as a table for people and as JSON for comparisons later."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from anymask.core.files import write_atomically
from anymask.evaluate.timing import Timing

_PACKAGES = ("anymask", "openvino", "torch", "numpy", "segment-anything", "mobilesam-mirror")


@dataclass(frozen=True)
class Row:
    """One contender. value: milliseconds or megabytes, less is better. best: the smallest seen.

    foreign: cores used by others meanwhile, NaN if unknown. difference: the largest difference of its answers
    from those of the part's first contender, None where there is nothing to compare.
    """

    contender: str
    value: float
    unit: str
    best: float
    foreign: float = math.nan
    difference: float | None = None


@dataclass(frozen=True)
class Part:
    """One comparison; the first row is what the others are compared with."""

    name: str
    title: str
    rows: Sequence[Row]

    def ratio(self, row: Row) -> float:
        """How many times less a row needs than the first one."""
        return self.rows[0].value / row.value


def rows_of(timings: Mapping[str, Timing], differences: Mapping[str, float] | None = None) -> list[Row]:
    """Timings as rows, with the differences of their answers where they are known."""
    known = differences or {}
    return [
        Row(name, timing.ms, "ms", timing.best_ms, timing.foreign, known.get(name))
        for name, timing in timings.items()
    ]


def table(part: Part) -> str:
    """A part as text: one line per contender."""
    lines = [f"{part.title}  [{part.name}]"]
    for row in part.rows:
        ratio = f"{part.ratio(row):8.2f}x"
        foreign = "" if math.isnan(row.foreign) else f"  load of others {row.foreign:.2f}"
        difference = "" if row.difference is None else f"  max difference {row.difference:.1e}"
        figures = f"{row.value:10.1f} {row.unit}  best {row.best:10.1f}"
        lines.append(f"  {row.contender:34s}{figures}{ratio}{foreign}{difference}")
    return "\n".join(lines)


def write_json(path: Path, parts: Sequence[Part], load: float) -> Path:
    """All parts, the machine and the versions. load: cores that others used at the beginning."""
    return write_atomically(path, json.dumps(_document(parts, load), indent=2).encode())


def _document(parts: Sequence[Part], load: float) -> dict[str, Any]:
    return {
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "load_of_others": _number(load)},
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _PACKAGES},
        "parts": {part.name: {"title": part.title, "rows": _rows(part)} for part in parts},
    }


def _rows(part: Part) -> list[dict[str, Any]]:
    return [
        {name: _number(value) for name, value in asdict(row).items()} | {"ratio": part.ratio(row)}
        for row in part.rows
    ]


def _number(value: Any) -> Any:
    """JSON has no NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
