"""Which image a run of everything mode is about, so that only those who may see it get its masks."""

from __future__ import annotations

from collections import OrderedDict

_MOST = 10_000
"""Many more than runs fit into memory."""


class RunImages:
    """Run -> image id; those noted longest ago are forgotten. For one event loop."""

    def __init__(self) -> None:
        self._images: OrderedDict[str, str] = OrderedDict()

    def note(self, run: str, image_id: str) -> None:
        """Remember what a run is about."""
        self._images[run] = image_id
        self._images.move_to_end(run)
        if len(self._images) > _MOST:
            self._images.popitem(last=False)

    def image_of(self, run: str) -> str | None:
        """Id of the image, or None for an unknown run."""
        return self._images.get(run)
