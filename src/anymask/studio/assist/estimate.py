"""When a project will be done, from what has been measured so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anymask.store import FINISHED

BY_MACHINE = ("everything", "import")
"""Sources of masks that cost nobody time."""


@dataclass(frozen=True)
class Estimate:
    """images left, objects by hand per finished image, seconds per object, and the seconds that are left.

    None where nothing has been finished or timed yet.
    """

    left: int
    by_hand_per_image: float | None
    seconds_per_mask: float | None
    seconds_left: float | None


def estimate(
    images: Mapping[str, int], by_source: Mapping[str, int], seconds_per_mask: float | None
) -> Estimate:
    """images: how many in each state. by_source: objects by how their present mask came about.

    Objects of images at hand count as if they were finished already, so the estimate is rather too high at
    first.
    """
    finished = sum(images.get(state, 0) for state in FINISHED)
    left = sum(images.values()) - finished
    by_hand = sum(count for source, count in by_source.items() if source not in BY_MACHINE)
    per_image = by_hand / finished if finished else None
    seconds = None
    if per_image is not None and (seconds_per_mask is not None or not by_hand):
        seconds = left * per_image * (seconds_per_mask or 0)
    return Estimate(left, per_image, seconds_per_mask, seconds)
