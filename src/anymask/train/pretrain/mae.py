"""Masked autoencoding of a ViT image encoder (He et al., arXiv 2111.06377).

Three quarters of the patches are hidden, the encoder sees the others alone, and a light decoder guesses the
hidden patches' pixels, normalised patch by patch. The encoder is `ImageEncoderViT` itself, attending over all
visible tokens, without windows and relative positions, whose tables stay zero as in ViTDet (arXiv
2203.16527); so its weights are an image encoder's under their own names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.core.errors import InputError
from anymask.modeling.config import SamConfig, VitConfig
from anymask.modeling.image_encoder import Attention, Block, ImageEncoderViT
from anymask.modeling.sam import Sam
from anymask.train.pretrain.settings import MaeSettings

EPS = 1e-6


class MaskedAutoencoder(nn.Module):
    """Views (B, 3, S, S) uint8 and a seed in, the mean squared error of the hidden patches out."""

    pixel_mean: Tensor
    pixel_std: Tensor
    positions: Tensor

    def __init__(self, settings: MaeSettings) -> None:
        super().__init__()
        self.settings = settings
        dim, width = settings.embed_dim, settings.decoder_dim
        grid = settings.image_size // settings.patch
        self.encoder = ImageEncoderViT(vit_config(settings), settings.image_size, out_channels=8)
        self.encoder.requires_grad_(True)
        self.encoder.neck.requires_grad_(False)  # not part of the task: no block sees it
        self.encoder.pos_embed.requires_grad_(False).copy_(sine_positions(dim, grid))
        self.norm = nn.LayerNorm(dim, eps=EPS)
        self.embed = nn.Linear(dim, width)
        self.mask_token = nn.Parameter(torch.zeros(width))
        self.register_buffer("positions", sine_positions(width, grid).flatten(1, 2), persistent=False)
        layer = nn.TransformerEncoderLayer(
            width, settings.decoder_heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True,
            norm_first=True,
        )  # fmt: skip
        self.decoder = nn.TransformerEncoder(layer, settings.decoder_depth, nn.LayerNorm(width), False)
        self.predict = nn.Linear(width, settings.patch**2 * 3)
        mean, std = SamConfig.pixel_mean, SamConfig.pixel_std
        self.register_buffer("pixel_mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(std).view(3, 1, 1), persistent=False)
        self.apply(initialise)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, views: Tensor, seed: int) -> Tensor:
        pixels = self.normalised(views)
        order = self.order(len(views), seed)
        kept = self.encode(pixels, order)
        guess = self.reconstruct(kept, order).float()
        target = normalised_patches(pixels, self.settings.patch)
        hidden = order[:, self.visible :]
        return F.mse_loss(of(guess, hidden), of(target, hidden))

    def normalised(self, views: Tensor) -> Tensor:
        """Views (B, 3, S, S) uint8 -> pixels as the encoder takes them."""
        pixels: Tensor = (views.float() - self.pixel_mean) / self.pixel_std
        return pixels

    @property
    def visible(self) -> int:
        """How many patches the encoder sees, at least one."""
        patches = (self.settings.image_size // self.settings.patch) ** 2
        return max(1, round(patches * (1 - self.settings.masked)))

    def order(self, count: int, seed: int) -> Tensor:
        """A random order of the patches for each image, (B, patches); the first `visible` are seen."""
        patches = (self.settings.image_size // self.settings.patch) ** 2
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(count, patches, generator=generator).argsort(1).to(self.pixel_mean.device)

    def encode(self, pixels: Tensor, order: Tensor) -> Tensor:
        """Normalised pixels -> tokens (B, visible, C) of the patches that come first in `order`."""
        encoder = self.encoder
        tokens = (encoder.patch_embed(pixels) + encoder.pos_embed).flatten(1, 2)
        return self.norm(plain_blocks(encoder, of(tokens, order[:, : self.visible])))

    def reconstruct(self, kept: Tensor, order: Tensor) -> Tensor:
        """Visible tokens -> normalised pixels of all patches, (B, patches, patch * patch * 3)."""
        known = self.embed(kept)
        count, patches = order.shape
        unknown = self.mask_token.to(known.dtype).expand(count, patches - known.shape[1], -1)
        tokens = of(torch.cat([known, unknown], 1), order.argsort(1))
        return self.predict(self.decoder(tokens + self.positions))


def vit_config(settings: MaeSettings) -> VitConfig:
    """The plain ViT that is trained; every fourth part's last block is global once windows are used."""
    depth = settings.depth
    last = tuple(sorted({max(0, (part + 1) * depth // 4 - 1) for part in range(4)}))
    return VitConfig(settings.embed_dim, depth, settings.heads, last, patch_size=settings.patch)


def plain_blocks(encoder: ImageEncoderViT, tokens: Tensor) -> Tensor:
    """The encoder's blocks over a set of tokens (B, N, C): no windows, no relative positions."""
    for block in cast(Iterable[Block], encoder.blocks):
        tokens = tokens + plain_attention(block.attn, block.norm1(tokens))
        tokens = tokens + block.mlp(block.norm2(tokens))
    return tokens


def plain_attention(attention: Attention, x: Tensor) -> Tensor:
    """Self-attention of all tokens (B, N, C), with the module's own projections."""
    count, n, channels = x.shape
    qkv = attention.qkv(x).reshape(count, n, 3, attention.num_heads, channels // attention.num_heads)
    q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    out = F.scaled_dot_product_attention(q, k, v)
    return attention.proj(out.transpose(1, 2).reshape(count, n, channels))


def of(tokens: Tensor, index: Tensor) -> Tensor:
    """tokens (B, N, C) at index (B, M) -> (B, M, C)."""
    return tokens.gather(1, index.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))


def normalised_patches(pixels: Tensor, patch: int) -> Tensor:
    """(B, 3, S, S) -> (B, patches, patch * patch * 3), each patch with mean 0 and variance 1."""
    count, channels, side, _ = pixels.shape
    grid = side // patch
    parts = pixels.reshape(count, channels, grid, patch, grid, patch).permute(0, 2, 4, 3, 5, 1)
    flat = parts.reshape(count, grid * grid, patch * patch * channels)
    return (flat - flat.mean(-1, keepdim=True)) / (flat.var(-1, keepdim=True) + EPS) ** 0.5


def sine_positions(dim: int, grid: int) -> Tensor:
    """Fixed two-dimensional sine-cosine positions (1, grid, grid, dim): half for columns, half for rows.

    Raises InputError unless dim is a multiple of 4.
    """
    if dim % 4:
        raise InputError(f"dim {dim}: sine-cosine positions need a multiple of 4")
    frequencies = 1.0 / 10_000 ** (torch.arange(dim // 4) / (dim / 4))
    angles = torch.arange(grid)[:, None] * frequencies  # (grid, dim / 4)
    one = torch.cat([angles.sin(), angles.cos()], 1)  # (grid, dim / 2)
    columns, rows = one[None, :].expand(grid, -1, -1), one[:, None].expand(-1, grid, -1)
    return torch.cat([columns, rows], -1)[None]


def initialise(module: nn.Module) -> None:
    """Xavier for linear layers, as the paper says (appendix A.1)."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def as_sam(model: MaskedAutoencoder, input_size: int, seed: int = 0) -> Sam:
    """A whole Segment Anything network with this image encoder, for any input size; all else untrained.

    Positions are stretched to the new grid (bicubic), relative positions are zero.
    Raises InputError if input_size is no multiple of the patch size.
    """
    settings = model.settings
    if input_size < settings.patch or input_size % settings.patch:
        raise InputError(f"input_size {input_size}: give a multiple of the patch size {settings.patch}")
    torch.manual_seed(seed)
    sam = Sam(SamConfig(vit_config(settings), input_size=input_size))
    state = {
        name: value
        for name, value in model.encoder.state_dict().items()
        if not name.startswith("neck.") and "rel_pos" not in name and name != "pos_embed"
    }
    grid = input_size // settings.patch
    trained = model.encoder.pos_embed.detach().permute(0, 3, 1, 2)
    stretched = F.interpolate(trained, (grid, grid), mode="bicubic", align_corners=False)
    state["pos_embed"] = stretched.permute(0, 2, 3, 1)
    sam.image_encoder.load_state_dict(state, strict=False)
    return sam
