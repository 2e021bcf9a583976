"""CLIP's two towers and BERT, as graphs."""

from __future__ import annotations

from typing import Final

import numpy as np

from anymask.models.clip.config import ClipConfig, Tower
from anymask.text.graph import (
    Network,
    Node,
    Weights,
    activation,
    attention,
    constant,
    integers,
    layer_norm,
    linear,
    operations,
    position,
)

_FORBIDDEN: Final = np.float32(-1e9)
"""Added to the score of a token that must not be looked at: its share is then exactly 0."""


def clip_image_network(
    config: ClipConfig, weights: Weights, *, precision: str, threads: int | None
) -> Network:
    """pixels (B, 3, S, S) float32, normalised -> "embedding" (B, embed_dim), not yet of length 1.

    The vision transformer of Dosovitskiy et al. (arXiv 2010.11929) with a norm before its blocks.
    """
    ops = operations()
    size, patch, width = config.image_size, config.patch_size, config.image.width
    pixels = ops.parameter([-1, 3, size, size], np.float32)
    kernel = constant(weights["visual.conv1.weight"])
    patches = ops.convolution(pixels, kernel, [patch, patch], [0, 0], [0, 0], [1, 1])
    cells = ops.transpose(ops.reshape(patches, integers(0, width, -1), special_zero=True), integers(0, 2, 1))
    first = ops.reshape(
        constant(weights["visual.class_embedding"]), integers(1, 1, width), special_zero=False
    )
    batch = ops.gather(ops.shape_of(pixels), integers(0), position(0))
    shape = ops.concat([batch, integers(1, width)], 0)
    tokens = ops.concat([ops.broadcast(first, shape), cells], 1)
    tokens = ops.add(tokens, constant(weights["visual.positional_embedding"]))
    tokens = layer_norm(tokens, weights, "visual.ln_pre", config.image.eps)
    tokens = _clip_blocks(tokens, weights, "visual.transformer", config.image, config.activation)
    summary = ops.gather(tokens, position(0), position(1))
    summary = layer_norm(summary, weights, "visual.ln_post", config.image.eps)
    embedding = linear(summary, np.ascontiguousarray(weights["visual.proj"].T))
    return Network([pixels], {"embedding": embedding}, precision=precision, threads=threads)


def clip_text_network(
    config: ClipConfig, weights: Weights, *, precision: str, threads: int | None
) -> Network:
    """tokens (B, T) int64, T up to `context`; last (B, 1) int64, where each text ends -> "embedding".

    A token sees only those before it, so that what comes after the end does not matter.
    """
    ops = operations()
    tokens, last = ops.parameter([-1, -1], np.int64), ops.parameter([-1, 1], np.int64)
    length = ops.gather(ops.shape_of(tokens), integers(1), position(0))
    positions = _first(constant(weights["positional_embedding"]), length, axes=(0,))
    x = ops.add(ops.gather(constant(weights["token_embedding.weight"]), tokens, position(0)), positions)
    later = np.triu(np.full((config.context, config.context), _FORBIDDEN), 1)
    bias = _first(ops.constant(later), length, axes=(0, 1))
    x = _clip_blocks(x, weights, "transformer", config.text, config.activation, bias)
    x = layer_norm(x, weights, "ln_final", config.text.eps)
    ends = ops.squeeze(ops.gather(x, last, position(1), batch_dims=1), integers(1))
    embedding = linear(ends, np.ascontiguousarray(weights["text_projection"].T))
    return Network([tokens, last], {"embedding": embedding}, precision=precision, threads=threads)


def bert_network(weights: Weights, tower: Tower, *, precision: str, threads: int | None) -> Network:
    """tokens (B, T) int64, real (B, T) float32, 1 where a token is one -> "embedding" (B, width).

    BERT (Devlin et al., arXiv 1810.04805) and the mean of its tokens (Reimers, Gurevych, arXiv 1908.10084).
    """
    ops = operations()
    tokens, real = ops.parameter([-1, -1], np.int64), ops.parameter([-1, -1], np.float32)
    length = ops.gather(ops.shape_of(tokens), integers(1), position(0))
    words = ops.gather(constant(weights["embeddings.word_embeddings.weight"]), tokens, position(0))
    kind = np.ascontiguousarray(weights["embeddings.token_type_embeddings.weight"][0])
    places = _first(constant(weights["embeddings.position_embeddings.weight"]), length, axes=(0,))
    x = ops.add(ops.add(words, places), constant(kind))
    x = layer_norm(x, weights, "embeddings.LayerNorm", tower.eps)
    absent = ops.multiply(ops.subtract(ops.constant(np.float32(1)), real), ops.constant(_FORBIDDEN))
    bias = ops.unsqueeze(absent, integers(1, 2))  # (B, 1, 1, T)
    for layer in range(tower.layers):
        x = _bert_block(x, weights, f"encoder.layer.{layer}", tower, bias)
    share = ops.unsqueeze(real, integers(2))
    total = ops.reduce_sum(ops.multiply(x, share), integers(1), keep_dims=False)
    mean = ops.divide(total, ops.reduce_sum(share, integers(1), keep_dims=False))
    return Network([tokens, real], {"embedding": mean}, precision=precision, threads=threads)


def _clip_blocks(
    x: Node, weights: Weights, tower_name: str, tower: Tower, kind: str, bias: Node | None = None
) -> Node:
    ops = operations()
    for block in range(tower.layers):
        name = f"{tower_name}.resblocks.{block}"
        in_proj = weights[f"{name}.attn.in_proj_weight"], weights[f"{name}.attn.in_proj_bias"]
        seen = layer_norm(x, weights, f"{name}.ln_1", tower.eps)
        seen = attention(seen, in_proj, _layer(weights, f"{name}.attn.out_proj"), tower.heads, bias)
        x = ops.add(x, seen)
        hidden = linear(
            layer_norm(x, weights, f"{name}.ln_2", tower.eps), *_layer(weights, f"{name}.mlp.c_fc")
        )
        x = ops.add(x, linear(activation(hidden, kind), *_layer(weights, f"{name}.mlp.c_proj")))
    return x


def _bert_block(x: Node, weights: Weights, name: str, tower: Tower, bias: Node) -> Node:
    ops = operations()
    parts = [_layer(weights, f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
    in_proj = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    seen = attention(x, in_proj, _layer(weights, f"{name}.attention.output.dense"), tower.heads, bias)
    x = layer_norm(ops.add(x, seen), weights, f"{name}.attention.output.LayerNorm", tower.eps)
    hidden = activation(linear(x, *_layer(weights, f"{name}.intermediate.dense")), "gelu")
    out = linear(hidden, *_layer(weights, f"{name}.output.dense"))
    return layer_norm(ops.add(x, out), weights, f"{name}.output.LayerNorm", tower.eps)


def _layer(weights: Weights, name: str) -> tuple[np.ndarray, np.ndarray]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _first(x: Node, count: Node, axes: tuple[int, ...]) -> Node:
    """The first `count` entries along each of some axes."""
    ops = operations()
    for axis in axes:
        x = ops.slice(x, integers(0), count, integers(1), integers(axis))
    return x
