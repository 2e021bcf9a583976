"""Interleaved timing on a machine that others use too.

Ratios of two runs say little when the load changes between them. Here every round calls each contender once,
each sample notes how many cores other processes used meanwhile, and the figure is the median of the half of
the samples that were disturbed least.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
_BUSY_FIELDS = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal
_SHORTEST_SAMPLE = 0.2  # seconds; the kernel counts CPU time in hundredths: shorter ones tell no load
_QUIET = 0.25  # cores used by others


@dataclass(frozen=True)
class Sample:
    """One measurement. ms: wall time per call. foreign: cores that other processes used; NaN if unknown."""

    ms: float
    foreign: float


@dataclass(frozen=True)
class Timing:
    """All samples of one contender."""

    samples: tuple[Sample, ...]

    @property
    def clean(self) -> tuple[Sample, ...]:
        """The half of the samples with the least foreign load, at least two where there are two."""
        ordered = sorted(self.samples, key=lambda sample: (math.isnan(sample.foreign), sample.foreign))
        return tuple(ordered[: max(2, (len(ordered) + 1) // 2)])

    @property
    def ms(self) -> float:
        """Median of the clean samples, milliseconds."""
        return statistics.median(sample.ms for sample in self.clean)

    @property
    def best_ms(self) -> float:
        """The shortest sample, milliseconds."""
        return min(sample.ms for sample in self.samples)

    def quantile_ms(self, share: float) -> float:
        """The time that this share of all samples, disturbed ones included, does not exceed; milliseconds.

        Linear between neighbouring samples, as NumPy's default.
        """
        ordered = sorted(sample.ms for sample in self.samples)
        place = share * (len(ordered) - 1)
        low = min(int(place), len(ordered) - 1)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    @property
    def foreign(self) -> float:
        """Mean cores used by others during the clean samples; NaN if unknown."""
        return statistics.fmean(sample.foreign for sample in self.clean)


def interleave(
    contenders: Mapping[str, Callable[[], object]], rounds: int, *, patience: float = 3.0
) -> dict[str, Timing]:
    """Call every contender once per round, after one call each to warm up.

    patience: seconds to wait at most before a round until others use less than a quarter of a core.
    """
    repeats = {name: _repeats(call) for name, call in contenders.items()}
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for _ in range(rounds):
        wait_for_quiet(patience)
        for name, call in contenders.items():
            samples[name].append(_sample(call, repeats[name]))
    return {name: Timing(tuple(taken)) for name, taken in samples.items()}


def foreign_load(seconds: float = 0.4) -> float:
    """Cores that other processes use now, watched for some time; NaN if the system does not tell."""
    return _sample(lambda: time.sleep(seconds), 1).foreign


def wait_for_quiet(patience: float) -> None:
    """Return when others use little of the machine, or patience is at its end."""
    end = time.monotonic() + patience
    while time.monotonic() < end and foreign_load() > _QUIET:
        pass


def _repeats(call: Callable[[], object]) -> int:
    """How often to call for one sample; calls twice, so that nothing is done for the first time later."""
    call()
    start = time.perf_counter()
    call()
    return max(1, math.ceil(_SHORTEST_SAMPLE / max(time.perf_counter() - start, 1e-6)))


def _sample(call: Callable[[], object], repeats: int) -> Sample:
    busy, own, start = _busy_seconds(), _own_seconds(), time.perf_counter()
    for _ in range(repeats):
        call()
    wall = time.perf_counter() - start
    foreign = (_busy_seconds() - busy) - (_own_seconds() - own)
    return Sample(wall / repeats * 1e3, max(0.0, foreign / wall) if foreign == foreign else math.nan)


def _busy_seconds() -> float:
    """CPU seconds that the machine has worked since it started; NaN where the kernel does not tell."""
    try:
        with _STAT.open() as file:
            fields: Sequence[str] = file.readline().split()[1:]
    except OSError:
        return math.nan
    return sum(int(fields[i]) for i in _BUSY_FIELDS) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
