"""The prompt side of `lite`: prompts as tokens and as rasters, SAM's mask and IoU tokens, masks at stride 4.

Dense tensors of the prompt side are kept as (B, pixels, channels): every layer but the depth-wise
convolutions is then a matrix product, and layer normalisation works on the last axis.
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
        return x.view(len(x), -1, self.heads, self.inner // self.heads).transpose(
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

    (B, h*w, cin) -> (B, 2h*2w, cout)
    """

    def __init__(self, cin: int, cout: int, raster: int) -> None:
        super().__init__()
        self.cout = cout
        self.up = nn.Linear(cin, 4 * cout)
        self.raster = nn.Linear(raster, cout)
        self.norm = nn.LayerNorm(cout)
        self.spatial = nn.Conv2d(cout, cout, 3, padding=1, groups=cout)
        self.mix = nn.Linear(cout, cout)

    def forward(self, x: Tensor, skip: Tensor, raster: Tensor, h: int, w: int) -> Tensor:
        b = x.shape[0]
        grown = self.up(x).view(b, h, w, 2, 2, self.cout).permute(0, 1, 3, 2, 4, 5).reshape(b, -1, self.cout)
        x = F.relu(self.norm(grown + skip + self.raster(raster)))
        plane = x.view(b, 2 * h, 2 * w, self.cout).permute(0, 3, 1, 2)  # a channels-last view, no copy
        near = self.spatial(plane).permute(0, 2, 3, 1).reshape(b, -1, self.cout)
        return x + F.relu(self.mix(near))


class LocalMixer(nn.Module):
    """Residual depth-wise convolution and MLP at stride 16: spreads the prompt's evidence in space."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor, h: int, w: int) -> Tensor:
        b, _, c = x.shape
        plane = x.view(b, h, w, c).permute(0, 3, 1, 2)
        near = self.spatial(plane).permute(0, 2, 3, 1).reshape(b, -1, c)
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
        rasters = self.rasters(s8, points_xy, labels, mask_logits, has_mask)  # (B, H/4*W/4, 8)
        dense4 = F.relu(self.raster4(rasters))
        dense8 = F.relu(self.raster8(gather2x2(dense4, h4, w4)))
        dense16 = self.raster16(gather2x2(dense8, h4 // 2, w4 // 2))
        image = self.mixer_in(flat(s16) + dense16, h16, w16)  # (B, h16*w16, C)
        image_pe = self.encode_xy(grid_xy(h16, w16, image))[None]
        tokens, token_pe = self.tokens(s16, unit, labels)
        for block in self.blocks:
            tokens, image = block(tokens, image, token_pe, image_pe)
        tokens = self.final_norm(tokens + self.final_attn(tokens + token_pe, image + image_pe, image))
        image = self.mixer_out(image, h16, w16)
        x = self.up8(image, flat(s8), dense8, h16, w16)
        x = self.up4(x, flat(s4), dense4, 2 * h16, 2 * w16)
        heads = torch.stack([head(tokens[:, 1 + i]) for i, head in enumerate(self.hyper)], 1)  # (B, 4, C4)
        masks = heads @ x.transpose(1, 2) + self.direct @ rasters.transpose(1, 2) + self.direct_bias[:, None]
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
        output = self.output_tokens.weight[None].expand(len(unit), -1, -1)
        tokens = torch.cat([output, prompt.to(output.dtype)], 1)
        return tokens, tokens

    def rasters(
        self, s8: Tensor, points_xy: Tensor, labels: Tensor, mask_logits: Tensor, has_mask: Tensor
    ) -> Tensor:
        """The prompt as RASTERS stride-4 maps: (B, h*w, RASTERS)."""
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
        return torch.stack(maps, -1).flatten(1, 2)

    def affinities(self, s8: Tensor, unit: Tensor, labels: Tensor, h: int, w: int) -> tuple[Tensor, Tensor]:
        """Highest cosine similarity to the include and to the exclude clicks: (B, h, w) each, 0 without."""
        field = F.normalize(self.affinity(flat(s8)), dim=-1)  # (B, h8*w8, A)
        clicks = F.normalize(self.affinity(sample(s8, unit)), dim=-1)  # (B, N, A)
        near = clicks @ field.transpose(1, 2)  # (B, N, h8*w8)
        found = []
        for label in (1, 0):
            chosen = (labels == label)[..., None]
            best = torch.where(chosen, near, torch.full_like(near, -1.0)).amax(1)
            best = best * chosen.any(1).to(best.dtype)
            found.append(best.view(-1, 1, h // 2, w // 2))
        grown = F.interpolate(torch.cat(found, 1), size=(h, w), mode="bilinear", align_corners=False)
        return grown[:, 0], grown[:, 1]


def flat(plane: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H*W, C)"""
    return plane.flatten(2).transpose(1, 2)


def gather2x2(x: Tensor, h: int, w: int) -> Tensor:
    """(B, h*w, C) -> (B, h/2*w/2, 4C): each 2x2 neighbourhood side by side."""
    b, _, c = x.shape
    return x.view(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(b, (h // 2) * (w // 2), 4 * c)


def grid_xy(h: int, w: int, like: Tensor) -> Tensor:
    """Centres of an h x w grid in 0..1: (h*w, 2)."""
    x = (torch.arange(w, device=like.device, dtype=torch.float32) + 0.5) / w
    y = (torch.arange(h, device=like.device, dtype=torch.float32) + 0.5) / h
    return torch.stack([x[None, :].expand(h, w), y[:, None].expand(h, w)], -1).flatten(0, 1)


def unit_xy(points_xy: Tensor, h4: int, w4: int) -> Tensor:
    """Input-frame pixels to 0..1; half a pixel is added, as in SAM, so that whole numbers mean centres."""
    size = torch.tensor([4.0 * w4, 4.0 * h4], dtype=points_xy.dtype, device=points_xy.device)
    return (points_xy + 0.5) / size


def box_cover(x: Tensor, y: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Share of each cell inside the boxes first (B, 2) .. last (B, 2): (B, h, w) in 0..1."""
    across, down = band(x, first[:, 0], last[:, 0]), band(y, first[:, 1], last[:, 1])
    return across[:, None, :] * down[:, :, None]


def band(centres: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """How much of each unit cell around `centres` (L,) lies in [low, high] (B,): (B, L) in 0..1."""
    above = (centres + 0.5 - low[:, None]).clamp(0, 1)
    below = (high[:, None] - centres + 0.5).clamp(0, 1)
    return (above + below - 1).clamp(0, 1)


def sample(plane: Tensor, unit: Tensor) -> Tensor:
    """Bilinear samples of (B or 1, C, H, W) at (B, N, 2) in 0..1 -> (B, N, C)."""
    wide = plane.expand(len(unit), -1, -1, -1)
    at = (unit * 2 - 1)[:, :, None].to(plane.dtype)
    return F.grid_sample(wide, at, align_corners=False, padding_mode="border")[..., 0].transpose(1, 2)
