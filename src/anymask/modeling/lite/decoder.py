"""The prompt side of `lite`: prompts as tokens and as rasters, SAM's mask and IoU tokens, masks at stride 4.

Dense maps are (B, C, H, W), with point-wise layers applied as 1x1 convolutions: measured faster in OpenVINO
than the same layers on (B, pixels, C). Only the transformer's image tokens are (B, pixels, C).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.modeling.lite.config import LiteConfig

MASK_TOKENS = 4  # one for several prompts, three for an ambiguous one, as in SAM
RASTERS = (
    8  # include disk, exclude disk, inside the box, its border, previous mask, has previous, two affinities
)
DISK_RADIUS = 3.0  # stride-4 pixels
LOGIT_SCALE = 10.0  # previous logits are divided by this and clipped to [-1, 1]


class Attention(nn.Module):
    """Multi-head attention with a reduced inner width: queries (B, Q, C), keys (B, K, C) -> (B, Q, C)."""

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads, self.inner = heads, inner
        self.scale = (inner // heads) ** -0.5
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(width, inner)
        self.v_proj = nn.Linear(width, inner)
        self.out_proj = nn.Linear(inner, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        query, key, value = (
            self._split(self.q_proj(q)),
            self._split(self.k_proj(k)),
            self._split(self.v_proj(v)),
        )
        weights = ((query * self.scale) @ key.transpose(-1, -2)).softmax(-1)  # (B, heads, Q, K)
        mixed = (weights @ value).transpose(1, 2).flatten(2)  # (B, Q, inner)
        out: Tensor = self.out_proj(mixed)
        return out

    def _split(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], -1, self.heads, self.inner // self.heads).transpose(
            1, 2
        )  # (B, heads, N, inner / heads)


class TwoWayBlock(nn.Module):
    """Self-attention of tokens, tokens to image, MLP, image to tokens (SAM, arXiv 2304.02643, appendix A)."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        width, inner, heads = config.width16, config.attention_width, config.heads
        self.self_attn = Attention(width, inner, heads)
        self.token_to_image = Attention(width, inner, heads)
        self.image_to_token = Attention(width, inner, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, config.mlp_width), nn.ReLU(), nn.Linear(config.mlp_width, width)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))

    def forward(
        self, tokens: Tensor, image: Tensor, token_pe: Tensor, image_pe: Tensor
    ) -> tuple[Tensor, Tensor]:
        q = tokens + token_pe
        tokens = self.norms[0](tokens + self.self_attn(q, q, tokens))
        tokens = self.norms[1](tokens + self.token_to_image(tokens + token_pe, image + image_pe, image))
        tokens = self.norms[2](tokens + self.mlp(tokens))
        image = self.norms[3](image + self.image_to_token(image + image_pe, tokens + token_pe, tokens))
        return tokens, image


class Upscale(nn.Module):
    """Doubles the resolution, adds the image's skip and the prompt's raster, mixes neighbours.

    x (B, cin, h, w), skip (1 or B, cout, 2h, 2w), raster (B, R, 2h, 2w) -> (B, cout, 2h, 2w)
    """

    def __init__(self, cin: int, cout: int, raster: int) -> None:
        super().__init__()
        self.cout = cout
        self.up = nn.Linear(cin, 4 * cout)  # output order: row, column, channel
        self.raster = nn.Linear(raster, cout)
        self.norm = nn.LayerNorm(cout)
        self.spatial = nn.Conv2d(cout, cout, 3, padding=1, groups=cout)
        self.mix = nn.Linear(cout, cout)

    def forward(self, x: Tensor, skip: Tensor, raster: Tensor) -> Tensor:
        x = F.relu(channel_norm(self.grow(x) + skip + pointwise(raster, self.raster), self.norm))
        return x + F.relu(pointwise(self.spatial(x), self.mix))

    def grow(self, x: Tensor) -> Tensor:
        """Every place becomes 2x2: a transposed convolution, as a 1x1 one and a pixel shuffle."""
        weight = self.up.weight.view(2, 2, self.cout, -1).permute(2, 0, 1, 3).reshape(4 * self.cout, -1, 1, 1)
        bias = self.up.bias.view(2, 2, self.cout).permute(2, 0, 1).reshape(-1)
        return F.pixel_shuffle(F.conv2d(x, weight, bias), 2)


