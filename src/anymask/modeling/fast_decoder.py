"""Segment Anything's mask decoder rearranged for many prompts on one image: the same function, less work.

Built from `PromptEncoder` and `MaskDecoder`, whose parameters it shares, so that state-dict names stay.
Four stages, each a module, so that a runtime can keep or skip its result:

    PromptTokens    points and labels -> tokens                          once per batch of prompts
    PrepareImage    image embedding -> image side of the first layer     once per image
    TokenDecoder    tokens, image side -> final keys, mask weights, predicted IoU
    MaskedTokenDecoder   the same for prompts with a mask, which changes the image side
    Upscale         final keys, mask weights -> low-resolution logits    only for wanted prompts

Why it is exact (C channels, d of them per head, T tokens, P image positions, T << P):
- Layer 1 sees the same image for every prompt without a mask, so its image-side projections are shared.
- A projection of all P positions is only ever multiplied by T tokens: (x W') q = x (W' q), so the weights are
  applied to the tokens. The bias of a key adds one number to all of a softmax's inputs and cancels there; the
  bias of a value passes through the softmax, whose weights sum to one.
- A 2x2 transposed convolution of stride 2 is a linear map per position, so keys stay channel-last to the end.
"""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.modeling.common import LayerNorm2d
from anymask.modeling.mask_decoder import MaskDecoder
from anymask.modeling.prompt_encoder import PromptEncoder
from anymask.modeling.transformer import Attention, TwoWayAttentionBlock

_Upscaling = tuple[nn.ConvTranspose2d, LayerNorm2d, nn.Module, nn.ConvTranspose2d, nn.Module]


class ImageSide(NamedTuple):
    """What the first layer needs of an image, the same for all of its prompts."""

    image: Tensor  # (P, C) embedding plus "no mask" embedding
    position: Tensor  # (P, C) positional encoding
    key: Tensor  # (heads, d, P) of token-to-image attention
    value: Tensor  # (heads, P, d)
    query: Tensor  # (heads, d, P) of image-to-token attention, scaled


class Decoded(NamedTuple):
    """What the tokens say about B prompts."""

    keys: Tensor  # (B, P, C) image positions after the last layer
    mask_weights: Tensor  # (B, 4, C / 8) one linear classifier of upscaled pixels per mask token
    scores: Tensor  # (B, 4) predicted IoU


class PromptTokens(nn.Module):
    """points_xy (B, N, 2) in input pixels and labels (B, N) in -1..3 -> tokens (B, 5 + N, C)."""

    def __init__(self, prompt_encoder: PromptEncoder, mask_decoder: MaskDecoder) -> None:
        super().__init__()
        self.prompt_encoder = prompt_encoder
        self.mask_decoder = mask_decoder

    def forward(self, points_xy: Tensor, labels: Tensor) -> Tensor:
        own = torch.cat([self.mask_decoder.iou_token.weight, self.mask_decoder.mask_tokens.weight])
        sparse = self.prompt_encoder.encode_points(points_xy, labels)
        return torch.cat([own.expand(sparse.shape[0], -1, -1), sparse], dim=1)


class PrepareImage(nn.Module):
    """image_embedding (1, C, h, w) -> ImageSide, with P = h * w."""

    def __init__(self, prompt_encoder: PromptEncoder, mask_decoder: MaskDecoder) -> None:
        super().__init__()
        self.prompt_encoder = prompt_encoder
        self.mask_decoder = mask_decoder

    def forward(self, image_embedding: Tensor) -> ImageSide:
        block = _layers(self.mask_decoder)[0]
        position = cells(self.prompt_encoder.image_pe())[0]
        image = cells(image_embedding)[0] + self.prompt_encoder.no_mask_embed.weight
        to_image, to_token = block.cross_attn_token_to_image, block.cross_attn_image_to_token
        key = _split_heads(to_image.k_proj(image + position), to_image.num_heads)
        value = _split_heads(to_image.v_proj(image), to_image.num_heads)
        query = _split_heads(to_token.q_proj(image + position), to_token.num_heads) * _scale(to_token)
        return ImageSide(image, position, key.transpose(1, 2), value, query.transpose(1, 2))


class TokenDecoder(nn.Module):
    """ImageSide, tokens (B, T, C) -> Decoded, for prompts without a mask."""

    def __init__(self, mask_decoder: MaskDecoder) -> None:
        super().__init__()
        self.mask_decoder = mask_decoder

    def forward(
        self, image: Tensor, position: Tensor, key: Tensor, value: Tensor, query: Tensor, tokens: Tensor
    ) -> Decoded:
        block = _layers(self.mask_decoder)[0]
        queries = block.norm1(block.look_at_tokens(tokens, tokens))
        attended = _shared_token_to_image(block.cross_attn_token_to_image, queries + tokens, key, value)
        queries = _after_cross_attention(block, queries, attended)
        attended = _shared_image_to_token(block.cross_attn_image_to_token, query, queries + tokens, queries)
        keys = block.norm4(image + attended)
        return decode_keys(self.mask_decoder, queries, keys, position, tokens, first=1)


