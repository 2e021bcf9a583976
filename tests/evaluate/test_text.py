"""Measuring an encoder: figures worked out by hand, and a run over a small data set."""

from __future__ import annotations

import numpy as np
import pytest

from anymask.core.images import load_image
from anymask.evaluate.samples import Sample, TrueMask
from anymask.evaluate.text import FOUND, TRUE, average_precision, evaluate_sample, summarise
from tests.fake_runtime import fake_model, scene
from tests.text.colours import ColourEncoder
from tests.text.test_find import bar, square


def sample(*labels: str | None) -> Sample:
    masks = [TrueMask(mask, label) for mask, label in zip((square(), bar()), labels, strict=True)]
    return Sample("one", load_image(scene()), tuple(masks), source="drawn")


def test_average_precision_by_hand() -> None:
    scores, wanted = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    assert average_precision(scores, wanted) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(scores, np.zeros(4, bool)) == 0
    assert average_precision(scores, scores > 0) == 1


def test_right_and_wrong_labels() -> None:
    encoder = ColourEncoder()
    right = summarise(encoder, evaluate_sample(encoder, sample("orange", "blue"), None, per_label=4))
    assert (right["masks"], right["labels"], right["all"]["top_1"], right["all"]["mean_ap"]) == (2, 2, 1, 1)
    assert (right["seen"]["labels"], right["unseen"]["labels"]) == (1, 1)
    assert "recall" not in right["all"]
    wrong = summarise(encoder, evaluate_sample(encoder, sample("blue", "orange"), None, per_label=4))
    assert (wrong["all"]["top_1"], wrong["all"]["mean_ap"]) == (0, 0.5)


def test_searching_counts_what_is_found_and_what_is_not_there() -> None:
    encoder = ColourEncoder()
    lines = evaluate_sample(encoder, sample("orange", "blue"), fake_model(), per_label=4)
    assert {line["of"] for line in lines} == {TRUE, FOUND}
    other = [
        {**line, "key": "two", **({"label": "green"} if line["of"] == TRUE else {"labels": []})}
        for line in lines
    ]
    figures = summarise(encoder, [*lines, *other])["all"]
    assert figures["searched_pictures"] == 2
    assert figures["shown"] == 3  # orange and blue in one, green in two, where nothing green is
    assert figures["reachable"] == pytest.approx(2 / 3)
    assert figures["recall"] == pytest.approx(2 / 3)
    assert figures["false_positive_rate"] == pytest.approx(2 / 3)  # two has orange and blue, one has no green


def test_masks_without_labels_do_not_count() -> None:
    encoder = ColourEncoder()
    assert evaluate_sample(encoder, sample(None, None), fake_model(), per_label=4) == []
    assert summarise(encoder, []) == {"masks": 0, "labels": 0}
    two = [TrueMask(mask, "orange") for mask in (square(), bar())]
    many = Sample("one", load_image(scene()), tuple(two))
    assert len(evaluate_sample(encoder, many, None, per_label=1)) == 1
