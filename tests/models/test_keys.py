"""Names alone: the published layouts, renamed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import ModelError
from anymask.models.keys import canonical_names, detect_architecture, expected_names, to_canonical

DEPTHS = [f"image_encoder.blocks.{i}.norm1.weight" for i in range(12)]
DEPTHS += [f"mask_decoder.transformer.layers.{i}.norm1.weight" for i in range(2)]
VIT_B = sorted(expected_names(DEPTHS))
STAGES = [f"image_encoder.layers.{s}.blocks.{b}.x" for s, n in enumerate((2, 2, 6, 2)) for b in range(n)]
STAGES += ["image_encoder.patch_embed.seq.0.c.weight", "mask_decoder.transformer.layers.1.norm1.weight"]
STAGES += ["mask_decoder.transformer.layers.0.norm1.weight"]
MOBILE = sorted(expected_names(STAGES))

# The other way round, written by hand from transformers' names: canonical -> Hugging Face.
TO_HUGGING_FACE = [
    (r"image_encoder\.patch_embed\.proj", "vision_encoder.patch_embed.projection"),
    (r"image_encoder\.blocks\.(\d+)\.norm", r"vision_encoder.layers.\1.layer_norm"),
    (r"image_encoder\.blocks", "vision_encoder.layers"),
    (r"image_encoder\.neck\.0", "vision_encoder.neck.conv1"),
    (r"image_encoder\.neck\.1", "vision_encoder.neck.layer_norm1"),
    (r"image_encoder\.neck\.2", "vision_encoder.neck.conv2"),
    (r"image_encoder\.neck\.3", "vision_encoder.neck.layer_norm2"),
    (r"image_encoder\.pos_embed", "vision_encoder.pos_embed"),
    (r"prompt_encoder\.pe_layer\..*", "shared_image_embedding.positional_embedding"),
    (r"prompt_encoder\.point_embeddings", "prompt_encoder.point_embed"),
    (r"prompt_encoder\.mask_downscaling\.0", "prompt_encoder.mask_embed.conv1"),
    (r"prompt_encoder\.mask_downscaling\.1", "prompt_encoder.mask_embed.layer_norm1"),
    (r"prompt_encoder\.mask_downscaling\.3", "prompt_encoder.mask_embed.conv2"),
    (r"prompt_encoder\.mask_downscaling\.4", "prompt_encoder.mask_embed.layer_norm2"),
    (r"prompt_encoder\.mask_downscaling\.6", "prompt_encoder.mask_embed.conv3"),
    (r"mask_decoder\.transformer\.norm_final_attn", "mask_decoder.transformer.layer_norm_final_attn"),
    (r"(mask_decoder\.transformer\.layers\.\d+)\.norm", r"\1.layer_norm"),
    (r"mask_decoder\.output_upscaling\.0", "mask_decoder.upscale_conv1"),
    (r"mask_decoder\.output_upscaling\.1", "mask_decoder.upscale_layer_norm"),
    (r"mask_decoder\.output_upscaling\.3", "mask_decoder.upscale_conv2"),
    (r"(mask_decoder\.(?:output_hyper\w+\.\d|iou_prediction_head))\.layers\.0", r"\1.proj_in"),
    (r"(mask_decoder\.(?:output_hyper\w+\.\d|iou_prediction_head))\.layers\.1", r"\1.layers.0"),
    (r"(mask_decoder\.(?:output_hyper\w+\.\d|iou_prediction_head))\.layers\.2", r"\1.proj_out"),
]


def hugging_face(name: str) -> str:
    for pattern, replacement in TO_HUGGING_FACE:
        renamed, count = re.subn("^" + pattern, replacement, name)
        if count:
            return renamed
    return name


def test_counts_are_those_of_the_published_checkpoints() -> None:
    assert len(VIT_B) == 314
    assert len(MOBILE) == 408  # 435 names less 27 counters; the classifier's four are not needed either


@pytest.mark.parametrize("names", [VIT_B, MOBILE], ids=["vit_b", "mobile"])
@pytest.mark.parametrize("prefix", ["", "module.", "model.", "net.sam."])
def test_canonical_names_stay(names: list[str], prefix: str) -> None:
    assert to_canonical({prefix + name: name for name in names}) == {name: name for name in names}


@pytest.mark.parametrize("prefix", ["", "module.", "sam."])
@pytest.mark.parametrize("copy", [False, True])
def test_hugging_face_names(prefix: str, copy: bool) -> None:
    state = {prefix + hugging_face(name): name for name in VIT_B}
    if copy:  # older files hold the shared embedding twice
        state[prefix + "prompt_encoder.shared_embedding.positional_embedding"] = "the copy"
    assert to_canonical(state) == {name: name for name in VIT_B}


def test_the_copy_alone_serves_too() -> None:
    state = {hugging_face(name): name for name in VIT_B}
    shared = state.pop("shared_image_embedding.positional_embedding")
    state["prompt_encoder.shared_embedding.positional_embedding"] = shared
    assert to_canonical(state)["prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"] == shared


def test_leftovers_are_dropped() -> None:
    leftovers = [
        "image_encoder.head.weight",
        "image_encoder.head.bias",
        "image_encoder.norm_head.weight",
        "image_encoder.norm_head.bias",
        "image_encoder.patch_embed.seq.0.bn.num_batches_tracked",
        "image_encoder.layers.1.blocks.0.attn.attention_bias_idxs",
        "image_encoder.layers.1.blocks.0.attn.ab",
        "pixel_mean",
        "pixel_std",
    ]
    assert set(canonical_names([*MOBILE, *leftovers])) == set(MOBILE)
    assert set(canonical_names(["module." + name for name in [*MOBILE, *leftovers]])) == set(MOBILE)


def test_order_is_kept() -> None:
    assert list(to_canonical(dict.fromkeys(reversed(VIT_B)))) == list(reversed(VIT_B))


@given(st.sampled_from(VIT_B), st.booleans())
def test_each_missing_name_is_named(name: str, foreign: bool) -> None:
    state = {hugging_face(n) if foreign else n: 0 for n in VIT_B if n != name}
    with pytest.raises(ModelError, match="missing 1 ") as raised:
        to_canonical(state)
    assert name in str(raised.value)
    assert "unexpected" not in str(raised.value)


@pytest.mark.parametrize(
    "extra",
    ["mask_decoder.hf_token.weight", "image_encoder.blocks.0.extra", "optimizer", "prompt_encoder.x"],
)
def test_unexpected_names_are_named(extra: str) -> None:
    with pytest.raises(ModelError, match=rf"unexpected 1 \({re.escape(extra)}\)"):
        to_canonical(dict.fromkeys([*VIT_B, extra]))


def test_the_same_weight_twice_is_refused() -> None:
    given = [*VIT_B, "module.mask_decoder.iou_token.weight"]
    with pytest.raises(ModelError, match=r"unexpected 1 \(module.mask_decoder.iou_token.weight\)"):
        canonical_names(given)
    foreign = [hugging_face(name) for name in VIT_B] + ["image_encoder.pos_embed"]
    with pytest.raises(ModelError, match=r"unexpected 1 \(image_encoder.pos_embed\)"):
        canonical_names(foreign)


def test_another_network_gets_one_short_line() -> None:
    state = dict.fromkeys([f"layers.{i}.weight" * 20 for i in range(1000)])
    with pytest.raises(ModelError) as raised:
        to_canonical(state)
    message = str(raised.value)
    assert "unexpected 1000 (" in message
    assert "\n" not in message
    assert len(message) < 800


def test_a_gap_in_the_blocks_is_noticed_and_a_huge_number_costs_nothing() -> None:
    names = [name.replace("blocks.11.", "blocks.999999999.") for name in VIT_B]
    with pytest.raises(ModelError, match=r"missing 14 \(image_encoder.blocks.11.*unexpected 14"):
        canonical_names(names)


def vit_shapes(width: int, depth: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"image_encoder.patch_embed.proj.weight": (width, 3, 16, 16)}
    return shapes | {f"image_encoder.blocks.{i}.norm1.weight": (width,) for i in range(depth)}


def tiny_vit_shapes(*widths: int, depths: tuple[int, ...] = (2, 2, 6, 2)) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"image_encoder.patch_embed.seq.2.c.weight": (widths[0], 32, 3, 3)}
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for block in range(depth):
            shapes[f"image_encoder.layers.{stage}.blocks.{block}.attn.proj.weight"] = (width, width)
    return shapes


@pytest.mark.parametrize(
    ("shapes", "name"),
    [
        (vit_shapes(768, 12), "sam_vit_b"),
        (vit_shapes(1024, 24), "sam_vit_l"),
        (vit_shapes(1280, 32), "sam_vit_h"),
        (tiny_vit_shapes(64, 128, 160, 320), "sam_tiny_vit"),
    ],
)
def test_architecture(shapes: dict[str, tuple[int, ...]], name: str) -> None:
    assert detect_architecture(shapes) == name


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (vit_shapes(768, 24), "ViT of width 768 and 24 blocks"),
        (tiny_vit_shapes(64, 128, 160, 448), r"TinyViT of widths \(64, 128, 160, 448\)"),
        (tiny_vit_shapes(64, 128, 160, 320, depths=(2, 2, 2, 2)), r"depths \(2, 2, 2, 2\)"),
        ({"image_encoder.patch_embed.seq.2.c.weight": (64, 32, 3, 3)}, r"TinyViT of widths \(64, 0, 0, 0\)"),
        ({"image_encoder.patch_embed.proj.weight": ()}, "ViT of width 0 and 0 blocks"),
        ({}, "no image_encoder.patch_embed"),
    ],
)
def test_unknown_sizes_are_named(shapes: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        detect_architecture(shapes)