class MaskedTokenDecoder(nn.Module):
    """image_embedding (1, C, h, w), tokens (B, T, C), mask_logits (B, 1, 4h, 4w) -> Decoded."""

    def __init__(self, prompt_encoder: PromptEncoder, mask_decoder: MaskDecoder) -> None:
        super().__init__()
        self.prompt_encoder = prompt_encoder
        self.mask_decoder = mask_decoder

    def forward(self, image_embedding: Tensor, tokens: Tensor, mask_logits: Tensor) -> Decoded:
        position = cells(self.prompt_encoder.image_pe())[0]
        keys = cells(image_embedding) + cells(self.prompt_encoder.mask_downscaling(mask_logits))
        return decode_keys(self.mask_decoder, tokens, keys, position, tokens, first=0)


class Upscale(nn.Module):
    """keys (B, P, C), mask_weights (B, K, C / 8) -> low-resolution logits (B, K, 4h, 4w)."""

    def __init__(self, mask_decoder: MaskDecoder, embedding_hw: tuple[int, int]) -> None:
        super().__init__()
        self.mask_decoder = mask_decoder
        self.embedding_hw = embedding_hw

    def forward(self, keys: Tensor, mask_weights: Tensor) -> Tensor:
        first, norm, _, second, _ = cast(_Upscaling, tuple(self.mask_decoder.output_upscaling))
        pixels = F.gelu(_layer_norm(_transposed_conv(keys, first), norm))  # (B, P, 2, 2, C / 4)
        pixels = F.gelu(_transposed_conv(pixels, second))  # (B, P, 2, 2, 2, 2, C / 8)
        logits = mask_weights @ pixels.flatten(1, -2).transpose(1, 2)  # (B, K, P * 16)
        # Every position holds rows and columns of two upscalings: interleave them to a picture.
        logits = logits.reshape(*mask_weights.shape[:2], *self.embedding_hw, 2, 2, 2, 2)
        logits = logits.permute(0, 1, 2, 4, 6, 3, 5, 7)
        return logits.flatten(5, 7).flatten(2, 4)


