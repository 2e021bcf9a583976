"""`lite`'s decoder rearranged for many single clicks on one image: the same function, less work.

Built from a `LiteDecoder`, whose parameters it shares, so that state-dict names stay. Three stages, each a
module, so that a runtime can keep or skip its result:

    ClickImage     features -> what all clicks of an image share         once per image
    ClickDecoder   clicks -> image positions, mask weights, scores       for every click
    ClickUpscale   image positions, mask weights -> logits               only for clicks that are wanted

Why it is exact (B clicks, T tokens, P positions at stride 16, C channels there; T << P):
- Of the eight rasters of a prompt only two are not zero for a click to include: its disk and its affinity.
- A bilinear sample is a product with the weights of all cells, most of them zero; no map is copied per click.
- Convolutions are linear: the part of the first one that sees the image alone is computed once.
- A projection of all P positions is only ever multiplied by T tokens: (x W') q = x (W' q), so the weights are
  applied to the tokens. The bias of a key adds one number to all of a softmax's inputs and cancels there; the
  bias of a value passes through the softmax, whose weights sum to one.
- At stride 4 the four cells of a stride-8 cell lie one after the other ("quarters") until neighbours matter,
  which costs one transposition less.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.modeling.lite.decoder import (
    DISK_RADIUS,
    Attention,
    LiteDecoder,
    TwoWayBlock,
    Upscale,
    flat,
    grid_xy,
    halve,
    plane,
    pointwise,
    unit_xy,
)

DISK, AFFINITY = 0, 6
"""Of the rasters in `LiteDecoder.rasters`, those that a click to include sets."""
_NOT_A_POINT, _INCLUDE = 0, 2  # rows of `label_tokens`

Size = tuple[int, int]


class ClickImageSide(NamedTuple):
    """What all clicks on an image share; P, P8, P4 positions at strides 16, 8, 4."""

    image: Tensor  # (P, C) s16
    nearby: Tensor  # (P, C) s16 through the first convolution over neighbours
    position: Tensor  # (P, C) positional encoding
    here16: Tensor  # (P, C) what the token of a click takes from each position
    here8: Tensor  # (P8, A) affinity vectors
    field: Tensor  # (A, P8) the same with length 1
    skip8: Tensor  # (P8, C8) s8
    skip4: Tensor  # (P4, C4) s4, in quarters


class ClickDecoded(NamedTuple):
    """What the tokens say about B clicks, and what upscaling needs."""

    keys: Tensor  # (B, P, C) image positions after the last layer
    affinity: Tensor  # (B, 1, h8, w8)
    mask_weights: Tensor  # (B, 4, C4 + 3) linear classifiers of pixels: channels, disk, affinity, 1
    scores: Tensor  # (B, 4) predicted IoU


class ClickImage(nn.Module):
    """s16, s8, s4 of one image -> ClickImageSide."""

    def __init__(self, decoder: LiteDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, s16: Tensor, s8: Tensor, s4: Tensor) -> ClickImageSide:
        decoder = self.decoder
        here8 = decoder.affinity(flat(s8)[0])
        return ClickImageSide(
            image=flat(s16)[0],
            nearby=flat(decoder.mixer_in.spatial(s16))[0],
            position=decoder.encode_xy(grid_xy(s16.shape[2], s16.shape[3], s16)),
            here16=decoder.point_feature(flat(s16)[0]),
            here8=here8,
            field=F.normalize(here8, dim=-1).t(),
            skip8=flat(s8)[0],
            skip4=_in_quarters(s4[0]),
        )


class ClickDecoder(nn.Module):
    """ClickImageSide without its skips, points_xy (B, 2) in input pixels -> ClickDecoded.

    Every point is a prompt of its own: one click to include. size_hw: of s16.
    """

    def __init__(self, decoder: LiteDecoder, size_hw: Size) -> None:
        super().__init__()
        self.decoder = decoder
        self.size_hw = size_hw

    def forward(
        self,
        image: Tensor,
        nearby: Tensor,
        position: Tensor,
        here16: Tensor,
        here8: Tensor,
        field: Tensor,
        points_xy: Tensor,
    ) -> ClickDecoded:
        decoder = self.decoder
        unit = unit_xy(points_xy, *_times(self.size_hw, 4))  # (B, 2)
        affinity = self.affinity(here8, field, unit)
        dense8 = dense_maps(decoder, affinity, unit)[1]
        tokens, keys = self.attend(self.mix(image, nearby, dense8), position, self.tokens(here16, unit))
        scores = decoder.iou_head(tokens[:, 0]).sigmoid()
        return ClickDecoded(keys, affinity, self.mask_weights(tokens), scores)

    def affinity(self, here8: Tensor, field: Tensor, unit: Tensor) -> Tensor:
        """Cosine similarity of every place to the clicked one: (B, 1, h8, w8)."""
        h8, w8 = _times(self.size_hw, 2)
        click = F.normalize(bilinear(unit, h8, w8) @ here8, dim=-1)
        return (click @ field).view(-1, 1, h8, w8)

    def mix(self, image: Tensor, nearby: Tensor, dense8: Tensor) -> Tensor:
        """`mixer_in` on image and prompt: (B, P, C)."""
        mixer = self.decoder.mixer_in
        prompt = halve(dense8, self.decoder.raster16)
        weight = mixer.spatial.weight
        spread = F.conv2d(prompt, weight, padding=2, groups=weight.shape[0])
        mixed: Tensor = image + flat(prompt) + mixer.mlp(mixer.norm(nearby + flat(spread)))
        return mixed

    def tokens(self, here16: Tensor, unit: Tensor) -> Tensor:
        """Output tokens, the click, and the token that says there is no box: (B, 5 + 2, C)."""
        decoder = self.decoder
        label = decoder.label_tokens.weight
        click = decoder.encode_xy(unit) + label[_INCLUDE] + bilinear(unit, *self.size_hw) @ here16
        output = decoder.output_tokens.weight[None].expand(unit.shape[0], -1, -1)
        padding = label[_NOT_A_POINT].expand(unit.shape[0], 1, -1)
        return torch.cat([output, click[:, None], padding], 1)

    def attend(self, keys: Tensor, position: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """The transformer on image keys (B, P, C) and tokens `start` (B, T, C): tokens, keys."""
        decoder, tokens = self.decoder, start
        for block in cast(list[TwoWayBlock], list(decoder.blocks)):
            placed, asked = keys + position, tokens + start
            tokens = block.norms[0](tokens + block.self_attn(asked, asked, tokens))
            tokens = block.norms[1](tokens + to_image(block.token_to_image, tokens + start, placed, keys))
            tokens = block.norms[2](tokens + block.mlp(tokens))
            keys = block.norms[3](keys + to_tokens(block.image_to_token, placed, tokens + start, tokens))
        last = to_image(decoder.final_attn, tokens + start, keys + position, keys)
        return decoder.final_norm(tokens + last), keys

    def mask_weights(self, tokens: Tensor) -> Tensor:
        """(B, T, C) -> (B, 4, C4 + 3)."""
        decoder = self.decoder
        heads = torch.stack([head(tokens[:, 1 + i]) for i, head in enumerate(decoder.hyper)], 1)
        direct = torch.cat([decoder.direct[:, [DISK, AFFINITY]], decoder.direct_bias[:, None]], 1)
        return torch.cat([heads, direct.expand(tokens.shape[0], -1, -1)], 2)


class ClickUpscale(nn.Module):
    """keys, affinity, points_xy, mask_weights (B, K, C4 + 3) and the skips -> logits (B, K, h4, w4).

    size_hw: of s16.
    """

    def __init__(self, decoder: LiteDecoder, size_hw: Size) -> None:
        super().__init__()
        self.decoder = decoder
        self.size_hw = size_hw

    def forward(
        self,
        keys: Tensor,
        affinity: Tensor,
        points_xy: Tensor,
        mask_weights: Tensor,
        skip8: Tensor,
        skip4: Tensor,
    ) -> Tensor:
        decoder, size16 = self.decoder, self.size_hw
        size8, size4 = _times(size16, 2), _times(size16, 4)
        unit = unit_xy(points_xy, *size4)
        dense4, dense8 = dense_maps(decoder, affinity, unit)
        x = decoder.mixer_out(keys, *size16)
        up = decoder.up8
        x = _in_rows(up.up(x), size16, up.cout) + skip8 + up.raster(flat(dense8))
        x = _mixed(up, F.relu(up.norm(x)), size8)
        up = decoder.up4
        prompt = up.raster(flat(dense4).reshape(keys.shape[0], -1, up.raster.in_features))
        x = up.up(x).reshape(keys.shape[0], -1, up.cout) + skip4 + prompt
        x = _mixed(up, _in_rows(F.relu(up.norm(x)), size8, up.cout), size4)
        heads, direct = mask_weights[..., : up.cout], mask_weights[..., up.cout :, None, None]
        grown = F.interpolate(affinity, size=size4, mode="bilinear", align_corners=False)
        own = direct[:, :, 0] * disk(unit, size4)[:, None] + direct[:, :, 1] * grown + direct[:, :, 2]
        return (heads @ x.transpose(1, 2)).reshape(own.shape) + own


def dense_maps(decoder: LiteDecoder, affinity: Tensor, unit: Tensor) -> tuple[Tensor, Tensor]:
    """The prompt at stride 4 in quarters (B, 4 * 16, h8, w8), and at stride 8 (B, 32, h8, w8)."""
    h8, w8 = affinity.shape[2:]
    edged = F.pad(affinity, (1, 1, 1, 1), mode="replicate")
    rasters = torch.cat([quartered_disk(unit, h8, w8), F.conv2d(edged, _growing(affinity))], 1)
    each = torch.eye(4, dtype=affinity.dtype, device=affinity.device)
    weight = decoder.raster4.weight
    kernels = [each[:, None, :] * weight[None, :, [raster]] for raster in (DISK, AFFINITY)]  # (4, 16, 4)
    weight = torch.cat(kernels, 2).flatten(0, 1)
    dense4 = F.relu(F.conv2d(rasters, weight[:, :, None, None], decoder.raster4.bias.repeat(4)))
    return dense4, F.relu(pointwise(dense4, decoder.raster8))


def disk(unit: Tensor, size_hw: Size) -> Tensor:
    """(B, 2) in 0..1 -> (B, h, w)."""
    h, w = size_hw
    across = _centres(w, unit) - unit[:, :1] * w
    down = _centres(h, unit) - unit[:, 1:] * h
    return _disk(across[:, None, :] ** 2 + down[:, :, None] ** 2)


def quartered_disk(unit: Tensor, h8: int, w8: int) -> Tensor:
    """`disk` at stride 4 with the rows' and columns' parity first: (B, 4, h8, w8)."""
    across = _centres(2 * w8, unit).view(w8, 2).t() - unit[:, :1, None] * (2 * w8)  # (B, 2, w8)
    down = _centres(2 * h8, unit).view(h8, 2).t() - unit[:, 1:, None] * (2 * h8)
    square = across[:, None, :, None, :] ** 2 + down[:, :, None, :, None] ** 2  # (B, 2, 2, h8, w8)
    return _disk(square).flatten(1, 2)


def to_image(attention: Attention, queries: Tensor, placed: Tensor, image: Tensor) -> Tensor:
    """Tokens (B, T, C) look at images (B, P, C); the images' projections are applied to the tokens."""
    heads, (batch, count, channels) = attention.heads, queries.shape
    query = _heads(attention.q_proj(queries) * attention.scale, heads)
    folded = (query @ _head_weights(attention.k_proj, heads)).flatten(1, 2)  # (B, heads * T, C)
    mixed = (folded @ placed.transpose(1, 2)).softmax(-1) @ image  # (B, heads * T, C)
    per_head = mixed.reshape(batch, heads, count, channels)
    value = per_head @ _head_weights(attention.v_proj, heads).transpose(1, 2)  # (B, heads, T, d)
    out: Tensor = attention.out_proj(value.transpose(1, 2).flatten(2) + attention.v_proj.bias)
    return out


