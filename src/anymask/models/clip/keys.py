"""The names of CLIP's weights: transformers' and open_clip's renamed to those of OpenAI's own code.

Canonical is OpenAI's layout: query, key and value in one matrix, projections to be multiplied from the right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anymask.core.errors import ModelError
from anymask.models.keys import some_names

Array = NDArray[Any]

_LEFT_OUT: Final = re.compile(
    r".*\.position_ids|input_resolution|context_length|vocab_size|(?:text\.)?attn_mask|logit_bias"
)
_OUTER: Final = (  # transformers' names, canonical names, whether transposed
    ("text_model.embeddings.token_embedding.weight", "token_embedding.weight", False),
    ("text_model.embeddings.position_embedding.weight", "positional_embedding", False),
    ("text_model.final_layer_norm.weight", "ln_final.weight", False),
    ("text_model.final_layer_norm.bias", "ln_final.bias", False),
    ("text_projection.weight", "text_projection", True),
    ("vision_model.embeddings.class_embedding", "visual.class_embedding", False),
    ("vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight", False),
    ("vision_model.embeddings.position_embedding.weight", "visual.positional_embedding", False),
    ("vision_model.pre_layrnorm.weight", "visual.ln_pre.weight", False),  # so spelt there
    ("vision_model.pre_layrnorm.bias", "visual.ln_pre.bias", False),
    ("vision_model.post_layernorm.weight", "visual.ln_post.weight", False),
    ("vision_model.post_layernorm.bias", "visual.ln_post.bias", False),
    ("visual_projection.weight", "visual.proj", True),
    ("logit_scale", "logit_scale", False),
)
_LAYERS: Final = (  # a block's layers: transformers' name, canonical name
    ("layer_norm1", "ln_1"),
    ("self_attn.out_proj", "attn.out_proj"),
    ("layer_norm2", "ln_2"),
    ("mlp.fc1", "mlp.c_fc"),
    ("mlp.fc2", "mlp.c_proj"),
)
_TOWERS: Final = (
    ("text_model.encoder.layers", "transformer"),
    ("vision_model.encoder.layers", "visual.transformer"),
)


@dataclass(frozen=True)
class Source:
    """How a canonical tensor comes from given ones: joined along the first axis, then perhaps transposed."""

    names: tuple[str, ...]
    transposed: bool = False

    def shape(self, shapes: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
        """Its shape from those of the given tensors."""
        first = tuple(shapes[self.names[0]])
        if len(self.names) > 1:
            first = (sum(shapes[name][0] for name in self.names), *first[1:])
        return first[::-1] if self.transposed else first

    def array(self, state: Mapping[str, Array]) -> Array:
        """Its values."""
        parts = [state[name] for name in self.names]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return np.ascontiguousarray(whole.T) if self.transposed else whole


class ClipTensors(Mapping[str, Array]):
    """A state dict under canonical names; arrays are made when asked for.

    `state`: in OpenAI's, open_clip's or transformers' layout, with or without "module." before all names.
    shapes: of its tensors. Raises ModelError with what is missing and unexpected.
    """

    def __init__(self, state: Mapping[str, Array], shapes: Mapping[str, Sequence[int]]) -> None:
        self._state = state
        self._sources = sources(shapes)
        self.shapes = {name: source.shape(shapes) for name, source in self._sources.items()}

    def __getitem__(self, name: str) -> Array:
        return self._sources[name].array(self._state)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def has_clip_names(names: Iterable[str]) -> bool:
    """Whether names of tensors look like those of a CLIP network in any of the layouts."""
    return any(name.endswith(("token_embedding.weight",)) for name in names)


def is_hugging_face(names: Iterable[str]) -> bool:
    """Whether the names are in transformers' layout."""
    return any("vision_model." in name for name in names)


def sources(given: Iterable[str]) -> dict[str, Source]:
    """Canonical name -> where it comes from. Raises ModelError with missing and unexpected names."""
    given = [name for name in given if not _LEFT_OUT.fullmatch(_plain(name))]
    plain = {_plain(name): name for name in given}
    found = (
        _from_hugging_face(plain) if is_hugging_face(plain) else {n: Source((g,)) for n, g in plain.items()}
    )
    expected = set(expected_names(found))
    used = {name for source in found.values() for name in source.names}
    missing = sorted(expected - found.keys())
    unexpected = sorted({n for n in found if n not in expected} | (set(plain.values()) - used))
    if missing or unexpected:
        told = [f"missing {some_names(missing)}"] * bool(missing)
        told += [f"unexpected {some_names(unexpected)}"] * bool(unexpected)
        raise ModelError(f"Not the weights of a CLIP network with two transformers: {', '.join(told)}.")
    return found


def expected_names(names: Iterable[str]) -> list[str]:
    """All canonical names of a network with the blocks counted in `names`."""
    names = list(names)
    outer = [canonical for _, canonical, _ in _OUTER]
    return outer + [
        f"{tower}.resblocks.{block}.{name}"
        for _, tower in _TOWERS
        for block in range(max(_count(names, rf"{re.escape(tower)}\.resblocks\.(\d+)\."), 1))
        for name in _block_names()
    ]


def _plain(name: str) -> str:
    """Without what wrappers put before it: DataParallel's "module.", open_clip's "text."."""
    return name.removeprefix("module.").removeprefix("text.")


def _block_names() -> list[str]:
    layers = [f"{canonical}.{part}" for _, canonical in _LAYERS for part in ("weight", "bias")]
    return [*layers, "attn.in_proj_weight", "attn.in_proj_bias"]


def _from_hugging_face(plain: Mapping[str, str]) -> dict[str, Source]:
    found = {canonical: Source((plain[n],), turned) for n, canonical, turned in _OUTER if n in plain}
    for theirs, ours in _TOWERS:
        for block in range(_count(plain, rf"{re.escape(theirs)}\.(\d+)\.")):
            found |= _block_sources(plain, f"{theirs}.{block}", f"{ours}.resblocks.{block}")
    return found


def _block_sources(plain: Mapping[str, str], theirs: str, ours: str) -> dict[str, Source]:
    wanted: dict[str, tuple[str, ...]] = {}
    for part in ("weight", "bias"):
        for name, canonical in _LAYERS:
            wanted[f"{ours}.{canonical}.{part}"] = (f"{theirs}.{name}.{part}",)
        wanted[f"{ours}.attn.in_proj_{part}"] = tuple(
            f"{theirs}.self_attn.{letter}_proj.{part}" for letter in "qkv"
        )
    return {
        canonical: Source(tuple(plain[name] for name in names))
        for canonical, names in wanted.items()
        if all(name in plain for name in names)
    }


def _count(names: Iterable[str], pattern: str) -> int:
    match: Callable[[str], re.Match[str] | None] = re.compile(pattern).match
    return len({found[1] for name in names if (found := match(name))})
