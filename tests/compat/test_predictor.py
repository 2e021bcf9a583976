"""`SamPredictor` answers as the published one on the same weights."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from anymask.compat import SamPredictor
from anymask.compat.modeling import Sam
from anymask.core.errors import (
    EmbeddingError,
    ImageError,
    InputError,
    MissingExtraError,
    ModelError,
    PromptError,
)
from tests.automatic.sam_runtime import photo
from tests.compat.conftest import Twins
from tests.fake_runtime import fake_model, scene

TOLERANCE = 1e-4
POINTS = {"point_coords": np.array([[30.0, 40.0], [90.5, 12.25]]), "point_labels": np.array([1, 0])}
BOX = {"box": np.array([20, 15, 120, 88])}
PROMPTS: dict[str, dict[str, Any]] = {
    "point": {"point_coords": np.array([[50, 60]]), "point_labels": np.array([1])},
    "points": POINTS,
    "padding": {"point_coords": np.array([[50, 60], [0, 0]]), "point_labels": np.array([1, -1])},
    "outside": {"point_coords": np.array([[-20, 900]]), "point_labels": np.array([1])},
    "box": BOX,
    "box (1, 4)": {"box": BOX["box"][None]},
    "points and box": POINTS | BOX,
    "nothing": {},
}


@pytest.fixture(scope="module")
def predictors(twins: Twins, segment_anything: ModuleType) -> tuple[Any, SamPredictor]:
    """Theirs and ours with the same image."""
    theirs, ours = segment_anything.SamPredictor(twins[0]), SamPredictor(twins[1])
    for predictor in (theirs, ours):
        predictor.set_image(photo(90, 131))
    return theirs, ours


def assert_same_answer(ours: tuple[np.ndarray, ...], theirs: tuple[np.ndarray, ...]) -> None:
    (masks, scores, low_res), (their_masks, their_scores, their_low_res) = ours, theirs
    assert masks.dtype == their_masks.dtype
    if masks.dtype == bool:
        np.testing.assert_array_equal(masks, their_masks)
    else:
        np.testing.assert_allclose(masks, their_masks, rtol=0, atol=TOLERANCE)
    for mine, published in ((scores, their_scores), (low_res, their_low_res)):
        assert mine.dtype == published.dtype
        np.testing.assert_allclose(mine, published, rtol=0, atol=TOLERANCE)
    assert their_low_res.std() > 0.1  # worth comparing


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
@pytest.mark.parametrize("with_mask", [False, True])
@pytest.mark.parametrize("multimask_output", [False, True])
def test_predict(
    prompt: dict[str, Any], with_mask: bool, multimask_output: bool, predictors: tuple[Any, SamPredictor]
) -> None:
    theirs, ours = predictors
    if with_mask:
        prompt = prompt | {"mask_input": theirs.predict(**POINTS, multimask_output=False)[2]}
    for return_logits in (False, True):
        options = {"multimask_output": multimask_output, "return_logits": return_logits}
        assert_same_answer(ours.predict(**prompt, **options), theirs.predict(**prompt, **options))


@pytest.mark.parametrize("size", [(64, 256), (300, 41), (256, 256)])
@pytest.mark.parametrize("image_format", ["RGB", "BGR"])
def test_any_size_and_order_of_channels(
    size: tuple[int, int], image_format: str, twins: Twins, segment_anything: ModuleType
) -> None:
    theirs, ours = segment_anything.SamPredictor(twins[0]), SamPredictor(twins[1])
    for predictor in (theirs, ours):
        predictor.set_image(photo(*size), image_format)
    assert ours.original_size == theirs.original_size
    assert ours.input_size == theirs.input_size
    embeddings = [predictor.get_image_embedding() for predictor in (ours, theirs)]
    torch.testing.assert_close(*embeddings, rtol=0, atol=TOLERANCE)
    prompt = {"point_coords": np.array([[20, 30]]), "point_labels": np.array([1])}
    assert_same_answer(ours.predict(**prompt), theirs.predict(**prompt))


def test_answers_are_the_callers_own(predictors: tuple[Any, SamPredictor]) -> None:
    before = [array.copy() for array in predictors[1].predict(**POINTS)]
    for array in predictors[1].predict(**POINTS):
        array[:] = 0
    for array, kept in zip(predictors[1].predict(**POINTS), before, strict=True):
        np.testing.assert_array_equal(array, kept)


@pytest.mark.parametrize("return_logits", [False, True])
def test_predict_torch_with_many_prompts(return_logits: bool, predictors: tuple[Any, SamPredictor]) -> None:
    theirs = predictors[0]
    size = theirs.original_size
    boxes = theirs.transform.apply_boxes_torch(torch.tensor([[5, 6, 70, 80], [30, 20, 99, 89]]), size)
    points = theirs.transform.apply_coords_torch(torch.tensor([[[9, 9]], [[60, 50]]]), size)
    labels = torch.ones(2, 1, dtype=torch.int)
    mask = theirs.predict(**POINTS, multimask_output=False)[2][None]
    for arguments in (
        (points, labels),
        (None, None, boxes),
        (points, labels, boxes),
        (points, labels, None, torch.tensor(mask)),  # one mask for all prompts
    ):
        answers = [
            predictor.predict_torch(*arguments, return_logits=return_logits) for predictor in predictors
        ]
        assert all(isinstance(value, torch.Tensor) for value in answers[1])
        assert_same_answer(*(tuple(value.numpy() for value in answer) for answer in reversed(answers)))


def test_a_scaled_image_as_a_tensor(twins: Twins, segment_anything: ModuleType) -> None:
    image = photo(70, 200)
    theirs, ours = segment_anything.SamPredictor(twins[0]), SamPredictor(twins[1])
    for predictor in (theirs, ours):
        scaled = predictor.transform.apply_image(image)
        predictor.set_torch_image(torch.as_tensor(scaled).permute(2, 0, 1)[None], image.shape[:2])
    assert_same_answer(ours.predict(**POINTS), theirs.predict(**POINTS))
    with pytest.raises(ImageError, match=r"shape \(3, 90, 255\); an image of \(70, 200\).*\(3, 90, 256\)"):
        ours.set_torch_image(torch.zeros(1, 3, 90, 255), (70, 200))
    with pytest.raises(ImageError, match=r"\(2, 3, 90, 256\); give \(1, 3, height, width\)"):
        ours.set_torch_image(torch.zeros(2, 3, 90, 256), (70, 200))
    for wrong in (0.5, 256.0, -1.0, torch.nan):
        with pytest.raises(ImageError, match="whole numbers 0 to 255"):
            ours.set_torch_image(torch.full((1, 3, 90, 256), wrong), (70, 200))


def test_a_batch_of_images(twins: Twins, segment_anything: ModuleType) -> None:
    transform = segment_anything.utils.transforms.ResizeLongestSide(twins[1].image_encoder.img_size)
    first, second = photo(60, 90), photo(90, 131, seed=1)
    batch = [
        {
            "image": torch.as_tensor(transform.apply_image(image)).permute(2, 0, 1),
            "original_size": image.shape[:2],
        }
        for image in (first, second)
    ]
    boxes = torch.tensor([[5, 5, 50, 50], [1, 9, 80, 59]])
    batch[0]["boxes"] = transform.apply_boxes_torch(boxes, first.shape[:2])
    batch[1] |= {"point_coords": torch.tensor([[[50.0, 60.0]]]), "point_labels": torch.tensor([[1]])}
    theirs, ours = (sam(batch, multimask_output=False) for sam in twins)
    for one, other in zip(ours, theirs, strict=True):
        assert list(one) == list(other)
        assert_same_answer(*(tuple(value.numpy() for value in answer.values()) for answer in (one, other)))


def test_a_kept_embedding_comes_back(predictors: tuple[Any, SamPredictor]) -> None:
    ours = predictors[1]
    other = SamPredictor(ours.model)
    other.features = torch.tensor(ours.get_image_embedding().numpy())
    other.is_image_set, other.original_size = True, ours.original_size
    np.testing.assert_array_equal(other.predict(**POINTS)[2], ours.predict(**POINTS)[2])
    torch.testing.assert_close(other.features, ours.features)
    other.features = None
    assert other.features is None


def test_without_an_image(twins: Twins, segment_anything: ModuleType) -> None:
    for predictor in (segment_anything.SamPredictor(twins[0]), SamPredictor(twins[1])):
        assert not predictor.is_image_set
        assert predictor.features is None
        for ask in (
            predictor.predict, predictor.get_image_embedding, lambda p=predictor: p.predict_torch(None, None),
        ):  # fmt: skip
            with pytest.raises(RuntimeError):
                ask()
        predictor.set_image(photo(20, 30))
        assert predictor.is_image_set
        predictor.reset_image()
        assert not predictor.is_image_set
        with pytest.raises(RuntimeError):
            predictor.predict(**POINTS)
    with pytest.raises(EmbeddingError, match=r"no image is set; call set_image\(image\) first"):
        SamPredictor(twins[1]).predict(**POINTS)


def test_an_image_that_is_none(twins: Twins) -> None:
    predictor = SamPredictor(twins[1])
    with pytest.raises(ImageError, match="image_format is 'GBR'; give 'RGB' or 'BGR'"):
        predictor.set_image(photo(), "GBR")
    for wrong in (np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32), np.zeros((9, 0, 3), np.uint8)):
        with pytest.raises(ImageError, match=r"give uint8 \(height, width, 3\)"):
            predictor.set_image(wrong)
    assert not predictor.is_image_set


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ({"point_coords": np.zeros((1, 2))}, "without point_labels"),
        ({"point_coords": np.zeros((2, 2)), "point_labels": np.ones(3)}, "one label per point"),
        ({"point_coords": np.zeros((1, 2)), "point_labels": np.array([2])}, r"holds \[2\]; give 1, 0, or -1"),
        ({"point_coords": np.full((1, 2), np.nan), "point_labels": np.ones(1)}, "NaN"),
        ({"box": np.zeros((2, 4))}, "several boxes to predict_torch"),
        ({"mask_input": np.zeros((64, 64))}, r"give \(64, 1, h, w\)|give \(1, 1, h, w\)"),
    ],
)
def test_prompts_that_do_not_fit(
    prompt: dict[str, Any], words: str, predictors: tuple[Any, SamPredictor]
) -> None:
    with pytest.raises(PromptError, match=words):
        predictors[1].predict(**prompt)


def test_any_model_of_anymask_will_do() -> None:
    predictor = SamPredictor(fake_model())
    predictor.set_image(scene())
    masks, scores, low_res = predictor.predict(np.array([[110, 50]]), np.array([1]))
    assert masks.shape == (3, 120, 160)
    assert masks[0, 60, 120]
    assert not masks[0, 60, 20]
    assert scores.shape == (3,)
    assert low_res.shape == (3, 64, 64)
    with pytest.raises(InputError, match=r"give one of sam_model_registry or anymask\.load"):
        SamPredictor("vit_b")  # type: ignore[arg-type]


def test_without_torch_arrays_stand_in_for_tensors(
    predictors: tuple[Any, SamPredictor], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = predictors
    embedding = theirs.get_image_embedding().numpy()
    monkeypatch.setitem(sys.modules, "torch", None)
    assert isinstance(ours.get_image_embedding(), np.ndarray)
    np.testing.assert_allclose(ours.get_image_embedding(), embedding, rtol=0, atol=TOLERANCE)
    assert ours.device == "cpu"
    with pytest.raises(MissingExtraError, match=r"pip install 'anymask\[torch\]'"):
        Sam(fake_model(), lambda backend: fake_model()).to("cuda")


def test_moving_to_a_device(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    sam = twins[1]
    assert sam.eval() is sam
    assert sam.to(device="cpu") is sam
    assert sam.to(torch.device("cpu")) is sam
    assert sam.device == torch.device("cpu")
    with pytest.raises(ModelError, match="give 'cpu' or 'cuda'"):
        sam.to("mps")
    with pytest.raises(ModelError, match="cannot move to cuda; load it with sam_model_registry"):
        sam.to("cuda")
    first, second = fake_model(), fake_model()
    asked: list[str] = []
    movable = Sam(first, lambda backend: asked.append(backend) or second)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="device is cuda:0, but torch finds no CUDA device"):
        movable.to(torch.device("cuda", 0))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert movable.to("cuda").model is second
    assert asked == ["torch"]
    assert movable.to("cpu").model is first
