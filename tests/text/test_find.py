"""Finding by words, with a fake model and an encoder that knows colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anymask.core.errors import EmbeddingError, InputError, ModelError
from anymask.core.masks import iou
from anymask.core.record import MaskRecord
from anymask.text import TextScorer, encoder_of
from anymask.text.encoder import LONGEST_TEXT, Calibration, check_texts
from anymask.text.naming import Words
from tests.fake_runtime import fake_model, scene
from tests.text.colours import ColourEncoder


def square() -> np.ndarray:
    mask = np.zeros((120, 160), bool)
    mask[20:70, 30:80] = True
    return mask


def bar() -> np.ndarray:
    mask = np.zeros((120, 160), bool)
    mask[40:110, 100:150] = True
    return mask


def test_what_is_there_is_found_once_and_best_first() -> None:
    hits = fake_model().find(scene(), "something orange", encoder=ColourEncoder())
    assert [hit.label for hit in hits] == ["something orange"]  # the spot inside it is a part of it
    assert iou(hits[0].mask, square()) > 0.9
    assert hits[0].attributes["label_score"] > 0.9
    assert hits[0].attributes["label_from"] == "colours"
    assert MaskRecord.from_json(hits[0].to_json()).attributes == hits[0].attributes


def test_many_texts_at_once_give_each_mask_its_best() -> None:
    others = [f"a green thing, number {i}" for i in range(98)]
    hits = fake_model().find(scene(), ["blue", "orange", *others], encoder=ColourEncoder())
    by_label = {hit.label: hit for hit in hits if hit.label in ("blue", "orange")}
    assert iou(by_label["blue"].mask, bar()) > 0.9
    assert iou(by_label["orange"].mask, square()) > 0.9
    scores = [hit.attributes["label_score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_what_is_absent_is_not_found() -> None:
    assert fake_model().find(scene(), "a green leaf", encoder=ColourEncoder()) == []
    assert fake_model().find(scene(), ["a green leaf", "green"], encoder=ColourEncoder(), threshold=0.4) == []


def test_threshold_most_and_given_masks() -> None:
    model, encoder = fake_model(), ColourEncoder()
    given = [MaskRecord.of_mask(square()), MaskRecord.of_mask(bar())]
    everything = model.find(scene(), ["orange", "blue"], encoder=encoder, records=given, threshold=0)
    assert {hit.label for hit in everything} == {"orange", "blue"}
    assert len(model.find(scene(), ["orange", "blue"], encoder=encoder, records=given, most=1)) == 1
    assert model.find(scene(), "orange", encoder=encoder, records=[]) == []
    embedding = model.embed(scene())
    again = model.find(scene(), "orange", encoder=encoder, embedding=embedding)
    assert [hit.rle for hit in again] == [h.rle for h in model.find(scene(), "orange", encoder=encoder)]


def test_text_then_clicks_in_one_session() -> None:
    session = fake_model().session(scene())
    assert session.find("a green leaf", encoder=ColourEncoder()) == []
    assert session.prediction is None
    hits = session.find("blue", encoder=ColourEncoder())
    assert iou(hits[0].mask, bar()) > 0.9
    assert session.candidate is not None
    found = session.candidate.mask
    assert iou(found, bar()) > 0.9
    session.exclude(125, 75)  # the fake model takes away what is like the place that is clicked
    assert session.candidate.area < found.sum() / 2
    session.undo()
    np.testing.assert_array_equal(session.candidate.mask, found)
    record = session.accept("bar")
    assert record.label == "bar"
    assert iou(record.mask, bar()) > 0.9


def test_a_session_on_an_embedding_says_what_it_lacks() -> None:
    model = fake_model()
    session = model.session(model.embed(scene()))
    with pytest.raises(InputError, match="open it on the picture"):
        session.find("blue", encoder=ColourEncoder())


@pytest.mark.parametrize(
    ("texts", "hint"),
    [
        ("", "a text is empty"),
        ("   ", "a text is empty"),
        ("x" * 10_000, "a text has 10,000 characters; give at most 500"),
        ([], "0 texts are given"),
        (["dog", "dog "], "'dog' is given twice"),
        (["a\x00b"], "cannot be printed"),
        (7, "texts are int"),
        ([3, "dog"], "texts are list"),
    ],
)
def test_texts_that_cannot_be_used(texts: object, hint: str) -> None:
    with pytest.raises(InputError, match=hint) as caught:
        fake_model().find(scene(), texts, encoder=ColourEncoder())  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_spaces_are_put_in_order() -> None:
    assert check_texts("  a   red\nbicycle ") == ("a red bicycle",)
    assert check_texts("x" * LONGEST_TEXT) == ("x" * LONGEST_TEXT,)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"threshold": 2}, "threshold is 2"),
        ({"most": 0}, "most is 0"),
        ({"records": [], "preset": "objects"}, "records are given"),
        ({"no_such_setting": 1}, "no_such_setting"),
    ],
)
def test_options_that_cannot_be_meant(options: dict[str, object], hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        fake_model().find(scene(), "blue", encoder=ColourEncoder(), **options)


def test_masks_and_embeddings_of_other_pictures_are_refused() -> None:
    model = fake_model()
    other = np.zeros((50, 60, 3), np.uint8)
    with pytest.raises(EmbeddingError, match="another picture"):
        model.find(scene(), "blue", encoder=ColourEncoder(), embedding=model.embed(other))
    small = MaskRecord.of_mask(np.ones((50, 60), bool))
    with pytest.raises(InputError, match="60 x 50 pixels, this one has 160 x 120"):
        model.find(scene(), "blue", encoder=ColourEncoder(), records=[small])


def test_unknown_encoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path))
    with pytest.raises(InputError, match="no encoder 'wrods'; did you mean 'words'"):
        encoder_of("wrods")
    with pytest.raises(InputError, match="no encoder 'clip-of-mine'; known are words"):
        encoder_of("clip-of-mine")
    with pytest.raises(InputError, match="finds masks and knows no words"):
        encoder_of("lite")
    with pytest.raises(ModelError):
        encoder_of(str(tmp_path))


def test_scores_are_shares_against_the_background() -> None:
    encoder = ColourEncoder()
    scorer = TextScorer(encoder)
    masks = encoder.embed_texts(["orange", "blue"])
    scores = scorer.scores(masks, ["orange", "blue", "green", "grey"])
    similar = masks @ encoder.embed_texts(["orange", "blue", "green"]).T
    rival = masks @ encoder.embed_texts(["grey"]).T
    for k in range(3):
        share = 1 / (1 + np.exp(60 * (rival[:, 0] - similar[:, k])))
        np.testing.assert_allclose(scores[:, k], share, rtol=1e-4)
    # "grey" is what the background says, so nothing competes with it
    assert (scores[:, 3] > 0.99).all()
    assert scorer.scores(masks[:0], ["orange"]).shape == (0, 1)


def test_texts_are_embedded_once_per_search() -> None:
    encoder = ColourEncoder()
    scorer = TextScorer(encoder)
    for _ in range(3):
        scorer.scores(encoder.embed_texts(["blue"]), [f"text {i}" for i in range(600)])
    assert encoder.read == 3 + 600 + 1  # the background once


def test_calibrations_that_are_none() -> None:
    for numbers in ((0.0, 0.0, 0.5), (1.0, float("nan"), 0.5), (1.0, 0.0, 1.0)):
        with pytest.raises(InputError, match="is no calibration"):
            Calibration(*numbers)


def test_naming_keeps_all_masks_and_finding_only_hits() -> None:
    picture_records = [MaskRecord.of_mask(square()), MaskRecord.of_mask(~(square() | bar()))]
    from anymask.core.images import load_image

    picture = load_image(scene())
    named = Words(("orange", "blue"), ColourEncoder(), 0.9)(picture, picture_records)
    assert [record.label for record in named] == ["orange", None]
    found = Words(("orange", "blue"), ColourEncoder(), 0.9, only_hits=True)(picture, picture_records)
    assert [record.label for record in found] == ["orange"]
    assert Words(("orange",), ColourEncoder()).about()["threshold"] == 0.5
    with pytest.raises(InputError, match="threshold is 3"):
        Words(("orange",), ColourEncoder(), 3)
