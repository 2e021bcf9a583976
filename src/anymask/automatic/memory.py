"""How much memory everything mode may take, and how many clicks fit into what is left."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from anymask.core.errors import InputError

if TYPE_CHECKING:
    from anymask.models.spec import ModelSpec

_STATM = Path("/proc/self/statm")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_FLOATS_PER_CELL = 3 * 6
"""Three masks a click, of which copies, comparisons and the decoder's last maps exist at a time."""
_STEPPED_FLOATS = 9 << 20
"""More per click for Segment Anything's decoder: 4,096 positions of 256 channels, about nine times over."""
HELD_SHARE = 0.25
"""Of the memory that is left: for logits that wait."""


def bytes_of(text: str | int) -> int:
    """Bytes from a whole number or "500MB", "2 GiB", "1.5g". Raises InputError for anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]i?)?b?\s*", str(text).lower())
    if found is None:
        raise InputError(f"{text!r} is no amount of memory; give bytes, or a number with MB or GB")
    return int(float(found[1]) * _UNITS[found[2] or ""])


def resident_bytes() -> int:
    """Memory that this process takes now; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def clicks_that_fit(max_memory: int | None, spec: ModelSpec, wanted: int) -> int:
    """How many clicks may be decoded at once, 1 to `wanted`.

    max_memory: bytes for the whole process, or None. Raises InputError if not even one click fits.
    """
    if max_memory is None:
        return wanted
    each = 4 * _FLOATS_PER_CELL * spec.mask_size**2
    if spec.architecture != "lite":
        each += 4 * _STEPPED_FLOATS
    taken = resident_bytes()
    left = max_memory - taken
    if left < each:
        least = -(-(taken + 2 * each) // 10**6)
        raise InputError(
            f"max_memory is {max_memory // 10**6} MB, but this process takes {taken // 10**6} MB with the "
            f"model and the picture open; give at least {least}MB"
        )
    return max(1, min(wanted, int(left * (1 - HELD_SHARE)) // each))


def bytes_to_hold(max_memory: int | None, usual: int) -> int:
    """Bytes of logits that may wait until it is clear whether they matter."""
    if max_memory is None:
        return usual
    return max(0, min(usual, int((max_memory - resident_bytes()) * HELD_SHARE)))
