"""A small published network and ours with the same random weights, ours behind the runtime seam."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from anymask.core.geometry import InputFrame
from anymask.core.images import Picture
from anymask.modeling.config import sam_config
from anymask.modeling.load import load_sam
from anymask.modeling.sam import Sam
from anymask.models.spec import ModelSpec
from anymask.predict.model import Model
from anymask.predict.runtime import ALL_TOKENS, LowResMasks, PromptBatch
from tests.modeling.twins import TINY, TINY_VITS, published_sam, randomise

SHA256 = "5a" * 32
SPOT = 40.0
"""Radius of a spot, input pixels: at this distance from the first point logits are lowered by SPOT_DEPTH."""
SPOT_DEPTH = 4.0


class SamRuntime:
    """Our torch network behind the seam, decoded as a whole. spot: see `spotlight`."""

    def __init__(self, sam: Sam, *, spot: bool = False) -> None:
        self.sam, self.spot = sam, spot
        self.spec = ModelSpec(
            "twin", "sam_vit_b", input_size=sam.config.input_size, mask_size=sam.config.mask_size
        )
        self.decoded: list[int] = []  # prompts per call

    @torch.inference_mode()
    def encode(self, picture: Picture) -> dict[str, np.ndarray]:
        height, width = InputFrame(picture.image_hw, self.spec.input_size).resized_hw
        image = Image.fromarray(picture.pixels).resize((width, height), Image.Resampling.BILINEAR)
        pixels = self.sam.preprocess(torch.from_numpy(np.array(image)).permute(2, 0, 1)[None])
        return {"image_embedding": self.sam.encode(pixels).numpy()}

    @torch.inference_mode()
    def decode(
        self,
        features: Mapping[str, np.ndarray],
        prompts: PromptBatch,
        *,
        tokens: slice = ALL_TOKENS,
        min_score: float | None = None,
    ) -> LowResMasks:
        self.decoded.append(len(prompts))
        points = torch.tensor(prompts.points_xy)
        mask = None if prompts.mask_logits is None else torch.tensor(prompts.mask_logits)
        embedding = torch.tensor(features["image_embedding"])
        logits, scores = self.sam.decode(embedding, points, torch.tensor(prompts.labels), mask)
        if self.spot:
            logits = logits - spotlight(points[:, 0], self.sam.config.input_size, logits.shape[-1])
        wanted = scores[:, tokens].amax(1) >= (-torch.inf if min_score is None else min_score)
        index = wanted.nonzero()[:, 0]
        return LowResMasks(logits[index][:, tokens].numpy(), scores[:, tokens].numpy(), index.numpy())


def spotlight(points_xy: Tensor, input_size: int, cells: int) -> Tensor:
    """(B, 2) in input pixels -> (B, 1, cells, cells), 0 at the point and growing with the squared distance.

    Random weights give masks all over the image, which crops and suppression cannot tell apart; lowered by
    this, each lies round its click.
    """
    centres = (torch.arange(cells, dtype=torch.float32) + 0.5) * (input_size / cells)
    away = [(centres - points_xy[:, i, None].float()) ** 2 for i in (0, 1)]
    return ((away[0][:, None, :] + away[1][:, :, None]) / SPOT**2 * SPOT_DEPTH)[:, None]


def add_spotlight(published: nn.Module) -> None:
    """Let the published network lower its logits as `SamRuntime(spot=True)` does."""
    clicks: list[Tensor] = []
    size = published.image_encoder.img_size

    def remember(_: nn.Module, __: Any, arguments: dict[str, Any]) -> None:
        clicks[:] = [arguments["points"][0][:, 0]]

    def lower(_: nn.Module, __: Any, answer: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return answer[0] - spotlight(clicks[0], size, answer[0].shape[-1]), answer[1]

    published.prompt_encoder.register_forward_pre_hook(remember, with_kwargs=True)
    published.mask_decoder.register_forward_hook(lower)


def save_published(package: ModuleType, path: Path) -> nn.Module:
    """A small published network with random weights, which are saved to `path` as a `.pth` file."""
    theirs = published_sam(package, sam_config("vit_b", **TINY, **TINY_VITS["padded windows"]))
    randomise(theirs)
    torch.save(theirs.state_dict(), path)
    return theirs


def twin_model(path: Path, *, spot: bool = False) -> Model:
    """Our model of the weights in a `.pth` file."""
    return Model(SamRuntime(load_sam(path), spot=spot), sha256=SHA256)


def photo(height: int = 150, width: int = 200, seed: int = 0) -> np.ndarray:
    """Coarse colourful noise, (height, width, 3) uint8: every place looks different."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    return np.array(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