class FastDecoder(nn.Module):
    """All stages: image_embedding (1, C, h, w) and prompts -> logits (B, 4, 4h, 4w), scores (B, 4)."""

    def __init__(self, prompt_encoder: PromptEncoder, mask_decoder: MaskDecoder) -> None:
        super().__init__()
        self.prompt_tokens = PromptTokens(prompt_encoder, mask_decoder)
        self.prepare_image = PrepareImage(prompt_encoder, mask_decoder)
        self.token_decoder = TokenDecoder(mask_decoder)
        self.masked_token_decoder = MaskedTokenDecoder(prompt_encoder, mask_decoder)
        self.upscale = Upscale(mask_decoder, prompt_encoder.embedding_hw)

    def forward(
        self, image_embedding: Tensor, points_xy: Tensor, labels: Tensor, mask_logits: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        tokens = self.prompt_tokens(points_xy, labels)
        if mask_logits is None:
            decoded = self.token_decoder(*self.prepare_image(image_embedding), tokens)
        else:
            decoded = self.masked_token_decoder(image_embedding, tokens, mask_logits)
        return self.upscale(decoded.keys, decoded.mask_weights), decoded.scores


def decode_keys(
    decoder: MaskDecoder, queries: Tensor, keys: Tensor, position: Tensor, tokens: Tensor, *, first: int
) -> Decoded:
    """The transformer's layers from `first` on and the heads; queries, tokens (B, T, C), keys (B, P, C)."""
    transformer = decoder.transformer
    for block in _layers(decoder)[first:]:
        queries = block.norm1(block.look_at_tokens(queries, tokens))
        attended = _token_to_image(block.cross_attn_token_to_image, queries + tokens, keys, keys + position)
        queries = _after_cross_attention(block, queries, attended)
        placed = keys + position
        attended = _image_to_token(block.cross_attn_image_to_token, placed, queries + tokens, queries)
        keys = block.norm4(keys + attended)
    attended = _token_to_image(transformer.final_attn_token_to_image, queries + tokens, keys, keys + position)
    queries = transformer.norm_final_attn(queries + attended)
    return Decoded(keys, _mask_weights(decoder, queries[:, 1:5]), decoder.iou_prediction_head(queries[:, 0]))


def _after_cross_attention(block: TwoWayAttentionBlock, queries: Tensor, attended: Tensor) -> Tensor:
    queries = block.norm2(queries + attended)
    return block.norm3(queries + block.mlp(queries))


def _shared_token_to_image(attention: Attention, queries: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Tokens (B, T, C) look at an image projected beforehand: all prompts in one product per head."""
    batch, count, _ = queries.shape
    query = _split_heads(attention.q_proj(queries).flatten(0, 1), attention.num_heads) * _scale(attention)
    mixed = (query @ key).softmax(-1) @ value  # (heads, B * T, d)
    return attention.out_proj(mixed.transpose(0, 1).reshape(batch, count, -1))


def _shared_image_to_token(attention: Attention, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """An image projected beforehand looks at tokens (B, T, C): (B, P, C)."""
    batch, count, _ = keys.shape
    key = _split_heads(attention.k_proj(keys).flatten(0, 1), attention.num_heads)  # (heads, B * T, d)
    scores = (key @ query).reshape(key.shape[0], batch, count, -1)  # (heads, B, T, P)
    weights = scores.softmax(2).permute(1, 0, 2, 3).flatten(1, 2)  # (B, heads * T, P)
    return weights.transpose(1, 2) @ _folded_values(attention, values) + attention.out_proj.bias


def _token_to_image(attention: Attention, queries: Tensor, image: Tensor, placed: Tensor) -> Tensor:
    """Tokens (B, T, C) look at images (B, P, C); the images' projections are applied to the tokens."""
    heads = attention.num_heads
    batch, count, channels = queries.shape
    query = attention.heads(attention.q_proj(queries)) * _scale(attention)
    folded = (query @ _head_weights(attention.k_proj, heads)).flatten(1, 2)  # (B, heads * T, C)
    mixed = (folded @ placed.transpose(1, 2)).softmax(-1) @ image  # (B, heads * T, C)
    per_head = mixed.reshape(batch, heads, count, channels)
    value = per_head @ _head_weights(attention.v_proj, heads).transpose(1, 2)  # (B, heads, T, d)
    return attention.out_proj(value.transpose(1, 2).flatten(2) + attention.v_proj.bias)


def _image_to_token(attention: Attention, placed: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Images (B, P, C) look at tokens (B, T, C), to which the query projection is applied: (B, P, C)."""
    heads = attention.num_heads
    batch, count, _ = keys.shape
    key = attention.heads(attention.k_proj(keys)) * _scale(attention)  # (B, heads, T, d)
    folded = (key @ _head_weights(attention.q_proj, heads)).flatten(1, 2)  # (B, heads * T, C)
    bias = (key @ attention.q_proj.bias.reshape(heads, -1, 1)).flatten(1, 2)  # (B, heads * T, 1)
    scores = folded @ placed.transpose(1, 2) + bias
    weights = scores.reshape(batch, heads, count, -1).softmax(2).flatten(1, 2)
    return weights.transpose(1, 2) @ _folded_values(attention, values) + attention.out_proj.bias


def _folded_values(attention: Attention, values: Tensor) -> Tensor:
    """Values of tokens (B, T, C) with the output projection applied: (B, heads * T, C)."""
    value = attention.heads(attention.v_proj(values))  # (B, heads, T, d)
    output = attention.out_proj.weight  # (C, heads * d)
    return (value @ output.t().reshape(attention.num_heads, -1, output.shape[0])).flatten(1, 2)


def _layers(decoder: MaskDecoder) -> list[TwoWayAttentionBlock]:
    return cast(list[TwoWayAttentionBlock], list(decoder.transformer.layers))


def cells(plane: Tensor) -> Tensor:
    """(B, C, h, w) -> (B, h * w, C)."""
    return plane.flatten(2).transpose(1, 2)


def _split_heads(rows: Tensor, heads: int) -> Tensor:
    """(rows, heads * d) -> (heads, rows, d)."""
    return rows.reshape(rows.shape[0], heads, -1).transpose(0, 1)


def _head_weights(linear: nn.Linear, heads: int) -> Tensor:
    """(heads * d, C) -> (heads, d, C)."""
    return linear.weight.reshape(heads, -1, linear.in_features)


def _scale(attention: Attention) -> float:
    return 1.0 / math.sqrt(attention.head_dim)


def _mask_weights(decoder: MaskDecoder, tokens: Tensor) -> Tensor:
    """tokens (B, 4, C) -> (B, 4, C / 8), each token through its own perceptron."""
    outputs = [mlp(tokens[:, i]) for i, mlp in enumerate(decoder.output_hypernetworks_mlps)]
    return torch.stack(outputs, dim=1)


def _transposed_conv(x: Tensor, conv: nn.ConvTranspose2d) -> Tensor:
    """(..., C) -> (..., 2, 2, C'): a transposed convolution whose kernel equals its stride, per position."""
    weight = conv.weight.permute(2, 3, 1, 0).flatten(0, 2)  # rows (i, j, c')
    assert conv.bias is not None
    return F.linear(x, weight, conv.bias.repeat(4)).reshape(*x.shape[:-1], 2, 2, -1)


def _layer_norm(x: Tensor, norm: LayerNorm2d) -> Tensor:
    """A channel-first LayerNorm2d on channel-last values."""
    return F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps)
