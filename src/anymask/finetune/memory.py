"""Less memory for an image encoder in training: its insides are computed again rather than kept."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from anymask.modeling.image_encoder import Block, ImageEncoderViT

Function = Callable[..., Tensor]


def recomputed(function: Function) -> Function:
    """The same function, whose insides the backward pass computes again (Chen et al., arXiv 1604.06174)."""

    def run(*inputs: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return function(*inputs)
        found: Tensor = checkpoint(function, *inputs, use_reentrant=False)
        return found

    return run


def save_memory(encoder: nn.Module) -> None:
    """Let each block of a ViT or stage of a TinyViT be computed twice.

    Of blocks that attend over the whole image each head, too: its attention takes 67 MB at 1024 pixels, and
    the backward pass several times that.
    """
    blocks = encoder.blocks if isinstance(encoder, ImageEncoderViT) else encoder.layers
    assert isinstance(blocks, nn.ModuleList)
    for block in blocks:
        block.forward = recomputed(block.forward)
        if isinstance(block, Block) and block.attn.by_head:
            block.attn.attend = recomputed(block.attn.attend)  # type: ignore[method-assign]
