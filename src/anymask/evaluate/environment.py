"""What a run ran on, for its report: versions and the machine, nothing that names a person or a path."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from anymask._version import __version__

PACKAGES = (
    "numpy", "opencv-python-headless", "openvino", "onnxruntime", "torch", "pycocotools", "scikit-image",
    "scipy",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Package -> version, of Python, anymask and those of its packages that are installed."""
    found = {"python": platform.python_version(), "anymask": __version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """System, processor and the cores that this process may use."""
    return {"system": f"{platform.system()} {platform.machine()}", "cpu": _cpu_name(), "cores": _cores()}


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
