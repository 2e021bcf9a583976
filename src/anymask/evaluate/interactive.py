"""The interactive protocol: a simulated person clicks, sees the mask, clicks where it is most wrong.

Sofiiuk et al. (arXiv 2102.06583) and Kirillov et al. (arXiv 2304.02643, section 7.1): the first click lies at
the centre of the object, the farthest place from its border; each next one at the centre of the largest error
region, with the last mask fed back. Masks are compared at the picture's own size.

Figures of a mask, all IoU unless said otherwise:

    click1 ... click9    after so many clicks, the predictor's first candidate
    oracle1              the best of all candidates for the first click alone; with more clicks a model gives
                         one candidate, so later oracles would be the figures above
    click1_boundary      boundary IoU after the first click; box_boundary: of the mask for the box
    noc85, noc90         clicks until the IoU is at least 0.85 or 0.90; 20 if 20 clicks do not do it
    box                  for the mask's bounding box alone
    box_click1 ... 3     for the box, then clicks at the largest error
    scribble             for a stroke along the object's medial line
    random1              for a single click anywhere on the object; random_oracle1: its best candidate
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np

from anymask.core.arrays import BoolArray
from anymask.core.boundaries import boundary_iou, boundary_width, inner_boundary
from anymask.core.errors import InputError
from anymask.core.masks import iou, mask_box
from anymask.core.rle import encode
from anymask.evaluate.clicks import central_click, mask_rng, next_click, random_click, stroke
from anymask.evaluate.predictors import Answer, Box, Point, Predictor, Request, Scene
from anymask.evaluate.report import Outcome
from anymask.evaluate.samples import Sample, TrueMask

Protocol = Literal["clicks", "box", "box-clicks", "scribble", "random-click", "noc"]
FirstClick = Literal["centre", "random"]

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
WORSE = 0.05  # a click that lowers IoU by more than this made the mask worse
WORSE_UNTIL = 5  # such clicks are counted up to the fifth, whatever the length of a run: runs stay comparable
NOC_LIMIT = 20
NOC_TARGETS = (0.85, 0.90)
BOX_CLICKS = 3
_SMALL, _MEDIUM = 32**2, 96**2  # COCO's classes of size, in pixels of area


@dataclass(frozen=True)
class InteractiveSettings:
    """What is simulated.

    protocols: any of PROTOCOLS. most_clicks: length of the "clicks" protocol, 1 to 20.
    first_click: at the centre, or anywhere on the object, drawn by `seed` for each mask alone.

    Raises InputError for a value that is not known or out of range.
    """

    protocols: tuple[Protocol, ...] = ("clicks", "box")
    most_clicks: int = 9
    first_click: FirstClick = "centre"
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [name for name in self.protocols if name not in PROTOCOLS]
        if unknown or not self.protocols:
            given = f"protocol {unknown[0]!r} is not known" if unknown else "no protocol is given"
            raise InputError(f"{given}; give some of {', '.join(PROTOCOLS)}")
        if not 1 <= self.most_clicks <= NOC_LIMIT:
            raise InputError(f"most_clicks is {self.most_clicks}; give 1 to {NOC_LIMIT}")
        if self.first_click not in get_args(FirstClick):
            raise InputError(
                f"first_click is {self.first_click!r}; give one of {', '.join(get_args(FirstClick))}"
            )
        ordered = tuple(name for name in PROTOCOLS if name in self.protocols)
        object.__setattr__(self, "protocols", ordered)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "protocols": list(self.protocols)}


@dataclass(eq=False)
class _Trial:
    """One true mask under test, and what is noted about it.

    target: what is to be found: the true mask without the pixels that are not scored.
    scored: the pixels that count; None means all.
    points, answer, course: the clicks so far, the last answer, the IoU after each click.
    """

    key: str
    number: int
    seed: int
    true: TrueMask
    target: BoolArray
    scored: BoolArray | None
    figures: dict[str, float] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    answer: Answer | None = None
    course: list[float] = field(default_factory=list)

    @property
    def box(self) -> Box:
        x0, y0, x1, y1 = mask_box(self.target)
        return float(x0), float(y0), float(x1), float(y1)

    def rng(self, use: str) -> np.random.Generator:
        """Chance that depends on nothing but the mask and what it is used for."""
        return mask_rng(self.seed, f"{self.key} {use}", self.number)

    def iou(self, guess: BoolArray) -> float:
        return iou(self.target, guess if self.scored is None else guess & self.scored)

    def best_iou(self, answer: Answer) -> float:
        return max(self.iou(guess) for guess in answer.masks)

    def boundary_iou(self, guess: BoolArray) -> float:
        if self.scored is None:
            return boundary_iou(self.true.mask, guess)
        # What is not scored counts as right, so that no outline runs along its border.
        guess = np.where(self.scored, guess, self.true.mask)
        width = boundary_width(guess.shape)
        return iou(*(inner_boundary(mask, width) & self.scored for mask in (self.true.mask, guess)))

    def correct(self) -> bool:
        """Make the next click; False if there is nothing to correct."""
        assert self.answer is not None
        click = next_click(self.target, self.answer.masks[0], self.scored)
        if click is not None:
            self.points.append(click)
        return click is not None


def evaluate_sample(
    predictor: Predictor, sample: Sample, settings: InteractiveSettings, *, name: str | None = None
) -> list[Outcome]:
    """Point at every mask of a picture in all the ways asked for; masks of a round are answered together.

    name: of the predictor in the outcomes. Crowds and masks without a scored pixel are left out.
    """
    trials = _trials(sample, settings.seed)
    if not trials:
        return []
    scene = predictor.open(sample.picture)
    if {"clicks", "noc"} & set(settings.protocols):
        _click(scene, trials, settings)
    if {"box", "box-clicks"} & set(settings.protocols):
        _box(scene, trials, clicks=BOX_CLICKS if "box-clicks" in settings.protocols else 0)
    if "scribble" in settings.protocols:
        requests = [Request(scribble=stroke(t.target, t.rng("stroke"))) for t in trials]
        for trial, answer in zip(trials, scene.predict_many(requests), strict=True):
            trial.figures["scribble"] = trial.iou(answer.masks[0])
    if "random-click" in settings.protocols:
        requests = [Request(points=(random_click(t.target, t.rng("click")),)) for t in trials]
        for trial, answer in zip(trials, scene.predict_many(requests), strict=True):
            trial.figures["random1"] = trial.iou(answer.masks[0])
            trial.figures["random_oracle1"] = trial.best_iou(answer)
    return [_outcome(name or predictor.name, sample, trial) for trial in trials]


def _trials(sample: Sample, seed: int) -> list[_Trial]:
    trials = []
    for number, true in enumerate(sample.masks):
        scored = None if true.ignore is None else ~true.ignore
        target = true.mask if scored is None else true.mask & scored
        if not true.crowd and target.any():
            trials.append(_Trial(sample.key, number, seed, true, target, scored))
    return trials


def _click(scene: Scene, trials: Sequence[_Trial], settings: InteractiveSettings) -> None:
    """Click after click on all masks; one that is right, or on which no more clicks are asked for, leaves."""
    most = settings.most_clicks if "clicks" in settings.protocols else 1
    noc = "noc" in settings.protocols
    for trial in trials:
        trial.points.append(_first_click(trial, settings))
    _answer(scene, trials)
    for trial in trials:
        _note_first_click(trial)
    active = list(trials)
    for made in range(1, NOC_LIMIT if noc else most):
        active = [t for t in active if made < most or (noc and max(t.course) < max(NOC_TARGETS))]
        active = [t for t in active if t.correct()]
        _answer(scene, active)
    for trial in trials:
        _note_course(trial, most, noc=noc)


def _first_click(trial: _Trial, settings: InteractiveSettings) -> Point:
    if settings.first_click == "centre":
        return central_click(trial.target)
    return random_click(trial.target, trial.rng("first click"))


def _answer(scene: Scene, trials: Sequence[_Trial]) -> None:
    """One round: all clicks so far and the last answer of each mask, answered together."""
    if not trials:
        return
    requests = [Request(points=tuple(t.points), previous=t.answer) for t in trials]
    for trial, answer in zip(trials, scene.predict_many(requests), strict=True):
        trial.answer = answer
        trial.course.append(trial.iou(answer.masks[0]))


def _note_first_click(trial: _Trial) -> None:
    assert trial.answer is not None
    guess = trial.answer.masks[0]
    trial.figures["oracle1"] = trial.best_iou(trial.answer)
    trial.figures["click1_boundary"] = trial.boundary_iou(guess)
    trial.notes["predicted"] = trial.answer.scores[0] if trial.answer.scores else None
    trial.notes["point_xy"] = trial.points[0][:2]
    trial.notes["click_rle"] = encode(guess).counts


def _note_course(trial: _Trial, most: int, *, noc: bool) -> None:
    """IoU after each click; a mask that was right before the last click stays as it was."""
    course = trial.course + [trial.course[-1]] * (most - len(trial.course))
    trial.figures.update({f"click{i}": value for i, value in enumerate(course[:most], 1)})
    counted = course[: min(most, WORSE_UNTIL)]
    trial.notes["extra_clicks"] = len(counted) - 1
    trial.notes["worse"] = sum(worse_clicks(counted))
    if noc:
        for target in NOC_TARGETS:
            enough = [i for i, value in enumerate(course, 1) if value >= target]
            trial.figures[f"noc{round(100 * target)}"] = float(enough[0] if enough else NOC_LIMIT)


def worse_clicks(course: Sequence[float]) -> list[bool]:
    """For each click after the first, whether it lowered the IoU by more than WORSE."""
    return [after < before - WORSE for before, after in pairwise(course)]


def _box(scene: Scene, trials: Sequence[_Trial], *, clicks: int) -> None:
    answers = scene.predict_many([Request(box=trial.box) for trial in trials])
    for trial, answer in zip(trials, answers, strict=True):
        guess = answer.masks[0]
        trial.figures["box"] = trial.iou(guess)
        trial.figures["box_boundary"] = trial.boundary_iou(guess)
        trial.notes["box_xyxy"] = trial.box
        trial.notes["box_rle"] = encode(guess).counts
        trial.answer, trial.points = answer, []
    active = list(trials)
    for number in range(1, clicks + 1):
        active = [trial for trial in active if trial.correct()]
        requests = [Request(points=tuple(t.points), box=t.box, previous=t.answer) for t in active]
        for trial, answer in zip(active, scene.predict_many(requests) if active else (), strict=True):
            trial.answer = answer
        for trial in trials:
            assert trial.answer is not None
            trial.figures[f"box_click{number}"] = trial.iou(trial.answer.masks[0])


def _outcome(name: str, sample: Sample, trial: _Trial) -> Outcome:
    area = int(np.count_nonzero(trial.true.mask))
    return Outcome(
        key=sample.key,
        number=trial.number,
        predictor=name,
        source=sample.source,
        kind=sample.kind,
        label=trial.true.label,
        zero_shot=sample.zero_shot,
        image_hw=sample.picture.image_hw,
        area=area,
        size=size_class(area),
        figures=trial.figures,
        **trial.notes,
    )


def size_class(area: float) -> str:
    """COCO's class of a mask of so many pixels: "small" below 32 x 32, "large" from 96 x 96, or "medium"."""
    return "small" if area < _SMALL else "medium" if area < _MEDIUM else "large"
