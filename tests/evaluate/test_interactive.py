"""The interactive protocol on drawn pictures, with predictors whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from anymask.core.boundaries import boundary_iou
from anymask.core.errors import InputError
from anymask.core.images import Picture
from anymask.core.masks import iou
from anymask.core.rle import Rle, decode
from anymask.evaluate.interactive import (
    NOC_LIMIT,
    PROTOCOLS,
    InteractiveSettings,
    evaluate_sample,
    size_class,
    worse_clicks,
)
from anymask.evaluate.predictors import Answer, ModelPredictor, Request
from anymask.evaluate.report import Outcome
from anymask.evaluate.samples import Sample, TrueMask
from tests.fake_runtime import fake_model
from tests.train.toys import drawing

HW = (60, 90)
OBJECT = np.zeros(HW, bool)
OBJECT[10:50, 20:60] = True


def share(amount: float) -> np.ndarray:
    """A part of OBJECT with this IoU: whole columns from the left, 40 of them."""
    part = OBJECT.copy()
    part[:, 20 + round(40 * amount) :] = False
    return part


@dataclass
class Scripted:
    """Answers the i-th request on a picture with the i-th of its masks; the last one stays."""

    course: Sequence[Sequence[np.ndarray]]
    name: str = "scripted"
    sha256: str = ""
    requests: list[Request] = field(default_factory=list)

    def open(self, picture: Picture) -> Scripted:
        return self

    def predict_many(self, requests: Sequence[Request]) -> list[Answer]:
        answers = []
        for request in requests:
            masks = self.course[min(len(self.requests), len(self.course) - 1)]
            self.requests.append(request)
            answers.append(Answer(tuple(masks), tuple(0.8 for _ in masks), len(self.requests)))
        return answers


def sample(*masks: TrueMask, key: str = "toy") -> Sample:
    return Sample(key, Picture(np.zeros((*HW, 3), np.uint8)), masks or (TrueMask(OBJECT),), "toys")


def measure(predictor: Scripted, true: Sample | None = None, **settings: object) -> Outcome:
    (outcome,) = evaluate_sample(predictor, true or sample(), InteractiveSettings(**settings))
    return outcome


def test_a_model_that_is_right_scores_one() -> None:
    """The fake model finds regions of one colour, which is just what the drawings' masks are."""
    pixels, masks = drawing(1, 128, 192)
    toy = Sample("toy", Picture(pixels), tuple(TrueMask(mask, "thing") for mask in masks), "toys", "other")
    model = ModelPredictor(fake_model(input_size=768, mask_size=192))
    outcomes = evaluate_sample(model, toy, InteractiveSettings(PROTOCOLS), name="the model")
    assert [o.number for o in outcomes] == [0, 1]
    for outcome, mask in zip(outcomes, masks, strict=True):
        figures = outcome.figures
        assert min(v for name, v in figures.items() if not name.startswith("noc")) > 0.85
        assert figures["oracle1"] >= figures["click1"]
        assert [name for name in figures if name.startswith("click") and name[5:].isdigit()] == [
            f"click{i}" for i in range(1, 10)
        ]
        assert {"box", "box_click1", "box_click3", "scribble", "random1", "noc85", "noc90"} < set(figures)
        assert outcome.predicted == pytest.approx(0.9)
        assert (outcome.predictor, outcome.label, outcome.kind) == ("the model", "thing", "other")
        assert outcome.area == mask.sum()
        x, y = outcome.point_xy or (0, 0)
        assert mask[int(y), int(x)]
        for counts, figure in ((outcome.click_rle, "click1"), (outcome.box_rle, "box")):
            kept = decode(Rle(outcome.image_hw, counts or ""))
            assert iou(kept, mask) == figures[figure]
            assert boundary_iou(kept, mask) == figures[f"{figure}_boundary"]


def test_each_click_corrects_and_is_fed_the_last_answer() -> None:
    course = [[share(0.5)], [share(0.75)], [OBJECT | np.eye(*HW, dtype=bool)], [share(0.875)]]
    predictor = Scripted(course)
    outcome = measure(predictor, protocols=("clicks",), most_clicks=4)
    figures = [outcome.figures[f"click{i}"] for i in (1, 2, 3, 4)]
    assert figures == [iou(OBJECT, masks[0]) for masks in course]
    assert [len(request.points) for request in predictor.requests] == [1, 2, 3, 4]
    assert [r.previous and r.previous.state for r in predictor.requests] == [None, 1, 2, 3]
    assert [label for _, _, label in predictor.requests[-1].points] == [1, 1, 1, 0]
    assert outcome.extra_clicks == 3
    assert outcome.worse == 1  # from 0.96 to 0.875 in the end


def test_the_oracle_is_the_best_candidate_of_the_first_click() -> None:
    outcome = measure(Scripted([[share(0.5), share(0.75), share(0.25)]]), most_clicks=1)
    assert (outcome.figures["click1"], outcome.figures["oracle1"]) == (0.5, 0.75)


