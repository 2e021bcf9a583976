"""Our network equals `transformers.SamModel`, whose weights have other names, on weights saved by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from anymask.modeling.config import VitConfig
from anymask.modeling.load import load_sam
from anymask.modeling.sam import MULTIMASK, SINGLE_MASK, Sam
from tests.modeling.twins import PROMPT_KINDS, PromptCase, assert_close, assert_varied, randomise

Twins = tuple[Sam, transformers.SamModel]
SIZES = {
    "hidden_size": 48,
    "mlp_dim": 192,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "global_attn_indexes": [1],
    "window_size": 7,
    "image_size": 256,
}


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    folder = tmp_path_factory.mktemp("transformers")
    # Its decoder's layer norms have 1e-6 where the original and its checkpoints' users have 1e-5.
    config = transformers.SamConfig(
        vision_config=SIZES,
        prompt_encoder_config={"image_size": 256, "image_embedding_size": 16},
        mask_decoder_config={"layer_norm_eps": 1e-5},
    )
    theirs = transformers.SamModel(config).eval()
    randomise(theirs)
    theirs.save_pretrained(folder)
    return load_sam(folder), theirs


def test_sizes_are_read_off_the_weights(twins: Twins) -> None:
    config = twins[0].config
    assert config.encoder == VitConfig(48, 3, 4, global_blocks=(1,), window_size=7)
    assert config.input_size == 256


def test_the_file_has_hugging_face_names(twins: Twins, tmp_path: Path) -> None:
    assert any(name.startswith("vision_encoder.") for name in twins[1].state_dict())


@torch.inference_mode()
def test_embedding(twins: Twins) -> None:
    ours, theirs = twins
    pixels = torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(1))
    expected = theirs.get_image_embeddings(pixels)
    assert_varied(expected)
    assert_close(ours.encode(pixels), expected)


@pytest.mark.parametrize("kind", [k for k in PROMPT_KINDS.values() if not k["mask"]], ids=str)
@torch.inference_mode()
def test_prompts(kind: dict[str, Any], twins: Twins) -> None:
    ours, theirs = twins
    embedding = torch.randn(1, 256, 16, 16, generator=torch.Generator().manual_seed(2))
    case = PromptCase(ours.config, **kind)
    logits, scores = ours.decode(embedding, *case.ours())
    for multimask, tokens in ((True, MULTIMASK), (False, SINGLE_MASK)):
        expected = theirs(
            image_embeddings=embedding,
            input_points=case.points[None] if case.points.shape[1] else None,
            input_labels=case.labels[None] if case.points.shape[1] else None,
            input_boxes=None if case.boxes is None else case.boxes[None],
            multimask_output=multimask,
        )
        assert_varied(expected.pred_masks)
        assert_close(logits[:, tokens], expected.pred_masks[0])
        assert_close(scores[:, tokens], expected.iou_scores[0])


@torch.inference_mode()
def test_point_and_mask(twins: Twins) -> None:
    ours, theirs = twins
    pixels = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(3))
    case = PromptCase(ours.config, points=1, box=False, mask=True)
    points, labels, mask = (value[:1] for value in case.ours())
    logits, scores = ours(pixels, points, labels, mask)
    expected = theirs(
        pixel_values=pixels,
        input_points=case.points[None, :1],
        input_labels=case.labels[None, :1],
        input_masks=mask,
    )
    assert_varied(expected.pred_masks)
    assert_close(logits[:, MULTIMASK], expected.pred_masks[0])
    assert_close(scores[:, MULTIMASK], expected.iou_scores[0])
