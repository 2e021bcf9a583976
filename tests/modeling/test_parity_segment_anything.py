"""Our network equals the published `segment_anything` on random weights that went through files."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from anymask.core.geometry import InputFrame
from anymask.modeling.config import sam_config
from anymask.modeling.load import load_sam
from anymask.modeling.sam import MULTIMASK, SINGLE_MASK, Sam, build_sam, upscale_masks
from tests.modeling.twins import (
    PROMPT_KINDS,
    TINY,
    TINY_VITS,
    PromptCase,
    assert_close,
    assert_varied,
    published_sam,
    randomise,
)

Twins = tuple[Sam, nn.Module]


def make_twins(package: ModuleType, folder: Path, **sizes: object) -> Twins:
    """The published network with random weights, and ours loaded from the file it was saved to."""
    theirs = published_sam(package, sam_config("vit_b", **sizes))
    randomise(theirs)
    torch.save(theirs.state_dict(), folder / "sam.pth")
    return load_sam(folder / "sam.pth"), theirs


@pytest.fixture(scope="module")
def twins(segment_anything: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    folder = tmp_path_factory.mktemp("twins")
    return make_twins(segment_anything, folder, **TINY, **TINY_VITS["padded windows"])


@pytest.mark.parametrize("name", ["vit_b", "vit_l", "vit_h"])
def test_names_and_shapes_are_the_published_ones(name: str, segment_anything: ModuleType) -> None:
    with torch.device("meta"):
        theirs = segment_anything.sam_model_registry[name]()
        ours = build_sam(name)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in theirs.state_dict().items()
    }


@pytest.mark.parametrize("sizes", TINY_VITS.values(), ids=TINY_VITS)
@torch.inference_mode()
def test_embedding(sizes: dict[str, object], segment_anything: ModuleType, tmp_path: Path) -> None:
    ours, theirs = make_twins(segment_anything, tmp_path, **TINY, **sizes)
    # A table of 2 * 14 - 1 rows at a grid of 14 serves a window and the whole image alike.
    assert ours.config.encoder.window_size == sizes["window_size"]
    size = ours.config.input_size
    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))
    expected = theirs.image_encoder(pixels)
    assert_varied(expected)
    assert_close(ours.encode(pixels), expected)


@pytest.mark.parametrize("kind", PROMPT_KINDS.values(), ids=PROMPT_KINDS)
@torch.inference_mode()
def test_prompts(kind: dict[str, object], twins: Twins) -> None:
    ours, theirs = twins
    grid = ours.config.grid
    embedding = torch.randn(1, 256, grid, grid, generator=torch.Generator().manual_seed(3))
    case = PromptCase(ours.config, **kind)

    logits, scores = ours.decode(embedding, *case.ours())

    sparse, dense = theirs.prompt_encoder(*case.published())
    for multimask, tokens in ((True, MULTIMASK), (False, SINGLE_MASK)):
        expected_logits, expected_scores = theirs.mask_decoder(
            image_embeddings=embedding,
            image_pe=theirs.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask,
        )
        assert_varied(expected_logits)
        assert_close(logits[:, tokens], expected_logits)
        assert_close(scores[:, tokens], expected_scores)


@pytest.mark.parametrize("image_hw", [(90, 200), (200, 90), (333, 256), (64, 64)])
def test_photo_to_masks(image_hw: tuple[int, int], twins: Twins, segment_anything: ModuleType) -> None:
    ours, theirs = twins
    photo = np.random.default_rng(4).integers(0, 256, (*image_hw, 3), dtype=np.uint8)
    height, width = image_hw
    points = np.array([[width * 0.3, height * 0.6], [width * 0.9, height * 0.1]])
    box = np.array([width * 0.1, height * 0.2, width * 0.7, height * 0.95])
    predictor = segment_anything.SamPredictor(theirs)
    predictor.set_image(photo)
    masks, scores, low_res = predictor.predict(points, np.array([1, 0]), box, multimask_output=True)

    frame = InputFrame(image_hw, ours.config.input_size)
    resized = Image.fromarray(photo).resize(frame.resized_hw[::-1], Image.Resampling.BILINEAR)
    prompt = np.concatenate([frame.points_to_input(points), frame.points_to_input(box.reshape(2, 2))])
    with torch.inference_mode():
        embedding = ours.encode(ours.preprocess(torch.from_numpy(np.array(resized)).permute(2, 0, 1)[None]))
        logits, iou = ours.decode(
            embedding, torch.from_numpy(prompt)[None].float(), torch.tensor([[1, 0, 2, 3]])
        )
        upscaled = upscale_masks(logits[:, MULTIMASK], frame.input_size, frame.resized_hw, image_hw)

    assert_close(embedding, predictor.get_image_embedding())
    assert_close(logits[0, MULTIMASK], torch.from_numpy(low_res))
    assert_close(iou[0, MULTIMASK], torch.from_numpy(scores))
    assert 0.02 < masks.mean() < 0.98
    assert np.mean((upscaled[0] > 0).numpy() != masks) < 1e-4  # only where a logit is zero up to rounding


@pytest.mark.slow
@torch.inference_mode()
def test_vit_b_in_full(segment_anything: ModuleType, tmp_path: Path) -> None:
    ours, theirs = make_twins(segment_anything, tmp_path)
    assert ours.config == sam_config("vit_b")
    pixels = torch.randn(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(5))
    expected = theirs.image_encoder(pixels)
    assert_varied(expected)
    embedding = ours.encode(pixels)
    assert_close(embedding, expected)

    case = PromptCase(ours.config, points=2, box=True, mask=True)
    logits, scores = ours.decode(embedding, *case.ours())
    sparse, dense = theirs.prompt_encoder(*case.published())
    expected_logits, expected_scores = theirs.mask_decoder.predict_masks(
        expected, theirs.prompt_encoder.get_dense_pe(), sparse, dense
    )
    assert_varied(expected_logits)
    assert_close(logits, expected_logits)
    assert_close(scores, expected_scores)
