"""Rows for the tests."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from anymask.core.rle import Rle, encode
from anymask.store import Image, Mask, NewImage, NewMask

HEIGHT, WIDTH = 24, 32


class ManualClock:
    """Gives the time that was set, a millisecond later at every look."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def pass_by(self, **time: float) -> None:
        """Let time pass: `pass_by(minutes=11)`."""
        self.time += timedelta(**time)


def new_id() -> str:
    return uuid.uuid4().hex


def new_image(path: str, **facts: Any) -> NewImage:
    """An image of 32 x 24 pixels."""
    given: dict[str, Any] = {
        "id": new_id(),
        "sha256": hashlib.sha256(path.encode()).hexdigest(),
        "path": path,
        "name": path.rsplit("/", 1)[-1],
        "width": WIDTH,
        "height": HEIGHT,
        "bytes": 1000,
    }
    return NewImage(**{**given, **facts})


def rectangle(x0: int, y0: int, x1: int, y1: int) -> Rle:
    """Of the size of `new_image`."""
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[y0:y1, x0:x1] = True
    return encode(mask)


def new_mask(image: Image | str, rle: Rle | None = None, **facts: Any) -> NewMask:
    """An object's first mask."""
    image_id = image if isinstance(image, str) else image.id
    given: dict[str, Any] = {"id": new_id(), "image_id": image_id, "object_id": new_id()}
    return NewMask(**{**given, "rle": rle or rectangle(4, 3, 20, 9), **facts})


def correction(mask: Mask | NewMask, rle: Rle | None = None, **facts: Any) -> NewMask:
    """A successor of a mask."""
    given: dict[str, Any] = {"object_id": mask.object_id, "parent_id": mask.id}
    return new_mask(mask.image_id, rle or rectangle(5, 3, 21, 9), **{**given, **facts})