def test_a_mask_that_is_right_needs_no_more_clicks() -> None:
    predictor = Scripted([[share(0.5)], [OBJECT], [share(0.1)]])
    outcome = measure(predictor, protocols=("clicks",), most_clicks=5)
    assert len(predictor.requests) == 2
    assert [outcome.figures[f"click{i}"] for i in range(1, 6)] == [0.5, 1, 1, 1, 1]
    assert outcome.worse == 0


@pytest.mark.parametrize(
    ("course", "noc85", "noc90", "asked"),
    [
        ([0.5, 0.875, 0.8, 0.95], 2, 4, 4),
        ([0.95], 1, 1, 1),
        ([0.5, 0.875], 2, NOC_LIMIT, NOC_LIMIT),  # a miss counts as twenty
        ([0.1], NOC_LIMIT, NOC_LIMIT, NOC_LIMIT),
    ],
)
def test_number_of_clicks(course: list[float], noc85: int, noc90: int, asked: int) -> None:
    predictor = Scripted([[share(value)] for value in course])
    outcome = measure(predictor, protocols=("noc",))
    assert (outcome.figures["noc85"], outcome.figures["noc90"]) == (noc85, noc90)
    assert len(predictor.requests) == asked


def test_clicks_go_on_after_the_target_is_reached_if_asked_for() -> None:
    predictor = Scripted([[share(0.95)], [share(0.5)]])
    outcome = measure(predictor, protocols=("noc", "clicks"), most_clicks=3)
    assert len(predictor.requests) == 3
    assert outcome.figures["click3"] == 0.5
    assert outcome.figures["noc90"] == 1


def test_box_and_clicks_after_it() -> None:
    predictor = Scripted([[share(0.5)], [share(0.75)], [OBJECT]])
    outcome = measure(predictor, protocols=("box-clicks",))
    assert [outcome.figures[n] for n in ("box", "box_click1", "box_click2", "box_click3")] == [
        0.5, 0.75, 1, 1,
    ]  # fmt: skip
    assert [r.box for r in predictor.requests] == [(20.0, 10.0, 60.0, 50.0)] * 3
    assert [len(r.points) for r in predictor.requests] == [0, 1, 2]


def test_what_is_not_scored_is_neither_clicked_nor_counted() -> None:
    ignore = np.zeros(HW, bool)
    ignore[:, 40:] = True
    true = sample(TrueMask(OBJECT, ignore=ignore))
    predictor = Scripted([[share(0.5)]])  # exactly what is scored
    outcome = measure(predictor, true, protocols=("clicks", "box"))
    assert len(predictor.requests) == 2
    assert {outcome.figures[n] for n in ("click1", "click9", "box", "click1_boundary")} == {1.0}
    assert predictor.requests[1].box == (20.0, 10.0, 40.0, 50.0)
    assert outcome.area == OBJECT.sum()


def test_crowds_and_masks_that_are_not_scored_are_left_out() -> None:
    masks = TrueMask(OBJECT, crowd=True), TrueMask(OBJECT, ignore=OBJECT), TrueMask(share(0.5))
    outcomes = evaluate_sample(Scripted([[OBJECT]]), sample(*masks), InteractiveSettings())
    assert [o.number for o in outcomes] == [2]
    assert evaluate_sample(Scripted([]), sample(masks[0]), InteractiveSettings()) == []


def test_random_clicks_depend_on_the_seed_and_the_mask_alone() -> None:
    def first(true: Sample, seed: int = 0, **settings: object) -> tuple[float, float] | None:
        return measure(
            Scripted([[OBJECT]]), true, first_click="random", most_clicks=1, seed=seed, **settings
        ).point_xy

    alone = first(sample())
    assert alone == first(sample(), protocols=PROTOCOLS)
    others = {first(sample(), seed) for seed in range(1, 6)} | {first(sample(key="b"))}
    assert len(others | {alone}) > 4
    both = evaluate_sample(
        Scripted([[OBJECT]]),
        sample(TrueMask(OBJECT), TrueMask(OBJECT)),
        InteractiveSettings(first_click="random", most_clicks=1),
    )
    assert both[0].point_xy == alone != both[1].point_xy


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"protocols": ("clicks", "boxes")}, "'boxes' is not known"),
        ({"protocols": ()}, "no protocol"),
        ({"most_clicks": 0}, "give 1 to 20"),
        ({"most_clicks": 21}, "give 1 to 20"),
        ({"first_click": "edge"}, "centre, random"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        InteractiveSettings(**settings)


def test_worse_clicks() -> None:
    assert worse_clicks([0.5, 0.4, 0.36, 0.9]) == [True, False, False]
    assert worse_clicks([0.5]) == []


def test_size_classes_are_cocos() -> None:
    assert [size_class(n) for n in (1023, 1024, 9215, 9216)] == ["small", "medium", "medium", "large"]
