"""Working masks out only where they matter gives the masks of working them all out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from anymask.automatic.candidates import Candidate, InclusiveBox
from anymask.automatic.crops import Crop
from anymask.automatic.possible import Boxes, Possible, best, boxes_of, narrowed, within
from anymask.automatic.suppression import suppress_overlaps
from anymask.automatic.workers import Workers
from anymask.core.geometry import InputFrame
from anymask.core.rle import encode
from anymask.core.upscale import Window, upscale_mask

SIZE = 60
WHOLE = Crop(Window(0, SIZE, 0, SIZE), 0)
RLE = encode(np.ones((SIZE, SIZE), bool))


def candidate(box: InclusiveBox, score: float) -> Candidate:
    return Candidate(RLE, box, score, 1.0, (1.0, 1.0), WHOLE)


def scene(seed: int) -> list[Possible]:
    """Boxes that overlap much, known up to a few pixels; every fifth mask is unstable."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(80):
        centre, half = random.integers(15, 45, 2), random.integers(6, 14, 2)
        x0, y0, x1, y1 = (int(v) for v in (*(centre - half), *(centre + half)))
        score = float(random.integers(0, 20)) / 20  # many are equal
        slack = int(random.integers(0, 3))
        inner = None if number % 7 == 0 else InclusiveBox(x0 + slack, y0 + slack, x1 - slack, y1 - slack)
        outer = InclusiveBox(x0 - slack, y0 - slack, x1 + slack, y1 + slack)
        answer = None if number % 5 == 0 else candidate(InclusiveBox(x0, y0, x1, y1), score)
        box = InclusiveBox(x0, y0, x1, y1)
        found.append(
            Possible(score, inner, outer, lambda box=box: [(box, box)], lambda answer=answer: answer)
        )
    return found


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_equals_suppressing_all(seed: int, threshold: float) -> None:
    found = scene(seed)

    def fits(one: Candidate) -> bool:
        return one.box.x0 % 3 > 0

    worked_out = [one.work_out() for one in found]
    all_of_them = [one for one in worked_out if one is not None and fits(one)]
    kept = suppress_overlaps([one.box for one in all_of_them], [one.score for one in all_of_them], threshold)
    expected = [all_of_them[i] for i in kept]
    assert best(found, fits, threshold) == expected
    assert len(expected) >= 1


def test_a_sure_duplicate_is_not_worked_out() -> None:
    box = InclusiveBox(10, 10, 40, 40)
    asked = []

    def narrow() -> Iterator[Boxes]:
        asked.append("box")
        yield box, box

    def work_out() -> Candidate:
        asked.append("mask")
        return candidate(box, 0.5)

    better = Possible.known(candidate(box, 0.9))
    sure = Possible(0.5, InclusiveBox(11, 11, 39, 39), InclusiveBox(9, 9, 41, 41), narrow, work_out)
    assert best([sure, better], lambda one: True, 0.6) == [better.work_out()]
    assert not asked
    vague = Possible(0.5, None, InclusiveBox(0, 0, 59, 59), narrow, work_out)
    assert best([vague, better], lambda one: True, 0.7) == [better.work_out()]
    assert asked == ["box"]
    other = Possible.known(candidate(InclusiveBox(30, 30, 50, 50), 0.9))
    assert best([vague, other], lambda one: True, 0.7) == [other.work_out(), work_out()]
    assert asked[1:] == ["box", "mask", "mask"]


@pytest.mark.parametrize("threads", [1, 3])
def test_what_would_take_too_much_memory_is_worked_out_at_once(threads: int) -> None:
    found = scene(0)
    sized = [(10, one) for one in found]
    everything = within(iter(sized), 1e9)
    assert everything == found
    with Workers(threads) as workers:
        some = within(iter(sized), 100, workers)
    assert len(some) < len(found)  # the unstable ones are gone
    fits = lambda one: True  # noqa: E731
    assert best(some, fits, 0.5) == best(found, fits, 0.5)


def test_boxes_hold_the_mask() -> None:
    random = np.random.default_rng(0)
    frame = InputFrame((SIZE, SIZE), 64)
    crop = Crop(Window(100, 100 + SIZE, 200, 200 + SIZE), 1)
    for _ in range(20):
        logits = np.full((16, 16), -4, np.float32)
        y, x = random.integers(0, 10, 2)
        logits[y : y + 5, x : x + 5] = random.normal(3, 2, (5, 5))[: 16 - y, : 16 - x]
        (boxes,), found = boxes_of(logits[None], frame, crop), upscale_mask(logits, frame)
        assert boxes is not None
        assert found is not None
        exact = np.add(InclusiveBox.of(found[0]), (200, 100, 200, 100))
        closer = list(narrowed(logits, frame, crop))
        assert closer[-1] == (InclusiveBox(*exact), InclusiveBox(*exact))
        for inner, outer in [boxes, *closer]:
            assert (np.array(outer[:2]) <= exact[:2]).all()
            assert (exact[2:] <= np.array(outer[2:])).all()
            assert inner is None or (np.array(inner[:2]) >= exact[:2]).all()
            assert inner is None or (np.array(inner[2:]) <= exact[2:]).all()
    nothing = np.full((16, 16), -4, np.float32)
    assert boxes_of(nothing[None], frame, crop) == [None]
    assert list(narrowed(nothing, frame, crop)) == []
