"""Properties of the joined network that hold for any weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from anymask.core.errors import InputError, ModelError
from anymask.modeling.config import SAM_CONFIGS, TinyVitConfig, infer_config, sam_config
from anymask.modeling.sam import Sam, build_sam, upscale_masks
from tests.modeling.twins import PROMPT_KINDS, PromptCase, randomise

TINY_VIT = TinyVitConfig(embed_dims=(16, 16, 24, 32), depths=(1, 1, 1, 1), num_heads=(2, 2, 2, 2))
SMALL: dict[str, dict[str, Any]] = {
    "vit_b": {"embed_dim": 32, "depth": 2, "num_heads": 2, "global_blocks": (1,), "window_size": 3},
    "mobile": {"encoder": TINY_VIT},
}
SMALL_DECODER = {"prompt_dim": 32, "decoder_heads": 2, "decoder_mlp_dim": 48, "iou_hidden_dim": 24}


def small_sam(name: str = "vit_b", **overrides: Any) -> Sam:
    sam = build_sam(name, **{"input_size": 64, **SMALL[name], **SMALL_DECODER, **overrides})
    randomise(sam)
    return sam


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("input_size", [64, 112])
@torch.inference_mode()
def test_shapes_follow_the_input_size(name: str, input_size: int) -> None:
    sam = small_sam(name, input_size=input_size)
    grid = input_size // 16
    assert (sam.config.grid, sam.config.mask_size) == (grid, 4 * grid)
    embedding = sam.encode(noise(2, 3, input_size, input_size))
    assert embedding.shape == (2, 32, grid, grid)
    case = PromptCase(sam.config, points=1, box=False, mask=True)
    logits, scores = sam.decode(embedding[:1], *case.ours())
    assert logits.shape == (3, 4, 4 * grid, 4 * grid)
    assert scores.shape == (3, 4)


@pytest.mark.parametrize("kind", PROMPT_KINDS.values(), ids=PROMPT_KINDS)
@torch.inference_mode()
def test_a_batch_of_prompts_equals_single_prompts(kind: dict[str, Any]) -> None:
    sam = small_sam()
    embedding = noise(1, 32, 4, 4)
    points, labels, mask = PromptCase(sam.config, **kind).ours()
    logits, scores = sam.decode(embedding, points, labels, mask)
    for i in range(3):
        one = slice(i, i + 1)
        single = sam.decode(embedding, points[one], labels[one], None if mask is None else mask[one])
        torch.testing.assert_close(logits[one], single[0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(scores[one], single[1], atol=1e-5, rtol=1e-5)
    assert (logits[0] - logits[1]).abs().max() > 0.1  # and the prompts matter


@torch.inference_mode()
def test_one_prompt_each_of_several_images_equals_single_images() -> None:
    sam = small_sam()
    pixels = noise(3, 3, 64, 64)
    points, labels, _ = PromptCase(sam.config, points=2, box=True, mask=False).ours()
    logits, _ = sam(pixels, points, labels)
    for i in range(3):
        one = slice(i, i + 1)
        torch.testing.assert_close(
            logits[one], sam(pixels[one], points[one], labels[one])[0], atol=1e-5, rtol=1e-5
        )


@torch.inference_mode()
def test_coordinates_of_padding_points_do_not_matter() -> None:
    sam = small_sam()
    embedding, labels = noise(1, 32, 4, 4), torch.tensor([[1, -1]])
    points = torch.tensor([[[20.0, 30.0], [0.0, 0.0]]])
    elsewhere = torch.tensor([[[20.0, 30.0], [55.0, 7.0]]])
    expected = sam.decode(embedding, points, labels)
    torch.testing.assert_close(sam.decode(embedding, elsewhere, labels), expected)


@pytest.mark.parametrize("name", SMALL)
def test_gradients_reach_every_parameter(name: str) -> None:
    sam = small_sam(name).train()
    points, labels, mask = PromptCase(sam.config, points=2, box=True, mask=True).ours()
    points, labels = torch.cat([points, points[:, :1]], 1), torch.cat([labels, torch.full((3, 1), -1)], 1)
    labels[:, 0], labels[:, 1] = 0, 1
    with_mask = sam(noise(3, 3, 64, 64), points, labels, mask)
    without = sam(noise(3, 3, 64, 64), points, labels)
    sum(output.square().sum() for output in (*with_mask, *without)).backward()
    for parameter_name, parameter in sam.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


class _Decode(torch.nn.Module):
    def __init__(self, sam: Sam) -> None:
        super().__init__()
        self.sam = sam

    def forward(self, embedding: Tensor, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return self.sam.decode(embedding, points, labels)


@pytest.mark.parametrize("name", SMALL)
def test_encoder_exports_with_any_batch(name: str) -> None:
    sam = small_sam(name)
    batch = torch.export.Dim("batch", min=1, max=8)
    exported = torch.export.export(sam.image_encoder, (noise(2, 3, 64, 64),), dynamic_shapes=[{0: batch}])
    pixels = noise(5, 3, 64, 64)
    torch.testing.assert_close(exported.module()(pixels), sam.encode(pixels))


def test_decoder_exports_with_any_number_of_prompts_and_points() -> None:
    sam = small_sam()
    prompts, tokens = torch.export.Dim("prompts", min=1, max=64), torch.export.Dim("tokens", min=1, max=64)
    embedding = noise(1, 32, 4, 4)
    exported = torch.export.export(
        _Decode(sam),
        (embedding, noise(2, 3, 2), torch.ones(2, 3, dtype=torch.int64)),
        dynamic_shapes=[None, {0: prompts, 1: tokens}, {0: prompts, 1: tokens}],
    )
    points, labels = 64 * noise(7, 5, 2).sigmoid(), torch.tensor([[1, 0, -1, 2, 3]] * 7)
    torch.testing.assert_close(
        exported.module()(embedding, points, labels), sam.decode(embedding, points, labels)
    )


def test_preprocess_normalises_and_pads() -> None:
    sam = small_sam()
    white = torch.full((3, 20, 64), 255, dtype=torch.uint8)
    prepared = sam.preprocess(white)
    assert prepared.shape == (3, 64, 64)
    assert prepared[0, 19, 63].item() == pytest.approx((255 - 123.675) / 58.395)
    assert not prepared[:, 20:].any()
    with pytest.raises(InputError, match="65x20 pixels; resize its long side to 64"):
        sam.preprocess(torch.zeros(3, 20, 65))


def test_upscaling_a_constant_keeps_it_and_gives_the_image_size() -> None:
    logits = torch.full((1, 2, 16, 16), 3.5)
    upscaled = upscale_masks(logits, 64, (40, 64), (100, 160))
    torch.testing.assert_close(upscaled, torch.full((1, 2, 100, 160), 3.5))


@pytest.mark.parametrize("name", SAM_CONFIGS)
def test_published_sizes_are_read_off_the_weights(name: str) -> None:
    with torch.device("meta"):
        sam = build_sam(name)
    shapes = {key: tuple(value.shape) for key, value in sam.state_dict().items()}
    assert infer_config(shapes) == SAM_CONFIGS[name]


def test_architecture_names_of_manifests_work() -> None:
    assert sam_config("sam_tiny_vit") == SAM_CONFIGS["mobile"]
    assert sam_config("sam_vit_h") == SAM_CONFIGS["vit_h"]


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("vit_g", {}, "unknown network 'vit_g'; known: vit_b, vit_l, vit_h, mobile"),
        ("vit_b", {"depht": 2}, "no setting depht; it has: .*depth"),
        ("mobile", {"window_size": 2}, "no setting window_size"),
        ("vit_b", {"num_heads": 5}, "embed_dim is 768; expected a multiple of num_heads"),
        ("vit_b", {"depth": 3}, "global_blocks is .*; expected indices below depth 3"),
        ("vit_b", {"input_size": 100}, "input_size is 100; expected a multiple of 16"),
        ("vit_b", {"prompt_dim": 100}, "prompt_dim is 100; expected a multiple of 16"),
        ("mobile", {"depths": (1, 1)}, r"depths is \(1, 1\); expected four values"),
        ("mobile", {"num_heads": (2, 3, 5, 10)}, "embed_dims is .*; expected multiples"),
    ],
)
def test_sizes_that_do_not_fit_are_named(name: str, overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message) as raised:
        build_sam(name, **overrides)
    assert "\n" not in str(raised.value)
