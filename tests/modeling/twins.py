"""Published implementations with random weights, and the prompts that parity is tested with."""

from __future__ import annotations

import re
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from anymask.modeling.config import SamConfig, VitConfig

TOLERANCE = 1e-4  # largest difference of any embedding value, logit or score

# Small networks: a windowed and a global block each, windows with and without padding.
TINY_VITS: dict[str, dict[str, Any]] = {
    "padded windows": {"input_size": 256, "window_size": 7, "global_blocks": (1,)},
    "window larger than grid": {"input_size": 128, "window_size": 14, "global_blocks": (0,)},
    "one exact window": {"input_size": 224, "window_size": 14, "global_blocks": ()},
}
TINY = {"embed_dim": 48, "depth": 2, "num_heads": 4}

_EMBEDDINGS = re.compile(r"gaussian_matrix|positional_embedding|point_embed|no_mask|iou_token|mask_tokens")


def randomise(module: nn.Module, seed: int = 0) -> None:
    """Give every parameter and buffer of a published network (its own key names) values worth comparing.

    Position tables start at zero and would hide mistakes; queries and keys are scaled so that attention is
    not flat, the mask filters so that logits have a spread of several units as those of trained weights do.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if not value.is_floating_point():
                continue
            noise = torch.randn(value.shape, generator=generator)
            if name.endswith("running_var"):
                value.copy_(noise.abs() + 0.5)
            elif "norm" in name or ".bn." in name or value.ndim < 2:
                value.copy_(0.1 * noise + (1.0 if name.endswith("weight") else 0.0))
            elif "rel_pos" in name or "pos_embed" in name or "attention_biases" in name:
                value.copy_(0.3 * noise)
            elif _EMBEDDINGS.search(name):
                value.copy_(noise)
            else:
                value.copy_(noise * _gain(name) / value[0].numel() ** 0.5)


def _gain(name: str) -> float:
    if "q_proj" in name or "k_proj" in name or "qkv" in name:
        return 1.5
    return 4.0 if re.search(r"hypernetworks_mlps\.\d\.(layers\.2|proj_out)", name) else 1.0


def published_sam(package: ModuleType, config: SamConfig, encoder: nn.Module | None = None) -> nn.Module:
    """`segment_anything`'s (or `mobile_sam`'s) own network of the given sizes, in evaluation mode."""
    parts, grid, dim = package.modeling, config.grid, config.prompt_dim
    return parts.Sam(
        encoder or _published_vit(parts, config, config.encoder),
        parts.PromptEncoder(
            embed_dim=dim,
            image_embedding_size=(grid, grid),
            input_image_size=(config.input_size, config.input_size),
            mask_in_chans=config.mask_channels,
        ),
        parts.MaskDecoder(
            num_multimask_outputs=3,
            transformer=parts.TwoWayTransformer(
                depth=config.decoder_depth,
                embedding_dim=dim,
                mlp_dim=config.decoder_mlp_dim,
                num_heads=config.decoder_heads,
            ),
            transformer_dim=dim,
            iou_head_depth=3,
            iou_head_hidden_dim=config.iou_hidden_dim,
        ),
    ).eval()


def _published_vit(parts: ModuleType, config: SamConfig, encoder: VitConfig) -> nn.Module:
    return parts.ImageEncoderViT(
        depth=encoder.depth,
        embed_dim=encoder.embed_dim,
        img_size=config.input_size,
        mlp_ratio=encoder.mlp_ratio,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        num_heads=encoder.num_heads,
        patch_size=encoder.patch_size,
        qkv_bias=True,
        use_rel_pos=True,
        global_attn_indexes=encoder.global_blocks,
        window_size=encoder.window_size,
        out_chans=config.prompt_dim,
    )


class PromptCase:
    """Three prompts of one kind in the input frame, as the published package and as anymask take them."""

    def __init__(self, config: SamConfig, *, points: int, box: bool, mask: bool, seed: int = 1) -> None:
        generator = torch.Generator().manual_seed(seed)
        size, batch = config.input_size, 3
        # Coordinates slightly outside the image are legal: the predictors do not clip.
        self.points = (torch.rand(batch, points, 2, generator=generator) * 1.1 - 0.05) * size
        self.labels = torch.randint(0, 2, (batch, points), generator=generator)
        corners = torch.rand(batch, 2, 2, generator=generator).sort(dim=1).values * size
        self.boxes = corners.flatten(1) if box else None
        cells = config.mask_size
        self.mask = 8 * torch.randn(batch, 1, cells, cells, generator=generator) if mask else None

    def published(self) -> tuple[tuple[Tensor, Tensor] | None, Tensor | None, Tensor | None]:
        """points, boxes, masks."""
        return (self.points, self.labels) if self.points.shape[1] else None, self.boxes, self.mask

    def ours(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """points_xy, labels, mask_logits, with SAM's padding point or the box's corners behind the points."""
        batch, count = self.labels.shape
        if self.boxes is not None:
            points, labels = self.boxes.reshape(batch, 2, 2), torch.tensor([[2, 3]]).expand(batch, 2)
        elif count:
            points, labels = torch.zeros(batch, 1, 2), torch.full((batch, 1), -1)
        else:
            points, labels = self.points, self.labels
        if count:
            points, labels = torch.cat([self.points, points], 1), torch.cat([self.labels, labels], 1)
        return points, labels, self.mask


PROMPT_KINDS: dict[str, dict[str, Any]] = {
    "point": {"points": 1, "box": False, "mask": False},
    "points": {"points": 4, "box": False, "mask": False},
    "box": {"points": 0, "box": True, "mask": False},
    "points and box": {"points": 2, "box": True, "mask": False},
    "mask": {"points": 0, "box": False, "mask": True},
    "point and mask": {"points": 1, "box": False, "mask": True},
    "points, box and mask": {"points": 2, "box": True, "mask": True},
}


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    """Same shape, and no value differs by more than `TOLERANCE`."""
    assert ours.shape == theirs.shape
    difference = (ours - theirs).abs().max().item()
    assert difference < TOLERANCE, f"largest difference {difference:.2e}"


def assert_varied(values: Tensor) -> None:
    """The values of a comparison are worth comparing: finite and of natural size."""
    assert values.isfinite().all()
    assert values.std() > 0.1
