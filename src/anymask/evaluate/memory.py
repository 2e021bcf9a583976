"""How much memory a process has taken."""

from __future__ import annotations

import sys
from pathlib import Path

from anymask.core.errors import ModelError

_STATUS = Path("/proc/self/status")


def peak_mb() -> float:
    """The largest resident memory of this process so far, in units of 2**20 bytes.

    Raises ModelError on a system that does not tell (Windows).
    """
    if _STATUS.exists():
        # Not getrusage: a forked child begins with the peak of its parent there.
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:
        raise ModelError(
            "this system does not tell how much memory a process took; leave it out (--no-memory)"
        ) from None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, kilobytes elsewhere
