"""The names of weights: every published layout of Segment Anything renamed to `segment_anything`'s own.

Pure functions on names; the values may be arrays, tensors or anything else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from anymask.core.errors import ModelError

T = TypeVar("T")

NUM_MASK_TOKENS: Final = 4

_ROOTS: Final = ("image_encoder.", "vision_encoder.")  # Meta and MobileSAM; Hugging Face
_FREQUENCIES: Final = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"

# Found in checkpoints, needed by nobody: counters, buffers computed anew, MobileSAM's unused classifier.
_LEFT_OUT: Final = re.compile(
    r"pixel_mean|pixel_std|.*\.num_batches_tracked|.*\.attention_bias_idxs|.*\.attn\.ab"
    r"|image_encoder\.(norm_head|head)\.(weight|bias)"
)

_PERCEPTRON: Final = r"(mask_decoder\.(?:output_hypernetworks_mlps\.\d+|iou_prediction_head))"
_HUGGING_FACE: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"shared_image_embedding\.positional_embedding", _FREQUENCIES),
        (r"prompt_encoder\.shared_embedding\.positional_embedding", _FREQUENCIES),
        (r"vision_encoder\.patch_embed\.projection\.", "image_encoder.patch_embed.proj."),
        (r"vision_encoder\.layers\.(\d+)\.layer_norm", r"image_encoder.blocks.\1.norm"),
        (r"vision_encoder\.layers\.", "image_encoder.blocks."),
        (r"vision_encoder\.neck\.conv1\.", "image_encoder.neck.0."),
        (r"vision_encoder\.neck\.layer_norm1\.", "image_encoder.neck.1."),
        (r"vision_encoder\.neck\.conv2\.", "image_encoder.neck.2."),
        (r"vision_encoder\.neck\.layer_norm2\.", "image_encoder.neck.3."),
        (r"vision_encoder\.pos_embed", "image_encoder.pos_embed"),
        (r"prompt_encoder\.point_embed\.", "prompt_encoder.point_embeddings."),
        (r"prompt_encoder\.mask_embed\.conv1\.", "prompt_encoder.mask_downscaling.0."),
        (r"prompt_encoder\.mask_embed\.layer_norm1\.", "prompt_encoder.mask_downscaling.1."),
        (r"prompt_encoder\.mask_embed\.conv2\.", "prompt_encoder.mask_downscaling.3."),
        (r"prompt_encoder\.mask_embed\.layer_norm2\.", "prompt_encoder.mask_downscaling.4."),
        (r"prompt_encoder\.mask_embed\.conv3\.", "prompt_encoder.mask_downscaling.6."),
        (r"(mask_decoder\.transformer\.layers\.\d+)\.layer_norm", r"\1.norm"),
        (r"mask_decoder\.transformer\.layer_norm_final_attn\.", "mask_decoder.transformer.norm_final_attn."),
        (r"mask_decoder\.upscale_conv1\.", "mask_decoder.output_upscaling.0."),
        (r"mask_decoder\.upscale_layer_norm\.", "mask_decoder.output_upscaling.1."),
        (r"mask_decoder\.upscale_conv2\.", "mask_decoder.output_upscaling.3."),
        # Perceptrons of three layers: the middle one is "layers.0" here and "layers.1" there.
        (_PERCEPTRON + r"\.layers\.0\.", r"\1.layers.1."),
        (_PERCEPTRON + r"\.proj_in\.", r"\1.layers.0."),
        (_PERCEPTRON + r"\.proj_out\.", r"\1.layers.2."),
    )
)

_VITS: Final = {(768, 12): "sam_vit_b", (1024, 24): "sam_vit_l", (1280, 32): "sam_vit_h"}  # width, blocks
_TINY_VIT: Final = ((64, 128, 160, 320), (2, 2, 6, 2))  # widths and blocks of the stages


def to_canonical(state: Mapping[str, T]) -> dict[str, T]:
    """The same weights under `segment_anything`'s names.

    `state`: a state dict in Meta's, MobileSAM's or Hugging Face's layout, with or without a common prefix
    ("module.", "model.", ...). What no network needs is left out: counters of batch normalisation, buffers of
    attention offsets, MobileSAM's classifier, and the second copy of Hugging Face's shared embedding.
    Raises ModelError with the missing and the unexpected names when it is another network's state.
    """
    return {name: state[given] for name, given in canonical_names(state).items()}


def canonical_names(given: Iterable[str]) -> dict[str, str]:
    """Canonical name -> given name, in the given order; see `to_canonical`."""
    names: dict[str, str] = {}
    repeated: list[str] = []
    given = list(given)
    prefix = _common_prefix(given)
    rename = _from_hugging_face if any(n.startswith(prefix + "vision_encoder.") for n in given) else str
    for name in given:
        canonical = rename(name.removeprefix(prefix))
        tied_copy = canonical == _FREQUENCIES and canonical in names  # Hugging Face's
        if tied_copy or _LEFT_OUT.fullmatch(canonical):
            continue
        if names.setdefault(canonical, name) != name:
            repeated.append(name)
    _check_complete(names, expected_names(names), repeated)
    return names


def expected_names(names: Collection[str]) -> set[str]:
    """All canonical names of the network to which `names` belong; its depths are counted from them."""
    tiny = any(name.startswith("image_encoder.patch_embed.seq.") for name in names)
    encoder = _tiny_vit_names(names) if tiny else _vit_names(_count(names, r"image_encoder\.blocks\.(\d+)\."))
    return encoder | _neck_names() | _prompt_encoder_names() | _decoder_names(names)


def detect_architecture(shapes: Mapping[str, Sequence[int]]) -> str:
    """The architecture ("sam_vit_b", "sam_vit_l", "sam_vit_h", "sam_tiny_vit") of canonical names and shapes.

    Raises ModelError naming the sizes found when they are none of these.
    """
    tiny_stem = shapes.get("image_encoder.patch_embed.seq.2.c.weight")
    patches = shapes.get("image_encoder.patch_embed.proj.weight")
    if tiny_stem is not None:
        projections = [f"image_encoder.layers.{stage}.blocks.0.attn.proj.weight" for stage in (1, 2, 3)]
        widths = (_width(tiny_stem), *(_width(shapes.get(name, ())) for name in projections))
        depths = tuple(_count(shapes, _tiny_block(stage)) for stage in range(4))
        found = "sam_tiny_vit" if (widths, depths) == _TINY_VIT else None
        sizes = f"TinyViT of widths {widths} and depths {depths}"
    elif patches is not None:
        depth = _count(shapes, r"image_encoder\.blocks\.(\d+)\.")
        found = _VITS.get((_width(patches), depth))
        sizes = f"ViT of width {_width(patches)} and {depth} blocks"
    else:
        raise ModelError("Not the weights of Segment Anything: no image_encoder.patch_embed.proj.weight.")
    if found is None:
        raise ModelError(
            f"Image encoder is a {sizes}; known are ViT-B (768, 12 blocks), ViT-L (1024, 24), "
            "ViT-H (1280, 32) and TinyViT-5M of MobileSAM."
        )
    return found


def some_names(names: Sequence[str], limit: int = 4) -> str:
    """The first few names for an error message."""
    shown = [name if len(name) <= 80 else name[:77] + "..." for name in names[:limit]]
    return ", ".join(shown + (["..."] if len(names) > limit else []))


def _common_prefix(names: Iterable[str]) -> str:
    for name in names:
        for root in _ROOTS:
            before, found, _ = name.partition(root)
            if found and (not before or before.endswith(".")):
                return before
    return ""


def _from_hugging_face(name: str) -> str:
    for pattern, replacement in _HUGGING_FACE:
        if match := pattern.match(name):
            return match.expand(replacement) + name[match.end() :]
    return name


def _check_complete(names: Mapping[str, str], expected: set[str], repeated: Sequence[str]) -> None:
    missing = sorted(expected - names.keys())
    unexpected = [given for name, given in names.items() if name not in expected] + [*repeated]
    if missing or unexpected:
        problems = [
            f"{label} {len(found)} ({some_names(found)})"
            for label, found in (("missing", missing), ("unexpected", unexpected))
            if found
        ]
        raise ModelError(f"Not the weights of a Segment Anything network: {', '.join(problems)}.")


def _count(names: Iterable[str], pattern: str) -> int:
    """How many different numbers stand in the first group of `pattern`."""
    return len({int(match[1]) for name in names if (match := re.match(pattern, name))})


def _width(shape: Sequence[int]) -> int:
    return shape[0] if shape else 0


def _tiny_block(stage: int) -> str:
    return rf"image_encoder\.layers\.{stage}\.blocks\.(\d+)\."


def _layer(name: str) -> set[str]:
    return {f"{name}.weight", f"{name}.bias"}


def _layers(prefix: str, names: Iterable[str]) -> set[str]:
    return {full for name in names for full in _layer(f"{prefix}.{name}")}


def _vit_names(depth: int) -> set[str]:
    names = {"image_encoder.pos_embed"} | _layer("image_encoder.patch_embed.proj")
    for block in range(max(depth, 1)):
        prefix = f"image_encoder.blocks.{block}"
        names |= _layers(prefix, ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.lin1", "mlp.lin2"))
        names |= {f"{prefix}.attn.rel_pos_h", f"{prefix}.attn.rel_pos_w"}
    return names


def _tiny_vit_names(names: Collection[str]) -> set[str]:
    convolutions = ["patch_embed.seq.0", "patch_embed.seq.2"]
    convolutions += [f"layers.{stage}.downsample.conv{i}" for stage in range(3) for i in (1, 2, 3)]
    expected: set[str] = set()
    for stage in range(4):
        for block in range(max(_count(names, _tiny_block(stage)), 1)):
            prefix = f"layers.{stage}.blocks.{block}"
            if stage == 0:
                convolutions += [f"{prefix}.conv{i}" for i in (1, 2, 3)]
                continue
            convolutions.append(f"{prefix}.local_conv")
            layers = ("attn.norm", "attn.qkv", "attn.proj", "mlp.norm", "mlp.fc1", "mlp.fc2")
            expected |= _layers(f"image_encoder.{prefix}", layers)
            expected.add(f"image_encoder.{prefix}.attn.attention_biases")
    parts = ("c.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
    return expected | {f"image_encoder.{conv}.{part}" for conv in convolutions for part in parts}


def _neck_names() -> set[str]:
    convolutions = {"image_encoder.neck.0.weight", "image_encoder.neck.2.weight"}
    return convolutions | _layers("image_encoder.neck", ("1", "3"))


def _prompt_encoder_names() -> set[str]:
    prefix = "prompt_encoder"
    embeddings = [f"point_embeddings.{i}" for i in range(4)] + ["not_a_point_embed", "no_mask_embed"]
    return (
        {_FREQUENCIES}
        | {f"{prefix}.{name}.weight" for name in embeddings}
        | _layers(f"{prefix}.mask_downscaling", ("0", "1", "3", "4", "6"))
    )


def _decoder_names(names: Collection[str]) -> set[str]:
    transformer = "mask_decoder.transformer"
    expected = {"mask_decoder.iou_token.weight", "mask_decoder.mask_tokens.weight"}
    for layer in range(max(_count(names, r"mask_decoder\.transformer\.layers\.(\d+)\."), 1)):
        prefix = f"{transformer}.layers.{layer}"
        expected |= _layers(prefix, ("norm1", "norm2", "norm3", "norm4", "mlp.lin1", "mlp.lin2"))
        for attention in ("self_attn", "cross_attn_token_to_image", "cross_attn_image_to_token"):
            expected |= _attention_names(f"{prefix}.{attention}")
    expected |= _attention_names(f"{transformer}.final_attn_token_to_image")
    expected |= _layer(f"{transformer}.norm_final_attn")
    expected |= _layers("mask_decoder.output_upscaling", ("0", "1", "3"))
    heads = [f"output_hypernetworks_mlps.{i}" for i in range(NUM_MASK_TOKENS)] + ["iou_prediction_head"]
    return expected | {n for head in heads for n in _layers(f"mask_decoder.{head}.layers", ("0", "1", "2"))}


def _attention_names(prefix: str) -> set[str]:
    return _layers(prefix, ("q_proj", "k_proj", "v_proj", "out_proj"))
