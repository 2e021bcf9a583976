"""Model: what is asked of the runtime for each kind of prompt, and what is refused."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anymask
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import EmbeddingError, ImageError, PromptError
from anymask.core.images import load_image
from anymask.core.prompt import Prompt
from anymask.predict.model import AMBIGUITY_MASKS, SINGLE_MASK, Model
from anymask.predict.provenance import provenance
from tests.fake_runtime import SHA256, FakeRuntime, fake_model, scene

ORANGE = (40, 30)
SPOT = (55, 45)
BLUE = (125, 70)
ORANGE_BOX = (28, 18, 82, 72)


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def model(runtime: FakeRuntime) -> Model:
    return Model(runtime, sha256=SHA256)


@pytest.fixture
def photo(model: Model) -> ImageEmbedding:
    return model.embed(scene())


def test_a_click_gives_three_candidates_best_first(
    model: Model, photo: ImageEmbedding, runtime: FakeRuntime
) -> None:
    found = model.predict(photo, points=[ORANGE])
    assert runtime.batches[-1][1] == AMBIGUITY_MASKS
    assert found.scores.tolist() == pytest.approx([0.9, 0.8, 0.7])
    truth = np.zeros((120, 160), bool)
    truth[20:70, 30:80] = True
    inter, union = (found.best.mask & truth).sum(), (found.best.mask | truth).sum()
    assert inter / union > 0.95


@pytest.mark.parametrize(
    "prompt",
    [
        {"points": [ORANGE, SPOT]},
        {"points": [ORANGE, BLUE], "labels": [1, 0]},
        {"box": ORANGE_BOX},
        {"box": ORANGE_BOX, "points": [ORANGE]},
        {"mask": np.pad(np.ones((40, 40), bool), ((20, 60), (30, 90)))},
        {"polygon": [(32, 22), (78, 22), (78, 68), (32, 68)]},
        {"scribble": [(35, 25), (75, 30), (75, 65)]},
    ],
    ids=lambda prompt: "+".join(prompt),
)
def test_anything_but_a_single_click_gives_the_single_mask(
    model: Model, photo: ImageEmbedding, runtime: FakeRuntime, prompt: dict[str, object]
) -> None:
    found = model.predict(photo, **prompt)  # type: ignore[call-overload]
    assert runtime.batches[-1][1] == SINGLE_MASK
    assert len(found) == 1
    assert found.best.area > 500


def test_previous_is_fed_back_as_the_mask_prompt(
    model: Model, photo: ImageEmbedding, runtime: FakeRuntime
) -> None:
    first = model.predict(photo, points=[ORANGE])
    for previous in (first, first[0], first[0].low_res_logits):
        again = model.predict(photo, points=[ORANGE], previous=previous)
        batch, tokens = runtime.batches[-1]
        assert tokens == SINGLE_MASK
        assert len(again) == 1
        assert batch.mask_logits is not None
        np.testing.assert_array_equal(batch.mask_logits[0, 0], first.best.low_res_logits)
    chosen = model.predict(photo, points=[ORANGE], previous=first[2])
    assert chosen.best.area > 0
    batch = runtime.batches[-1][0]
    assert batch.mask_logits is not None
    np.testing.assert_array_equal(batch.mask_logits[0, 0], first[2].low_res_logits)


def test_previous_of_another_picture_is_refused(model: Model, photo: ImageEmbedding) -> None:
    other = model.predict(model.embed(scene()[:100]), points=[ORANGE])
    with pytest.raises(PromptError, match=r"160 x 100 pixels .* 160 x 120"):
        model.predict(photo, points=[ORANGE], previous=other)


def test_logits_of_another_size_are_refused(model: Model, photo: ImageEmbedding) -> None:
    with pytest.raises(PromptError, match=r"\(32, 32\).*\(64, 64\)"):
        model.predict(photo, points=[ORANGE], previous=np.ones((32, 32), np.float32))


@pytest.mark.parametrize(("multimask", "count"), [(True, 3), (False, 1), ("auto", 3), (np.True_, 3)])
def test_multimask(model: Model, photo: ImageEmbedding, multimask: bool, count: int) -> None:
    assert len(model.predict(photo, points=[ORANGE], multimask=multimask)) == count


@pytest.mark.parametrize("multimask", ["yes", None, 2, [True]])
def test_multimask_that_means_nothing(model: Model, photo: ImageEmbedding, multimask: object) -> None:
    with pytest.raises(PromptError, match=r"multimask is .*give True, False"):
        model.predict(photo, points=[ORANGE], multimask=multimask)  # type: ignore[call-overload]


def test_several_boxes_are_several_objects(model: Model, photo: ImageEmbedding, runtime: FakeRuntime) -> None:
    found = model.predict(photo, boxes=[ORANGE_BOX, (98, 38, 152, 112)])
    assert len(runtime.batches) == 1, "boxes are decoded together"
    assert [p.best.box for p in found] == [(30, 20, 80, 70), (100, 40, 150, 110)]
    (alone,) = model.predict(photo, boxes=[ORANGE_BOX])
    assert alone.best.box == found[0].best.box


def test_boxes_with_something_else_are_refused(model: Model, photo: ImageEmbedding) -> None:
    with pytest.raises(PromptError, match="one object each"):
        model.predict(photo, points=[ORANGE], boxes=[ORANGE_BOX])  # type: ignore[call-overload]


KINDS = st.sampled_from(
    [
        Prompt.click(*ORANGE),
        Prompt.click(*BLUE),
        Prompt.click(*BLUE).with_click(*SPOT, label=0),
        Prompt.click(*SPOT).with_click(*ORANGE),
        Prompt.box(*ORANGE_BOX),
        Prompt.of((120, 160), box=ORANGE_BOX, points=[SPOT]),
        Prompt.of((120, 160), polygon=[(32, 22), (78, 22), (78, 68)]),
        Prompt.of((120, 160), points=[ORANGE], mask=scene()[..., 0] > 100),
    ]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(KINDS, min_size=0, max_size=9))
def test_many_equal_one_by_one(prompts: list[Prompt]) -> None:
    model = fake_model()
    photo = model.embed(scene())
    together = model.predict_many(photo, prompts)
    assert len(together) == len(prompts)
    for prompt, found in zip(prompts, together, strict=True):
        (alone,) = model.predict_many(photo, [prompt])
        np.testing.assert_array_equal(found.low_res_logits, alone.low_res_logits)
        np.testing.assert_array_equal(found.scores, alone.scores)


def test_prompts_of_a_kind_are_decoded_together(
    model: Model, photo: ImageEmbedding, runtime: FakeRuntime
) -> None:
    model.predict_many(photo, [Prompt.click(x, 50) for x in range(1, 150, 10)])
    assert [len(batch) for batch, _ in runtime.batches] == [15]


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ({}, "empty"),
        ({"points": [(200, 30)]}, "outside the image"),
        ({"points": [(float("nan"), 30)]}, "finite"),
        ({"points": [ORANGE], "labels": [2]}, "label 2"),
        ({"points": [ORANGE], "labels": [1, 0]}, "one label per point"),
        ({"box": (80, 70, 30, 20)}, "wrong way round"),
        ({"box": (30, 20, 30, 70)}, "no area"),
        ({"mask": np.zeros((120, 160), bool)}, "empty"),
        ({"mask": np.ones((12, 16), bool)}, "16 x 12"),
        ({"mask": np.ones((120, 160), bool), "polygon": [(0, 0), (9, 0), (9, 9)]}, "one of them"),
    ],
)
def test_wrong_prompts(model: Model, photo: ImageEmbedding, prompt: dict[str, object], message: str) -> None:
    with pytest.raises(PromptError, match=message) as error:
        model.predict(photo, **prompt)  # type: ignore[call-overload]
    assert "\n" not in str(error.value)


def test_predict_many_checks_the_picture(model: Model, photo: ImageEmbedding) -> None:
    with pytest.raises(PromptError, match="outside"):
        model.predict_many(photo, [Prompt.click(5, 5), Prompt.click(500, 5)])


def test_an_embedding_of_another_model_is_refused(photo: ImageEmbedding) -> None:
    other = Model(FakeRuntime(name="other"), sha256="0b" * 32)
    for use in (
        lambda: other.predict(photo, points=[ORANGE]),
        lambda: other.predict_many(photo, []),
        lambda: other.session(photo),
    ):
        with pytest.raises(
            EmbeddingError, match=r"made by fake@0\.0\.1 .*other@0\.0\.1 .*embed the image again"
        ):
            use()


def test_an_embedding_goes_through_a_file_and_a_pickle(
    model: Model, photo: ImageEmbedding, tmp_path: Path
) -> None:
    photo.save(tmp_path / "photo.safetensors")
    direct = model.predict(photo, points=[BLUE])
    for copy in (ImageEmbedding.load(tmp_path / "photo.safetensors"), pickle.loads(pickle.dumps(photo))):  # noqa: S301
        np.testing.assert_array_equal(
            model.predict(copy, points=[BLUE]).low_res_logits, direct.low_res_logits
        )


def test_embed_reads_what_load_image_reads(model: Model, tmp_path: Path) -> None:
    embedded = model.embed(load_image(scene()))
    assert embedded.image_hw == (120, 160)
    assert embedded.model == "fake@0.0.1"
    assert embedded.model_sha256 == SHA256
    assert embedded.image_sha256 == load_image(scene()).sha256
    (tmp_path / "text.jpg").write_text("no image")
    with pytest.raises(ImageError, match=r"text\.jpg"):
        model.embed(tmp_path / "text.jpg")


@pytest.mark.parametrize("hw", [(1, 1), (1, 300), (300, 1), (16, 16), (7, 501)])
def test_small_and_thin_pictures(model: Model, hw: tuple[int, int]) -> None:
    photo = model.embed(np.full((*hw, 3), 128, np.uint8))
    found = model.predict(photo, points=[(hw[1] / 2, hw[0] / 2)])
    assert found.best.mask.shape == hw


def test_only_negative_clicks_give_an_answer_not_a_crash(model: Model, photo: ImageEmbedding) -> None:
    assert model.predict(photo, points=[(*ORANGE, 0)]).best.area == 0


def test_many_points(model: Model, photo: ImageEmbedding) -> None:
    points = [(x, y) for x in range(35, 75, 2) for y in range(25, 65, 2)]
    assert model.predict(photo, points=points).best.area > 2000


def test_one_model_serves_threads(model: Model, photo: ImageEmbedding) -> None:
    alone = {x: model.predict(photo, points=[(x, 50)]).low_res_logits for x in range(5, 155, 10)}
    wrong: list[int] = []

    def work() -> None:
        for x, expected in alone.items():
            if not np.array_equal(model.predict(photo, points=[(x, 50)]).low_res_logits, expected):
                wrong.append(x)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_provenance_is_json_and_names_everything(photo: ImageEmbedding) -> None:
    prompt = Prompt.of((120, 160), points=[(1, 2, 1), (3, 4, 0)], box=(0, 0, 9, 9))
    assert provenance(photo, prompt) == {
        "anymask": anymask.__version__,
        "model": "fake@0.0.1",
        "model_sha256": SHA256,
        "image_sha256": load_image(scene()).sha256,
        "prompt": {"points": [[1, 2, 1], [3, 4, 0]], "boxes": [[0, 0, 9, 9]]},
    }
    drawn = Prompt.of((120, 160), mask=scene()[..., 0] > 100)
    assert provenance(photo, drawn)["prompt"] == {"mask": "drawn"}


def test_repr_names_the_model(model: Model) -> None:
    assert repr(model) == "<anymask.Model fake@0.0.1>"