def to_tokens(attention: Attention, placed: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Images (B, P, C) look at tokens (B, T, C), to which the query projection is applied: (B, P, C)."""
    heads, (batch, count, _) = attention.heads, keys.shape
    key = _heads(attention.k_proj(keys) * attention.scale, heads)  # (B, heads, T, d)
    folded = (key @ _head_weights(attention.q_proj, heads)).flatten(1, 2)  # (B, heads * T, C)
    bias = (key @ attention.q_proj.bias.reshape(heads, -1, 1)).flatten(1, 2)  # (B, heads * T, 1)
    scores = folded @ placed.transpose(1, 2) + bias
    weights = scores.reshape(batch, heads, count, -1).softmax(2).flatten(1, 2)
    value = _heads(attention.v_proj(values), heads)  # (B, heads, T, d)
    output = attention.out_proj.weight.t().reshape(heads, -1, attention.out_proj.out_features)
    return weights.transpose(1, 2) @ (value @ output).flatten(1, 2) + attention.out_proj.bias


def bilinear(unit: Tensor, h: int, w: int) -> Tensor:
    """Weights of a map's cells in the samples at (B, 2) in 0..1, the border repeated: (B, h * w)."""
    across, down = (_tent((unit[:, i] * n - 0.5).clamp(0, n - 1), n) for i, n in ((0, w), (1, h)))
    return (down[:, :, None] * across[:, None, :]).flatten(1)


def _tent(at: Tensor, count: int) -> Tensor:
    """Bilinear weights of cells 0 .. count - 1 at (N,) positions: (N, count)."""
    cells = torch.arange(count, dtype=at.dtype, device=at.device)
    return F.relu(1 - (cells - at[:, None]).abs())


def _growing(like: Tensor) -> Tensor:
    """Kernels (4, 1, 3, 3) that give the quarters of a cell enlarged twice, bilinearly."""
    at = torch.arange(2, dtype=like.dtype, device=like.device) * 0.5 + 0.75
    side = _tent(at, 3)
    return (side[:, None, :, None] * side[None, :, None, :]).reshape(4, 1, 3, 3)


def _disk(square: Tensor) -> Tensor:
    return (1.5 - (square + 1e-6).sqrt() / DISK_RADIUS).clamp(0, 1)


def _centres(count: int, like: Tensor) -> Tensor:
    return torch.arange(count, dtype=like.dtype, device=like.device) + 0.5


def _in_rows(quarters: Tensor, size_hw: Size, channels: int) -> Tensor:
    """The quarters of h x w cells -> (B, 2h * 2w, channels), row by row."""
    h, w = size_hw
    apart = quarters.reshape(quarters.shape[0], h, w, 2, 2, channels)
    return apart.transpose(2, 3).reshape(quarters.shape[0], 4 * h * w, channels)


def _in_quarters(maps: Tensor) -> Tensor:
    """(C, 2h, 2w) -> (h * w * 4, C): the four of every 2x2 cells one after the other."""
    channels, h, w = maps.shape
    apart = maps.reshape(channels, h // 2, 2, w // 2, 2)
    return apart.permute(1, 3, 2, 4, 0).reshape(-1, channels)


def _mixed(up: Upscale, x: Tensor, size_hw: Size) -> Tensor:
    """The last step of `Upscale.forward` on (B, h * w, C)."""
    return x + F.relu(up.mix(flat(up.spatial(plane(x, *size_hw)))))


def _times(size_hw: Size, factor: int) -> Size:
    return size_hw[0] * factor, size_hw[1] * factor


def _heads(x: Tensor, heads: int) -> Tensor:
    """(B, N, heads * d) -> (B, heads, N, d)."""
    return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def _head_weights(linear: nn.Linear, heads: int) -> Tensor:
    """(heads * d, C) -> (heads, d, C)."""
    return linear.weight.reshape(heads, -1, linear.in_features)
