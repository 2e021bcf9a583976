"""What may be called better, and what may not."""

from __future__ import annotations

import numpy as np
import pytest

from anymask.evaluate.compare import Comparison, compare
from anymask.evaluate.report import Outcome, PredictorInfo
from anymask.finetune.report import Result
from anymask.finetune.verdict import LEAST_UNITS, forgotten, judge

FIGURES = ("click1", "box")


def comparison(changes: np.ndarray, *, box: float = 0.0) -> Comparison:
    """Pictures (rows) of masks (columns) whose click1 changes from 0.5 by so much, and whose box by `box`."""

    def rows(name: str, after: bool) -> list[Outcome]:
        return [
            Outcome(
                f"p{i}", j, name, "s", None, None, False, (10, 10), 20, "small",
                {"click1": 0.5 + after * float(changes[i, j]), "box": 0.5 + after * box},
            )
            for i in range(changes.shape[0]) for j in range(changes.shape[1])
        ]  # fmt: skip

    a, b = PredictorInfo("old", "aa"), PredictorInfo("new", "bb")
    return compare("interactive", ("d", "d"), a, rows("old", False), b, rows("new", True))


def noise(pictures: int, spread: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, spread, (pictures, 4))


def test_a_sure_gain_is_better() -> None:
    found = judge(comparison(noise(20, 0.02) + 0.1), FIGURES)
    assert found.better
    assert found.interval_95[0] > 0
    assert found.difference == pytest.approx(0.05, abs=0.01)  # the mean of click1 and an unchanged box
    assert found.after - found.before == pytest.approx(found.difference)
    assert (found.units, found.masks) == (20, 80)


def test_noise_is_not_better() -> None:
    found = judge(comparison(noise(20, 0.1)), FIGURES)
    assert found.word == "not shown to be better"
    assert found.interval_95[0] < 0 < found.interval_95[1]


def test_no_change_is_not_better() -> None:
    assert judge(comparison(np.zeros((20, 3))), FIGURES).word == "not shown to be better"


def test_a_sure_loss_is_worse() -> None:
    assert judge(comparison(noise(20, 0.02) - 0.1), FIGURES).word == "worse"


def test_a_gain_of_one_figure_may_be_a_loss_of_another() -> None:
    found = comparison(noise(20, 0.01) + 0.05, box=-0.1)
    assert judge(found, ("click1",)).better
    assert judge(found, FIGURES).word == "worse"


def test_few_pictures_prove_nothing() -> None:
    assert judge(comparison(np.full((LEAST_UNITS, 3), 0.2)), FIGURES).better
    found = judge(comparison(np.full((LEAST_UNITS - 1, 3), 0.2)), FIGURES)
    assert found.word == "too little data to tell"


def test_pictures_of_one_group_count_once() -> None:
    found = comparison(noise(20, 0.02) + 0.1)
    assert not judge(found, FIGURES, {f"p{i}": f"patient{i % 3}" for i in range(20)}).better
    one_bad = np.repeat(np.array([0.3, 0.3, 0.3, 0.3, 0.3, 0.3, -0.9]), 5)[:, None].repeat(2, 1)
    by_picture = judge(comparison(one_bad), FIGURES)
    by_group = judge(comparison(one_bad), FIGURES, {f"p{i}": str(i // 5) for i in range(35)})
    assert by_group.units == 7
    assert by_group.interval_95[0] < by_picture.interval_95[0]


def test_what_is_forgotten_is_named() -> None:
    assert forgotten(comparison(noise(20, 0.02) + 0.1), FIGURES) is None
    lost = forgotten(comparison(noise(20, 0.02) - 0.1), FIGURES)
    assert lost is not None
    assert lost.difference < -0.05


def test_the_page_says_the_verdict() -> None:
    better, worse = comparison(noise(20, 0.02) + 0.1), comparison(noise(20, 0.02) - 0.1)
    good = Result("lite@1", "mine@1", judge(better, FIGURES), better, worse, {"steps": 3}).to_markdown()
    assert "**better.**" in good
    assert "Something was forgotten" in good
    assert "| 1 click | 0.500 | 0.6" in good
    bad = Result("lite@1", "mine@1", judge(worse, FIGURES), worse, None, {}).to_markdown()
    assert "Keep the old one" in bad
    assert "is better on such pictures" not in bad
