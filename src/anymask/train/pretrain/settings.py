"""Every setting of a pretraining run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from anymask.core.errors import InputError


@dataclass(frozen=True)
class PretrainSettings:
    """What both recipes share."""

    image_size: int = 128  # side of the square views, pixels, a multiple of the patch size
    images: int = 32  # a step
    steps: int = 1000  # the schedule ends here ...
    minutes: float = 1e9  # ... or after this much training time, resumed runs counted together
    lr: float = 6e-4  # for large batches the paper takes 1.5e-4 per 256 images
    warmup: int = 50  # steps
    weight_decay: float = 0.05
    clip_norm: float = 3.0
    smallest_crop: float = 0.2  # area of the smallest crop, share of the picture
    save_every: int = 100  # steps
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("image_size", "images", "steps", "warmup", "save_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)}: must be at least 1")
        if self.minutes <= 0 or self.lr <= 0 or self.clip_norm <= 0:
            raise InputError("minutes, lr and clip_norm must be positive")
        if not 0 < self.smallest_crop <= 1:
            raise InputError(f"smallest_crop {self.smallest_crop}: must be above 0, at most 1")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from JSON. Raises InputError on unknown keys."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            known = ", ".join(f.name for f in fields(cls))
            raise InputError(f"unknown settings {sorted(unknown)}; there are {known}")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class MaeSettings(PretrainSettings):
    """Masked autoencoding. The encoder's sizes are those of a plain ViT; 768, 12, 12 is ViT-B."""

    embed_dim: int = 192
    depth: int = 12
    heads: int = 3
    patch: int = 16  # pixels
    masked: float = 0.75  # share of the patches that are hidden
    decoder_dim: int = 128
    decoder_depth: int = 4
    decoder_heads: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % self.patch:
            raise InputError(f"image_size {self.image_size}: give a multiple of the patch size {self.patch}")
        if not 0 < self.masked < 1:
            raise InputError(f"masked {self.masked}: must be above 0 and below 1")
        for dim, heads in (("embed_dim", "heads"), ("decoder_dim", "decoder_heads")):
            if getattr(self, dim) % (4 * getattr(self, heads)):
                raise InputError(
                    f"{dim} {getattr(self, dim)}: give a multiple of 4 x {heads} = {4 * getattr(self, heads)}"
                )


@dataclass(frozen=True)
class DistilSettings(PretrainSettings):
    """Learning a larger encoder's embeddings (MobileSAM's decoupled recipe, arXiv 2306.14289).

    image_size is the teacher's input size; both encoders see the same views.
    """

    image_size: int = 1024
    images: int = 1
    lr: float = 1e-3
    smallest_crop: float = 1.0
