"""Threads change neither results nor their order."""

from __future__ import annotations

import threading

import pytest

from anymask.automatic import everything, generate_masks
from anymask.automatic.workers import Workers
from anymask.predict.model import Model
from tests.automatic.conftest import Twins
from tests.automatic.sam_runtime import photo
from tests.automatic.test_generate import CASES, FILTERS


@pytest.mark.parametrize("case", ["one layer", "no filter", "crops", "small regions"])
def test_all_masks_are_the_same_with_threads(case: str, spot_twins: Twins) -> None:
    alone = spot_twins[1]
    settings = FILTERS | CASES[case] | {"points_per_batch": 7, "tidy_share": 0.05}
    expected = [record.to_json() for record in generate_masks(alone, photo(), **settings)]
    assert len(expected) >= 3
    model = Model(alone.runtime, sha256=alone.sha256, threads=3)
    assert [record.to_json() for record in generate_masks(model, photo(), **settings)] == expected
    state = everything(model, photo(), **settings)
    assert state.threads == 3
    assert [record.to_json() for record in state.records()] == expected


@pytest.mark.parametrize("count", [1, 3])
def test_results_are_in_order(count: int) -> None:
    with Workers(count) as workers:
        assert workers.map(lambda number: number * number, range(40)) == [n * n for n in range(40)]
        assert workers.map(abs, []) == []


@pytest.mark.parametrize("count", [1, 3])
def test_errors_come_through(count: int) -> None:
    with Workers(count) as workers, pytest.raises(ZeroDivisionError):
        workers.map(lambda number: 1 // number, [1, 0, 2])


def test_threads_end_with_the_work() -> None:
    before = threading.active_count()
    with Workers(4) as workers:
        workers.map(lambda _: threading.active_count(), range(8))
        assert threading.active_count() > before
    assert threading.active_count() == before
