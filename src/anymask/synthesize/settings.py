"""Every setting of the composer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from anymask.core.errors import InputError

Blend = Literal["soft", "poisson", "ratio"]


@dataclass(frozen=True)
class SynthesisSettings:
    """What may happen in a picture; ranges are (least, most).

    objects: how many are pasted. size: an object's long side, a share of the picture's long side; 0, 0 leaves
    its own size, times `scale`. turn: degrees, to both sides. flip: chance of a mirror image.
    visible: least share of an object that must stay visible, of pasted ones and of the background's own.
    overlap: most IoU of the boxes of two pasted objects; 1 lets them lie anywhere.
    blend: "soft" pastes with a soft edge; "poisson" keeps the gradients of the object and the tone of the
    place
        (Perez et al., "Poisson image editing", 2003); "ratio" multiplies the place by how much darker or
        lighter the object is than what surrounded it, which keeps the texture below scratches and stains.
    feather: softness of edges, pixels. match: how far an object's tone is drawn to that of its place, 0 to 1.
    shadow: chance that objects cast shadows; darkness: of these shadows. light: how much the light may change
        from picture to picture, a share. grain: standard deviation of noise put over everything, grey levels.
    """

    objects: tuple[int, int] = (1, 4)
    size: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (0.6, 1.4)
    turn: float = 20.0
    flip: float = 0.5
    visible: float = 0.4
    overlap: float = 0.5
    blend: Blend = "soft"
    feather: float = 1.0
    match: float = 0.3
    shadow: float = 0.5
    darkness: tuple[float, float] = (0.2, 0.6)
    light: float = 0.15
    grain: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("objects", "size", "scale", "darkness"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise InputError(f"{name} is {low} to {high}; give the least first, nothing below 0")
        if self.objects[1] < 1 or self.scale[0] <= 0:
            raise InputError("objects and scale must be above 0")
        for name in ("flip", "visible", "overlap", "match", "shadow", "light"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}; give a number from 0 to 1")
        if self.size[1] > 1 or self.darkness[1] > 1:
            raise InputError("size and darkness are shares; give numbers from 0 to 1")
        if self.feather < 0 or self.grain < 0 or not 0 <= self.turn <= 180:
            raise InputError("feather and grain must not be below 0, turn must be 0 to 180 degrees")
        if self.blend not in get_args(Blend):
            raise InputError(f"blend {self.blend!r} is not known; give one of {', '.join(get_args(Blend))}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SynthesisSettings:
        """Build from JSON. Raises InputError on unknown keys."""
        known = {f.name: f.default for f in fields(cls)}
        if unknown := sorted(set(values) - set(known)):
            raise InputError(f"unknown settings {', '.join(unknown)}; there are {', '.join(known)}")
        ready: dict[str, Any] = {k: tuple(v) if isinstance(known[k], tuple) else v for k, v in values.items()}
        return cls(**ready)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
