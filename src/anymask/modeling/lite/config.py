"""The sizes of a `lite` model, as stored in its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from anymask.core.errors import FormatError

PIXEL_MEAN: Final = 127.0
"""Input normalisation of the EfficientNet-Lite weights: (pixel - 127) / 128, pixels 0 to 255."""
PIXEL_STD: Final = 128.0


@dataclass(frozen=True)
class LiteConfig:
    """Architecture of a `lite` model.

    backbone: name of an image backbone registered in `backbones.py`.
    width16, width8, width4: channels of the pyramid at strides 16, 8 and 4.
    blocks16, blocks8, blocks4: residual blocks of the pyramid at each stride.
    heads, attention_width, mlp_width: of the two-way transformer.
    layers: two-way transformer blocks.
    affinity_width: length of the vectors whose cosine similarity to the clicks becomes a dense map.
    normalised: True while training (batch normalisation in the pyramid), False once folded into the weights.
    backbone_normalised: the same for the backbone; False also while training from ImageNet weights, whose
        statistics stay as they are and are folded from the start.
    """

    backbone: str = "efficientnet_lite2"
    width16: int = 128
    width8: int = 64
    width4: int = 32
    blocks16: int = 3
    blocks8: int = 2
    blocks4: int = 1
    heads: int = 4
    attention_width: int = 64
    mlp_width: int = 256
    layers: int = 2
    affinity_width: int = 48
    normalised: bool = True
    backbone_normalised: bool = False

    def __post_init__(self) -> None:
        for name in ("width16", "width8", "width4", "heads", "attention_width", "mlp_width", "layers"):
            if getattr(self, name) < 1:
                raise FormatError(f"lite config: {name} is {getattr(self, name)}; it must be at least 1")
        if self.attention_width % self.heads:
            raise FormatError(
                f"lite config: attention_width {self.attention_width} is no multiple of heads {self.heads}"
            )
        if self.width16 % 2:
            raise FormatError(f"lite config: width16 {self.width16} must be even (sine and cosine halves)")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LiteConfig:
        """Build from a manifest's `config`. Raises FormatError on unknown keys."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise FormatError(f"lite config: unknown keys {sorted(unknown)}; remove them or update anymask")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
