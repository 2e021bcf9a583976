"""`lite` as one module, and how it is built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import nn

from anymask.modeling.lite.backbones import build_backbone, imagenet_weights, weights_from
from anymask.modeling.lite.config import LiteConfig
from anymask.modeling.lite.decoder import LiteDecoder
from anymask.modeling.lite.encoder import LiteEncoder
from anymask.modeling.lite.layers import fold_normalisation


class Lite(nn.Module):
    """Image encoder and prompt-conditioned mask decoder."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = LiteEncoder(config)
        self.decoder = LiteDecoder(config)

    def fold(self) -> None:
        """Fold batch normalisation into the weights; afterwards the state dict fits `normalised=False`."""
        fold_normalisation(self)
        self.config = replace(self.config, normalised=False, backbone_normalised=False)


def build_lite(config: LiteConfig | None = None, *, imagenet: bool | Path = False) -> Lite:
    """A `lite` with random weights; `imagenet` starts its backbone from ImageNet weights.

    imagenet: True for those of the package that carries them, or a file with timm's or torchvision's names.
    Raises MissingExtraError if the weights' package is not installed, ModelError for an unknown backbone or a
    file of something else.
    """
    config = config or LiteConfig()
    model = Lite(config)
    if imagenet:
        trained = build_backbone(config.backbone, normalised=True)
        given = weights_from(imagenet, config.backbone) if isinstance(imagenet, Path) else None
        trained.load_state_dict(given or imagenet_weights(config.backbone), strict=False)
        if not config.backbone_normalised:
            trained.eval()
            fold_normalisation(trained)
        model.encoder.backbone.load_state_dict(trained.state_dict())
    return model
