"""Every setting of a training run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from anymask.core.errors import InputError
from anymask.modeling.lite.config import LiteConfig


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run; contradictory ones are refused before the first batch."""

    model: LiteConfig = field(default_factory=LiteConfig)
    image_size: int = 384  # side of the square network input, pixels, a multiple of 32
    small_size: int = 0  # side of the views in the first part of the schedule; 0: image_size all along
    small_share: float = 0.6  # that part, a share of the schedule
    images: int = 8  # images a step (and process)
    masks: int = 4  # masks an image
    points: int = 8  # most prompt points (box corners included) a mask is trained with
    rounds: int = 3  # prompts a mask is shown one after the other, each corrected from the error of the last
    box_chance: float = 0.5  # first prompt is a noisy box rather than a click
    centre_chance: float = 0.5  # a click is the centre of its region rather than a random place in it
    still_chance: float = 0.15  # a later round brings no new point, only the previous logits
    many_chance: float = 0.15  # the first prompt has several clicks at once
    crop_chance: float = 0.5  # the view is a random crop rather than the whole image
    smallest_crop: float = 0.35  # area of the smallest crop, share of the image
    flip_chance: float = 0.5
    turn_chance: float = 0.1  # turned by 90, 180 or 270 degrees
    colour_chance: float = 0.7
    paste_chance: float = 0.0  # an object of another picture is pasted onto the view
    merge_chance: float = 0.0  # a mask is joined by its union with a neighbouring one, in exhaustive pictures
    steps: int = 20_000  # the schedule ends here ...
    minutes: float = 1e9  # ... or after this much training time, resumed runs counted together
    lr: float = 1e-3
    backbone_lr: float = 1.5e-4
    warmup: int = 150  # steps
    frozen_share: float = 0.5  # share of the schedule during which the backbone is frozen
    frozen_blocks: int = 0  # the stem and this many first blocks of the backbone are never trained
    compile: bool = False  # torch.compile for the decoder: a minute and a half once, then faster steps
    weight_decay: float = 0.02
    clip_norm: float = 1.0
    focal_weight: float = 1.0
    dice_weight: float = 1.0
    iou_weight: float = 1.0
    boundary_weight: float = 0.0  # cross-entropy along the true border
    adversarial_weight: float = 0.0  # masks learn to deceive a discriminator of true and predicted masks
    likeness_weight: float = 1.0  # of a teacher's masks, where one is given
    hard_share: float = 1.0  # only this share of the masks, those with the largest loss, counts
    ema: float = 0.998
    seed: int = 0
    workers: int = 0  # loader processes
    save_every: int = 100  # steps
    measure_every: int = 0  # steps between quick measurements on the validation shard; 0: only at the end
    measure_images: int = 200

    def __post_init__(self) -> None:
        for name in ("image_size", "small_size"):
            side = getattr(self, name)
            if side % 32 or (side < 64 and (name == "image_size" or side)):
                raise InputError(f"{name} {side}: give a multiple of 32, at least 64")
        if self.points < 4:
            raise InputError(f"points {self.points}: a box and a correction need at least 4")
        for name in ("images", "masks", "rounds", "steps", "save_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)}: must be at least 1")
        shares = [f.name for f in fields(self) if f.name.endswith(("_chance", "_crop", "_share"))]
        for name in shares:
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} {getattr(self, name)}: must be between 0 and 1")
        if self.hard_share == 0:
            raise InputError("hard_share 0: no mask would count; give a share above 0")
        if self.minutes <= 0 or self.lr <= 0:
            raise InputError("minutes and lr must be positive")

    def size_at(self, progress: float) -> int:
        """Side of the views at a moment of the schedule, `progress` 0 to 1."""
        return self.small_size if self.small_size and progress < self.small_share else self.image_size

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainConfig:
        """Build from JSON. Raises InputError on unknown keys."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise InputError(f"unknown training settings {sorted(unknown)}; see TrainConfig")
        model = values.get("model", {})
        rest = {k: v for k, v in values.items() if k != "model"}
        return cls(model=model if isinstance(model, LiteConfig) else LiteConfig.from_dict(model), **rest)

    @classmethod
    def read(cls, path: Path) -> TrainConfig:
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
