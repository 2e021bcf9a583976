"""How long a predictor needs: to look at a picture, to answer one prompt and many, to segment everything.

All predictors and all tasks take turns within every round, so that all meet the same machine; what other
processes used of it meanwhile is measured and reported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import anymask
from anymask.core.errors import InputError, ModelError
from anymask.core.images import Picture
from anymask.core.prompt import Prompt
from anymask.evaluate.environment import machine, versions
from anymask.evaluate.predictors import ModelPredictor, Predictor, Request
from anymask.evaluate.report import DataInfo, PredictorInfo, Report
from anymask.evaluate.run import named
from anymask.evaluate.timing import Timing, foreign_load, interleave

Task = Callable[[], object]

BUSY = 0.3
"""Cores used by others from which times say more about them than about the predictor."""


@dataclass(frozen=True)
class SpeedSettings:
    """rounds: samples of each task. prompts: how many clicks are answered at once, one task each.

    points_per_side: of everything mode's grid; 0 leaves that task out. patience: seconds to wait at most
    before a round until others use less than a quarter of a core.

    Raises InputError for a number that cannot be meant.
    """

    rounds: int = 7
    prompts: tuple[int, ...] = (16, 64)
    points_per_side: int = 32
    patience: float = 3.0

    def __post_init__(self) -> None:
        if self.rounds < 1 or any(count < 1 for count in self.prompts):
            raise InputError(
                f"rounds is {self.rounds}, prompts are {list(self.prompts)}; give numbers from 1"
            )
        if self.points_per_side < 0 or not 0 <= self.patience < float("inf"):
            raise InputError(
                f"points_per_side is {self.points_per_side}, patience {self.patience} seconds; "
                "give numbers from 0"
            )


def drawn_picture(height: int = 768, width: int = 1024) -> Picture:
    """A picture of 60 overlapping ellipses in plain colours, always the same for a size.

    Raises InputError for a side below 16 pixels.
    """
    import cv2

    if min(height, width) < 16:
        raise InputError(f"the picture would have {width} x {height} pixels; give at least 16 x 16")
    rng = np.random.default_rng(0)
    pixels = np.full((height, width, 3), 128, np.uint8)
    for _ in range(60):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = tuple(int(side) for side in rng.integers(4, max(min(height, width) // 5, 5), 2))
        colour = tuple(int(level) for level in rng.integers(0, 256, 3))
        cv2.ellipse(pixels, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, cv2.FILLED)
    return Picture(pixels, f"drawn {width} x {height}")


def tasks(predictor: Predictor, pictures: Sequence[Picture], settings: SpeedSettings) -> dict[str, Task]:
    """What is timed, by name; each call does it once for every picture.

    open: look at the picture (a model's embedding). first_mask: that, and one click. click, box, prompts16
    ...: the best mask for each prompt, of the picture's size, where the picture was opened before.
    everything: all masks of the picture, opening included; models only.
    """
    opened = [_open(predictor, picture) for picture in pictures]

    def answer(requests: Sequence[Sequence[Request]]) -> Task:
        return lambda: [ask(some) for ask, some in zip(opened, requests, strict=True)]

    click = [_clicks(picture, 1) for picture in pictures]
    found: dict[str, Task] = {
        "open": lambda: [_open(predictor, picture) for picture in pictures],
        "first_mask": lambda: [_open(predictor, p)(one) for p, one in zip(pictures, click, strict=True)],
        "click": answer(click),
        "box": answer([[Request(box=_middle(picture))] for picture in pictures]),
        **{f"prompts{n}": answer([_clicks(picture, n) for picture in pictures]) for n in settings.prompts},
    }
    if settings.points_per_side and isinstance(predictor, ModelPredictor):
        found["everything"] = _everything(predictor, pictures, settings.points_per_side)
    return found


def measure(
    predictors: Sequence[Predictor], pictures: Sequence[Picture], settings: SpeedSettings
) -> dict[str, dict[str, Timing]]:
    """Predictor's name -> task -> its samples; every task is called twice before the first counts.

    Raises InputError if there is no picture or predictor, or one is given twice.
    """
    if not pictures:
        raise InputError("there is no picture to measure on; give one")
    contenders = {
        (name, task): call
        for name, one in named(predictors).items()
        for task, call in tasks(one, pictures, settings).items()
    }
    by_number = {str(number): call for number, call in enumerate(contenders.values())}
    timings = interleave(by_number, settings.rounds, patience=settings.patience)
    found: dict[str, dict[str, Timing]] = {}
    for (name, task), timing in zip(contenders, timings.values(), strict=True):
        found.setdefault(name, {})[task] = timing
    return found


def summarise(timing: Timing, pictures: int) -> dict[str, float | int | None]:
    """One task's figures, milliseconds per picture.

    ms: median of the half of the samples that others disturbed least; median_ms, p10_ms, p90_ms: of all;
    best_ms: the shortest. foreign: cores that others used during the samples behind `ms`; None if the system
    does not tell.
    """
    times = {
        "ms": timing.ms,
        "median_ms": timing.quantile_ms(0.5),
        "p10_ms": timing.quantile_ms(0.1),
        "p90_ms": timing.quantile_ms(0.9),
        "best_ms": timing.best_ms,
    }
    foreign = None if np.isnan(timing.foreign) else timing.foreign
    return {
        **{name: value / pictures for name, value in times.items()},
        "rounds": len(timing.samples),
        "foreign": foreign,
    }


def load_of_others(timings: Mapping[str, Mapping[str, Timing]]) -> float | None:
    """Mean cores that other processes used during all samples; None if the system does not tell."""
    seen = [sample.foreign for by in timings.values() for timing in by.values() for sample in timing.samples]
    known = [value for value in seen if not np.isnan(value)]
    return float(np.mean(known)) if known else None


def speed_report(
    predictors: Sequence[Predictor],
    pictures: Sequence[Picture],
    settings: SpeedSettings,
    *,
    about: Mapping[str, Any],
    peak_mb: Mapping[str, float] | None = None,
) -> Report:
    """Measure, and the report of it.

    about: further settings (JSON values). peak_mb: predictor's name -> `peak_memory`, where it was measured.
    summary: predictor -> "tasks" (see `tasks` and `summarise`) and "peak_mb". machine: also
    "load_before" and "load_of_others", cores used by other processes before and during the samples.
    """
    before = foreign_load()
    timings = measure(predictors, pictures, settings)
    infos = tuple(PredictorInfo(name, one.sha256) for name, one in named(predictors).items())
    sizes = ", ".join(f"{p.image_hw[1]} x {p.image_hw[0]}" for p in pictures)
    names = ", ".join(dict.fromkeys(picture.name for picture in pictures))
    return Report(
        protocol="speed",
        settings={**asdict(settings), "prompts": list(settings.prompts), "sizes": sizes, **about},
        predictors=infos,
        data=DataInfo(names, len(pictures)),
        summary={
            name: {
                "tasks": {task: summarise(timing, len(pictures)) for task, timing in by.items()},
                "peak_mb": (peak_mb or {}).get(name),
            }
            for name, by in timings.items()
        },
        versions=versions(),
        machine={
            **machine(),
            "load_before": None if np.isnan(before) else before,
            "load_of_others": load_of_others(timings),
        },
    )


def peak_memory(model: str, image_hw: tuple[int, int], *, precision: str, backend: str) -> float:
    """The largest resident memory, in MB of 2**20 bytes, of a new process that loads a model, opens a drawn
    picture and answers one click.

    Raises ModelError with the process's last line if it fails.
    """
    package = str(Path(anymask.__file__).parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    words = [model, precision, backend, *map(str, image_hw)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "anymask.evaluate.one_mask", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"the process that measures the memory of '{model}' failed: {last}")
    return float(done.stdout)


def _open(predictor: Predictor, picture: Picture) -> Callable[[Sequence[Request]], object]:
    """Look at a picture; what comes back gives the best mask of each request.

    Models are asked directly: their scene would work out the masks of all candidates.
    """
    if not isinstance(predictor, ModelPredictor):
        return predictor.open(picture).predict_many
    model = predictor.model
    embedding = model.embed(picture)

    def answer(requests: Sequence[Request]) -> object:
        prompts = [Prompt.of(picture.image_hw, points=r.points or None, box=r.box) for r in requests]
        return [found.best.mask for found in model.predict_many(embedding, prompts)]

    return answer


def _everything(predictor: ModelPredictor, pictures: Sequence[Picture], points_per_side: int) -> Task:
    from anymask.automatic import generate_masks

    return lambda: [
        generate_masks(predictor.model, picture, points_per_side=points_per_side) for picture in pictures
    ]


def _clicks(picture: Picture, count: int) -> list[Request]:
    """One click each, at `count` places in the picture that are always the same."""
    height, width = picture.image_hw
    places = np.random.default_rng(count).uniform((0, 0), (width - 1, height - 1), (count, 2))
    return [Request(points=((float(x), float(y), 1),)) for x, y in places]


def _middle(picture: Picture) -> tuple[float, float, float, float]:
    """The box of half the picture's sides in its middle."""
    height, width = picture.image_hw
    return width / 4, height / 4, width * 3 / 4, height * 3 / 4