class LocalMixer(nn.Module):
    """Residual depth-wise convolution and MLP at stride 16: spreads the prompt's evidence in space."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor, h: int, w: int) -> Tensor:
        near = flat(self.spatial(plane(x, h, w)))
        out: Tensor = x + self.mlp(self.norm(near))
        return out


class LiteDecoder(nn.Module):
    """Masks and their predicted IoU for B prompts.

    `s16`, `s8`, `s4` come from LiteEncoder, with batch 1 (all prompts share the image) or B.
    """

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        w16, w8, w4 = config.width16, config.width8, config.width4
        self.frequencies: Tensor  # SAM's random Fourier features
        self.register_buffer("frequencies", torch.randn(2, w16 // 2))
        self.output_tokens = nn.Embedding(1 + MASK_TOKENS, w16)  # IoU token, then the mask tokens
        self.label_tokens = nn.Embedding(5, w16)  # not a point, exclude, include, first corner, second corner
        self.point_feature = nn.Linear(w16, w16)
        self.affinity = nn.Linear(w8, config.affinity_width, bias=False)
        self.raster4 = nn.Linear(RASTERS, 16)
        self.raster8 = nn.Linear(4 * 16, 32)
        self.raster16 = nn.Linear(4 * 32, w16)
        self.mixer_in = LocalMixer(w16, config.mlp_width)
        self.blocks = nn.ModuleList(TwoWayBlock(config) for _ in range(config.layers))
        self.final_attn = Attention(w16, config.attention_width, config.heads)
        self.final_norm = nn.LayerNorm(w16)
        self.mixer_out = LocalMixer(w16, config.mlp_width)
        self.up8 = Upscale(w16, w8, 32)
        self.up4 = Upscale(w8, w4, 16)
        self.hyper = nn.ModuleList(
            nn.Sequential(nn.Linear(w16, w16), nn.ReLU(), nn.Linear(w16, w4)) for _ in range(MASK_TOKENS)
        )
        self.iou_head = nn.Sequential(nn.Linear(w16, w16), nn.ReLU(), nn.Linear(w16, MASK_TOKENS))
        # "inside the box" and "the previous mask" are good first answers: they enter the logits directly
        direct = torch.zeros(MASK_TOKENS, RASTERS)
        direct[:, 0], direct[:, 1], direct[:, 2], direct[:, 4] = 2.0, -2.0, 4.0, 6.0
        self.direct = nn.Parameter(direct)
        self.direct_bias = nn.Parameter(torch.full((MASK_TOKENS,), -2.0))

    def forward(
        self,
        s16: Tensor,
        s8: Tensor,
        s4: Tensor,
        points_xy: Tensor,
        labels: Tensor,
        mask_logits: Tensor,
        has_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Logits (B, 4, H/4, W/4) and predicted IoU (B, 4) in [0, 1].

        points_xy (B, N, 2): input-frame pixels; labels (B, N): 1 include, 0 exclude, 2 and 3 box corners,
        -1 nothing; mask_logits (B, 1, H/4, W/4): previous logits, counted where has_mask (B,) is 1, not 0.
        """
        h4, w4 = s4.shape[2], s4.shape[3]
        h16, w16 = h4 // 4, w4 // 4
        unit = unit_xy(points_xy, h4, w4)  # (B, N, 2)
        rasters = self.rasters(s8, points_xy, labels, mask_logits, has_mask)
        dense4 = F.relu(pointwise(rasters, self.raster4))
        dense8 = F.relu(halve(dense4, self.raster8))
        image = flat(s16 + halve(dense8, self.raster16))
        image = self.mixer_in(image, h16, w16)  # (B, h16*w16, C)
        image_pe = self.encode_xy(grid_xy(h16, w16, image))[None]
        tokens, token_pe = self.tokens(s16, unit, labels)
        for block in self.blocks:
            tokens, image = block(tokens, image, token_pe, image_pe)
        tokens = self.final_norm(tokens + self.final_attn(tokens + token_pe, image + image_pe, image))
        x = plane(self.mixer_out(image, h16, w16), h16, w16)
        x = self.up4(self.up8(x, s8, dense8), s4, dense4)
        heads = torch.stack([head(tokens[:, 1 + i]) for i, head in enumerate(self.hyper)], 1)  # (B, 4, C4)
        masks = heads @ x.flatten(2) + self.direct @ rasters.flatten(2) + self.direct_bias[:, None]
        return masks.view(-1, MASK_TOKENS, h4, w4), self.iou_head(tokens[:, 0]).sigmoid()

    def encode_xy(self, unit: Tensor) -> Tensor:
        """(..., 2) in 0..1 -> (..., C) sine and cosine of random frequencies."""
        angle = (2 * math.pi) * ((2 * unit - 1) @ self.frequencies)
        return torch.cat([angle.sin(), angle.cos()], -1)

    def tokens(self, s16: Tensor, unit: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Output tokens then one token a point: position, label and the image's feature at a click."""
        click = ((labels == 0) | (labels == 1)).to(s16.dtype)[..., None]
        point = (labels >= 0).to(s16.dtype)[..., None]
        here = self.point_feature(sample(s16, unit))  # (B, N, C)
        prompt = self.encode_xy(unit) * point + self.label_tokens(labels.clamp(-1, 3) + 1) + here * click
        output = self.output_tokens.weight[None].expand(unit.shape[0], -1, -1)
        tokens = torch.cat([output, prompt.to(output.dtype)], 1)
        return tokens, tokens

    def rasters(
        self, s8: Tensor, points_xy: Tensor, labels: Tensor, mask_logits: Tensor, has_mask: Tensor
    ) -> Tensor:
        """The prompt as stride-4 maps: (B, RASTERS, h, w)."""
        h, w = mask_logits.shape[2], mask_logits.shape[3]
        unit = unit_xy(points_xy, h, w)
        x = torch.arange(w, dtype=unit.dtype, device=unit.device) + 0.5
        y = torch.arange(h, dtype=unit.dtype, device=unit.device) + 0.5
        dx, dy = x - unit[..., :1] * w, y - unit[..., 1:] * h  # (B, N, w), (B, N, h) stride-4 pixels
        square = dx[:, :, None, :] ** 2 + dy[:, :, :, None] ** 2  # (B, N, h, w)
        disk = (1.5 - (square + 1e-6).sqrt() / DISK_RADIUS).clamp(0, 1)
        include = (labels == 1).to(disk.dtype)[..., None, None]
        exclude = (labels == 0).to(disk.dtype)[..., None, None]
        corner = points_xy / 4.0
        first = ((labels == 2).to(corner.dtype)[..., None] * corner).sum(1)  # (B, 2)
        last = ((labels == 3).to(corner.dtype)[..., None] * corner).sum(1)
        inside = box_cover(x, y, first, last)
        border = inside - box_cover(x, y, first + 1, last - 1)
        flag = has_mask.to(disk.dtype).view(-1, 1, 1)
        previous = (mask_logits[:, 0] / LOGIT_SCALE).clamp(-1, 1) * flag
        clicks = [(disk * include).amax(1), (disk * exclude).amax(1)]
        similar = self.affinities(s8, unit, labels, h, w)
        maps = [*clicks, inside, border, previous, flag.expand_as(previous), *similar]
        return torch.stack(maps, 1)

    def affinities(self, s8: Tensor, unit: Tensor, labels: Tensor, h: int, w: int) -> tuple[Tensor, Tensor]:
        """Highest cosine similarity to the include and to the exclude clicks: (B, h, w) each, 0 without."""
        field = F.normalize(
            F.conv2d(s8, self.affinity.weight[:, :, None, None]), dim=1
        )  # (1 or B, A, h8, w8)
        clicks = F.normalize(self.affinity(sample(s8, unit)), dim=-1)  # (B, N, A)
        near = clicks @ field.flatten(2)  # (B, N, h8*w8)
        found = []
        for label in (1, 0):
            chosen = (labels == label)[..., None]
            best = torch.where(chosen, near, torch.full_like(near, -1.0)).amax(1)
            best = best * chosen.any(1).to(best.dtype)
            found.append(best.view(-1, 1, h // 2, w // 2))
        grown = F.interpolate(torch.cat(found, 1), size=(h, w), mode="bilinear", align_corners=False)
        return grown[:, 0], grown[:, 1]


def flat(maps: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H*W, C)"""
    return maps.flatten(2).transpose(1, 2)


def plane(tokens: Tensor, h: int, w: int) -> Tensor:
    """(B, h*w, C) -> (B, C, h, w)"""
    return tokens.transpose(1, 2).reshape(tokens.shape[0], -1, h, w)


def pointwise(maps: Tensor, layer: nn.Linear) -> Tensor:
    """A linear layer at every place of (B, C, H, W)."""
    return F.conv2d(maps, layer.weight[:, :, None, None], layer.bias)


def halve(maps: Tensor, layer: nn.Linear) -> Tensor:
    """A linear layer on each 2x2 neighbourhood (row, column, channel): (B, C, H, W) -> (B, out, H/2, W/2)."""
    out, four = layer.weight.shape
    weight = layer.weight.view(out, 2, 2, four // 4).permute(0, 3, 1, 2)
    return F.conv2d(maps, weight, layer.bias, stride=2)


def channel_norm(maps: Tensor, norm: nn.LayerNorm) -> Tensor:
    """Layer normalisation over the channels of (B, C, H, W).

    In a graph it is spelled out, which OpenVINO runs without changing the memory layout (measured 1.2 times
    faster for the whole decoder); eager torch is faster with its own kernel.
    """
    if not torch.compiler.is_exporting():
        return F.layer_norm(
            maps.permute(0, 2, 3, 1), norm.normalized_shape, norm.weight, norm.bias, norm.eps
        ).permute(0, 3, 1, 2)
    centred = maps - maps.mean(1, keepdim=True)
    variance = (centred * centred).mean(1, keepdim=True)
    scaled = centred * torch.rsqrt(variance + norm.eps)
    return scaled * norm.weight[None, :, None, None] + norm.bias[None, :, None, None]


def grid_xy(h: int, w: int, like: Tensor) -> Tensor:
    """Centres of an h x w grid in 0..1: (h*w, 2)."""
    x = (torch.arange(w, device=like.device, dtype=torch.float32) + 0.5) / w
    y = (torch.arange(h, device=like.device, dtype=torch.float32) + 0.5) / h
    return torch.stack([x[None, :].expand(h, w), y[:, None].expand(h, w)], -1).flatten(0, 1)


def unit_xy(points_xy: Tensor, h4: int, w4: int) -> Tensor:
    """Input-frame pixels to 0..1; half a pixel is added, as in SAM, so that whole numbers mean centres."""
    return torch.stack([(points_xy[..., 0] + 0.5) / (4 * w4), (points_xy[..., 1] + 0.5) / (4 * h4)], -1)


def box_cover(x: Tensor, y: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Share of each cell inside the boxes first (B, 2) .. last (B, 2): (B, h, w) in 0..1."""
    across, down = band(x, first[:, 0], last[:, 0]), band(y, first[:, 1], last[:, 1])
    return across[:, None, :] * down[:, :, None]


def band(centres: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """How much of each unit cell around `centres` (L,) lies in [low, high] (B,): (B, L) in 0..1."""
    above = (centres + 0.5 - low[:, None]).clamp(0, 1)
    below = (high[:, None] - centres + 0.5).clamp(0, 1)
    return (above + below - 1).clamp(0, 1)


def sample(maps: Tensor, unit: Tensor) -> Tensor:
    """Bilinear samples of (B or 1, C, H, W) at (B, N, 2) in 0..1 -> (B, N, C)."""
    wide = maps.expand(unit.shape[0], -1, -1, -1)
    at = (unit * 2 - 1)[:, :, None].to(maps.dtype)
    return F.grid_sample(wide, at, align_corners=False, padding_mode="border")[..., 0].transpose(1, 2)
