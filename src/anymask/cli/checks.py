"""What `anymask doctor` looks at. Every check answers with what it found and, where that is bad, the fix."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from anymask._version import __version__
from anymask.cli.terminal import one_line

if TYPE_CHECKING:
    from anymask.models.cache import ModelCache
    from anymask.models.folder import ModelFolder

State = Literal["ok", "note", "broken"]

BASE_PACKAGES = (
    "numpy", "pillow", "opencv-python-headless", "openvino",
    "pycocotools", "shapely", "safetensors", "platformdirs", "filelock",
)  # fmt: skip
CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")
LEAST_FREE_BYTES = 100_000_000


@dataclass(frozen=True)
class Check:
    """One finding. state: ok; note, worth knowing; broken, anymask does not work until it is fixed."""

    name: str
    state: State
    found: str
    fix: str = ""


def all_checks(model: str) -> Iterator[Check]:
    """Every finding, in the order of reading; a check that itself fails is a finding too.

    model: the model whose embed and decode are timed.
    """
    groups: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("versions", versions),
        ("cpu", cpu),
        ("backends", backends),
        ("cache", cache),
        ("models", models),
        ("network", network),
        ("try", lambda: timed_try(model)),
    )
    for name, group in groups:
        try:
            yield from group()
        except Exception as error:
            yield Check(name, "broken", one_line(f"{type(error).__name__}: {error}"), _general_fix())


def versions() -> Iterator[Check]:
    """Python, anymask and the packages of the base install."""
    yield Check("anymask", "ok", f"{__version__} at {Path(__file__).parents[1]}")
    yield Check("python", "ok", f"{platform.python_version()} at {sys.executable}, {platform.platform()}")
    for package in BASE_PACKAGES:
        version = _version(package)
        if version is None and package == "opencv-python-headless":
            version = _other_opencv()
        if version is None:
            yield Check(package, "broken", "not installed", f"pip install {package}")
        else:
            yield Check(package, "ok", version)


def cpu() -> Iterator[Check]:
    """Cores this process may use, and the instructions that decide how fast it is."""
    from anymask.predict.backends import restricted_cores

    flags = _cpu_flags()
    cores = restricted_cores() or os.cpu_count() or 1
    shown = ", ".join(flag for flag in CPU_FLAGS if flag in flags) or "features unknown"
    yield Check("cpu", "ok", f"{_cpu_name()}, {cores} cores for this process, {shown}")
    has_bf16 = bool({"avx512_bf16", "amx_bf16", "bf16"} & flags)
    yield Check(
        "bf16", "ok" if has_bf16 else "note", "yes" if has_bf16 else "no: precision 'fast' runs in float32"
    )


def backends() -> Iterator[Check]:
    """What can compute: OpenVINO belongs to the base install, the others are extras."""
    openvino = _version("openvino")
    fix = "" if openvino else "pip install openvino"
    yield Check("openvino backend", "ok" if openvino else "broken", openvino or "not installed", fix)
    for package, extra in (("onnxruntime", "onnx"), ("torch", "torch")):
        version = _version(package)
        yield Check(
            f"{extra} backend", "ok" if version else "note", version or f"not installed (anymask[{extra}])"
        )


def cache() -> Iterator[Check]:
    """The cache folder: where, how full, writable; and the room on its disk."""
    from anymask.models.cache import ModelCache, folder_bytes, format_bytes

    root = ModelCache.default().root
    why_not = why_not_writable(root)
    found = f"{root}, {format_bytes(folder_bytes(root))}"
    if why_not:
        fix = f"permit writing to {root}, or set ANYMASK_HOME to a folder of yours"
        yield Check("cache", "broken", f"{root}: {why_not}", fix)
    else:
        yield Check("cache", "ok", f"{found}, writable")
    free = shutil.disk_usage(_nearest_existing(root)).free
    full = free < LEAST_FREE_BYTES
    fix = "free some space, or set ANYMASK_HOME to a folder on another disk" if full else ""
    yield Check("disk", "broken" if full else "ok", f"{format_bytes(free)} free for the cache", fix)


def models() -> Iterator[Check]:
    """The model in the box and those in the cache, read byte for byte."""
    from anymask.models.cache import ModelCache
    from anymask.models.registry import resolve

    yield _intact("lite", lambda: resolve("lite", offline=True))
    installed = ModelCache.default()
    for folder in installed.installed():
        yield _intact(folder.spec.full_name, lambda folder=folder: folder)  # type: ignore[misc]
    yield from _damaged(installed)


def network() -> Iterator[Check]:
    """Proxies, mirror and offline mode, as the environment sets them; passwords are never shown."""
    from anymask.models.network import hide_credentials, is_offline

    for scheme, address in sorted(urllib.request.getproxies().items()):
        shown = address if scheme == "no" else hide_credentials(address)
        yield Check(f"{scheme}_proxy", "note", one_line(shown))
    if mirror := os.environ.get("ANYMASK_MIRROR"):
        good = mirror.startswith(("http://", "https://"))
        fix = "" if good else "set ANYMASK_MIRROR to an address such as https://host/folder"
        yield Check("mirror", "note" if good else "broken", one_line(hide_credentials(mirror)), fix)
    if is_offline():
        yield Check("offline", "note", "ANYMASK_OFFLINE is set: models are not pulled")


def timed_try(model: str) -> Iterator[Check]:
    """Load a model, embed a small drawn picture and answer one click, in milliseconds."""
    import numpy as np

    from anymask.core.errors import AnymaskError
    from anymask.predict.load import load

    pixels = np.full((240, 320, 3), 40, np.uint8)
    pixels[60:180, 100:220] = (220, 140, 60)
    try:
        with _Clock() as loading:
            loaded = load(model, offline=True)
        with _Clock() as embedding:
            embedded = loaded.embed(pixels)
        with _Clock() as decoding:
            found = loaded.predict(embedded, points=[(160, 120)])
    except AnymaskError as error:
        yield Check("try", "broken", one_line(str(error)), _general_fix())
        return
    yield Check(
        "try",
        "ok",
        f"{model}: loaded in {loading.ms:.0f} ms, embed {embedding.ms:.0f} ms, "
        f"one click {decoding.ms:.0f} ms, score {found.best.score:.2f} (first calls; later ones are faster)",
    )


def why_not_writable(folder: Path) -> str:
    """Why no file can be written in a folder (created where missing), or '' if one can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)


