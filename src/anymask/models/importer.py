"""Make a model folder of a checkpoint: its tensors under canonical names, laid out for the graphs."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from anymask.core.errors import FormatError, ModelError
from anymask.models.cache import ModelCache
from anymask.models.checkpoint import find_checkpoint, read_checkpoint
from anymask.models.folder import ModelFolder, file_sha256, is_model_folder, try_open
from anymask.models.keys import canonical_names, detect_architecture
from anymask.models.manifest import MANIFEST, FileEntry, Manifest
from anymask.models.registry import Registry
from anymask.models.spec import ModelSpec, check_name
from anymask.models.templates import fill_model_folder

_GRAPHS_BYTES: Final = 16_000_000  # more than all graph templates of one model take


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint file and what can be told of it without looking inside."""

    path: Path
    title: str
    bytes: int
    sha256: str

    @property
    def source(self) -> dict[str, Any]:
        """What the manifest of a model made of it says."""
        return {"file": self.path.name, "bytes": self.bytes, "sha256": self.sha256}

    @classmethod
    def look_at(cls, path: Path) -> CheckpointFile:
        """The file itself, or the one that the folder holds. Raises ModelError if it cannot be read."""
        file = find_checkpoint(path)
        try:
            title = path.resolve().name if path.is_dir() else path.stem
            return cls(file, title, file.stat().st_size, file_sha256(file))
        except OSError as error:
            raise ModelError(f"Cannot read {path}: {error.strerror}; give a checkpoint file.") from error


def import_checkpoint(
    path: str | Path, name: str | None = None, *, registry: Registry | None = None
) -> ModelFolder:
    """Take a checkpoint, or a complete model folder, into the cache.

    path: a `.pth`, `.pt` or `.safetensors` file with Segment Anything's weights under Meta's, MobileSAM's or
        Hugging Face's names, a Hugging Face folder that holds one, a CLIP (see `clip.importer`), or a model
        folder.
    name: its name from now on; by default the published name of a published file, else that of the file.
    Importing the same file again gives the model that is there already.
    Raises ModelError (not a checkpoint, refused content, name taken), FormatError (not fit for a name),
    OutputError (cache not writable, disk full).
    """
    from anymask.models.clip.importer import import_clip, is_clip  # it uses this module's parts

    registry = registry or Registry()
    if is_model_folder(Path(path)):
        return _import_folder(ModelFolder.open(path), name, registry)
    if is_clip(Path(path)):
        return import_clip(Path(path), name, registry=registry)
    checkpoint = CheckpointFile.look_at(Path(path))
    tensors = _CanonicalTensors(checkpoint.path)
    spec = _published(checkpoint, registry)
    if spec is None or name not in (None, spec.name):
        name = as_name(checkpoint.title) if name is None else name
        check_may_use(name, registry)
        spec = ModelSpec(name, tensors.architecture, licence=spec.licence if spec else "unknown")
    cache = registry.cache
    with cache.lock(spec.name):
        known = already_there(spec, checkpoint.sha256, cache)
        if known is not None:
            return known
        cache.require_space(tensors.model_bytes, f"Model {spec.full_name}")
        return make_model(spec, checkpoint.path, checkpoint.source, cache)


def make_model(
    spec: ModelSpec, checkpoint: Path, source: Mapping[str, Any], cache: ModelCache
) -> ModelFolder:
    """Write the model folder of `spec` into the cache, in one step: it is there complete, or not at all.

    source: what the manifest says about the checkpoint. Call with the lock of the model's name held.
    Raises ModelError if the file is no checkpoint or another network than `spec` says, OutputError.
    """
    tensors = _CanonicalTensors(checkpoint)
    found = tensors.architecture
    if found != spec.architecture:
        raise ModelError(f"{checkpoint} holds a {found}; {spec.full_name} is a {spec.architecture}.")
    with cache.new_model(spec.name, spec.version) as folder:
        fill_model_folder(found, tensors, folder)
        Manifest(spec, describe_files(folder), source).write(folder / MANIFEST)
    return ModelFolder.open(cache.folder(spec.name, spec.version))


class _CanonicalTensors(Mapping[str, np.ndarray]):
    """A checkpoint's tensors under canonical names, read one at a time: 2.5 GB never lie in memory."""

    def __init__(self, path: Path) -> None:
        self._checkpoint = read_checkpoint(path)
        try:
            self._names = canonical_names(self._checkpoint)
            self.shapes = {name: self._checkpoint.shapes[given] for name, given in self._names.items()}
            self.architecture = detect_architecture(self.shapes)
        except ModelError as error:
            raise ModelError(f"Cannot use {path}. {error}") from error

    @property
    def model_bytes(self) -> int:
        """What a model folder made of it takes, in bytes: float32 weights and the graphs."""
        return sum(4 * math.prod(shape) for shape in self.shapes.values()) + _GRAPHS_BYTES

    def __getitem__(self, name: str) -> np.ndarray:
        return self._checkpoint[self._names[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _import_folder(given: ModelFolder, name: str | None, registry: Registry) -> ModelFolder:
    given.verify()
    manifest = given.manifest
    if name is not None:
        manifest = replace(manifest, spec=replace(manifest.spec, name=name))
    spec = manifest.spec
    # Another version of a model that came with the package may stand beside it.
    if name is not None or (spec.name, spec.version) in {(n, v) for n, v, _ in registry.boxed()}:
        check_may_use(spec.name, registry)
    with registry.cache.lock(spec.name):
        target = registry.cache.folder(spec.name, spec.version)
        known = try_open(target)
        if known is not None:
            if known.manifest.files == manifest.files:
                return known
            raise _taken(spec)
        registry.cache.require_space(given.bytes, f"Model {spec.full_name}")
        with registry.cache.new_model(spec.name, spec.version) as folder:
            for file in manifest.files:
                shutil.copyfile(given.path / file, folder / file)
            manifest.write(folder / MANIFEST)
        return ModelFolder.open(target)


def _published(checkpoint: CheckpointFile, registry: Registry) -> ModelSpec | None:
    for spec in registry.official.values():
        if spec.download is not None and spec.download.sha256 == checkpoint.sha256:
            return spec
    return None


def as_name(title: str) -> str:
    """A model's name made of a file's. Raises FormatError if none can be made."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-._")[:64]
    if not name:
        raise FormatError(f"No model name can be made of {title!r}; choose one with --name.")
    return name


def check_may_use(name: str, registry: Registry) -> None:
    """Raise FormatError unless it can name a model, ModelError if a published one has that name."""
    check_name("name", name)
    boxed = {boxed for boxed, _, _ in registry.boxed()}
    if name in registry.official or name in boxed:
        raise ModelError(f"The name {name!r} belongs to the published model; choose another one with --name.")


def already_there(spec: ModelSpec, sha256: str, cache: ModelCache) -> ModelFolder | None:
    """The same checkpoint's intact model, None if the place is free (or holds a damaged one)."""
    known = try_open(cache.folder(spec.name, spec.version))
    if known is not None and known.manifest.source.get("sha256") != sha256:
        raise _taken(spec)
    return known


def _taken(spec: ModelSpec) -> ModelError:
    return ModelError(
        f"There is another model {spec.full_name} already; choose another name with --name, "
        f"or remove it: anymask models remove {spec.full_name}"
    )


def describe_files(folder: Path) -> dict[str, FileEntry]:
    """The files of a folder for its manifest."""
    return {path.name: FileEntry(file_sha256(path), path.stat().st_size) for path in sorted(folder.iterdir())}
