"""Pull a published model: fetch its checkpoint, turn it into a model folder, keep only that."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from anymask.models.cache import ModelCache
from anymask.models.download import Patience, Progress, fetch
from anymask.models.folder import ModelFolder, try_open
from anymask.models.importer import make_model
from anymask.models.registry import Registry
from anymask.models.spec import Download, ModelSpec


def pull(
    name: str,
    *,
    registry: Registry | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
    on_wait: Callable[[], None] | None = None,
    patience: Patience | None = None,
) -> ModelFolder:
    """Bring a published model onto this machine and open it; a model that is here already is left alone.

    progress: called with (bytes so far, bytes in all) of the download. on_wait: called once if another
    process is at work on the same model; its result is used. offline: use no network (also: ANYMASK_OFFLINE).
    An interrupted pull is continued by the next one; a damaged model is replaced.
    Raises UnknownModelError, ModelError, ChecksumError, OutputError (see `download.fetch`, `importer`).
    """
    registry = registry or Registry()
    boxed = {folder_name: path for folder_name, _, path in registry.boxed()}
    if name in boxed:
        return ModelFolder.open(boxed[name])
    spec = registry.find_official(name)
    cache = registry.cache
    found = try_open(cache.folder(spec.name, spec.version))
    if found is not None:
        return found
    with cache.lock(spec.name, on_wait):
        found = try_open(cache.folder(spec.name, spec.version))
        return found or _pull_locked(spec, cache, offline, progress, patience)


def download_path(spec: ModelSpec, cache: ModelCache) -> Path:
    """Where the checkpoint of a published model is kept while it is pulled.

    The sum in the name keeps files of different versions apart.
    """
    download = _download_of(spec)
    return cache.downloads / f"{download.sha256[:12]}-{download.file_name}"


def discard_download(spec: ModelSpec, cache: ModelCache) -> int:
    """Remove what an interrupted pull left; return the bytes freed. Call with the lock of the name held."""
    path = download_path(spec, cache)
    freed = 0
    for leftover in cache.downloads.glob(f"{path.name}*"):
        freed += leftover.stat().st_size
        leftover.unlink()
    return freed


def _pull_locked(
    spec: ModelSpec,
    cache: ModelCache,
    offline: bool | None,
    progress: Progress | None,
    patience: Patience | None,
) -> ModelFolder:
    download = _download_of(spec)
    path = download_path(spec, cache)
    # The checkpoint and the model made of it lie side by side for a moment.
    here = sum(leftover.stat().st_size for leftover in cache.downloads.glob(f"{path.name}*"))
    cache.require_space(2 * download.bytes - here, f"Pulling {spec.name!r}")
    cache.make(cache.downloads)
    fetch(download, path, progress=progress, offline=offline, patience=patience)
    source = {"url": download.url, "bytes": download.bytes, "sha256": download.sha256}
    folder = make_model(spec, path, source, cache)
    with contextlib.suppress(OSError):
        path.unlink()
    return folder


def _download_of(spec: ModelSpec) -> Download:
    if spec.download is None:
        raise ValueError(f"model {spec.name!r} has no download")
    return spec.download