class _Clock:
    """Milliseconds spent in a with block."""

    ms = 0.0

    def __enter__(self) -> _Clock:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.ms = (time.perf_counter() - self._start) * 1000


def _intact(name: str, find: Callable[[], ModelFolder]) -> Check:
    from anymask.core.errors import AnymaskError
    from anymask.models.cache import format_bytes

    try:
        folder = find()
        folder.verify()
    except AnymaskError as error:
        fix = (
            _general_fix()
            if name == "lite"
            else f"anymask models remove {name} && anymask models pull {name}"
        )
        return Check(f"model {name}", "broken", one_line(str(error)), fix)
    return Check(f"model {name}", "ok", f"{format_bytes(folder.bytes)}, intact, {folder.path}")


def _damaged(cache: ModelCache) -> Iterator[Check]:
    for path in cache.damaged():
        yield Check(
            f"model {path.name}", "broken", f"{path} is damaged", f"remove {path} and pull or import it again"
        )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _other_opencv() -> str | None:
    """OpenCV's Python module comes in four distributions; any of them serves."""
    for package in ("opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"):
        if version := _version(package):
            return f"{version} ({package})"
    return None


def _cpu_flags() -> set[str]:
    for line in _cpu_info():
        if line.lower().startswith(("flags", "features")):
            return set(line.partition(":")[2].split())
    return set()


def _cpu_name() -> str:
    for line in _cpu_info():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown CPU"


def _cpu_info() -> list[str]:
    """Lines of Linux's /proc/cpuinfo; none on other systems."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _nearest_existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


def _general_fix() -> str:
    return "pip install --force-reinstall anymask"
