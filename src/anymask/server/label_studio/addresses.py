"""Addresses of pictures that were fetched a short time ago."""

from __future__ import annotations

import time
from collections import OrderedDict

_SECONDS = 600.0
_PICTURES = 1000


class Addresses:
    """Which image an address was, for ten minutes: a picture is not fetched again for every click."""

    def __init__(self) -> None:
        self._images: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def get(self, address: str) -> str | None:
        """The image's id, if the address was fetched a short time ago."""
        image, when = self._images.get(address, (None, 0.0))
        return image if time.monotonic() - when < _SECONDS else None

    def put(self, address: str, image: str) -> None:
        """Remember an address."""
        self._images[address] = image, time.monotonic()
        self._images.move_to_end(address)
        if len(self._images) > _PICTURES:
            self._images.popitem(last=False)
