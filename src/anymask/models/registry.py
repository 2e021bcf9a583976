"""Which models there are: in the package, in the cache, on the web, or in any folder."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from anymask.core.errors import AnymaskError, FormatError, InputError, ModelError
from anymask.models.cache import ModelCache, format_bytes
from anymask.models.folder import ModelFolder, is_file, is_model_folder
from anymask.models.manifest import MANIFEST, Manifest
from anymask.models.spec import Download, ModelSpec

BOX: Final = Path(__file__).resolve().parent
"""Folder whose model folders came with the package."""

_META: Final = "https://dl.fbaipublicfiles.com/segment_anything"
_MOBILE: Final = (
    "https://github.com/ChaoningZhang/MobileSAM/raw/f706ad9c4eb7f219c00d9050e46328518ffb65d2/weights"
)


def _official(name: str, architecture: str, url: str, size: int, sha256: str) -> ModelSpec:
    return ModelSpec(name, architecture, licence="Apache-2.0", download=Download(url, size, sha256))


OFFICIAL: Final[Mapping[str, ModelSpec]] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            _official(
                "mobile",
                "sam_tiny_vit",
                f"{_MOBILE}/mobile_sam.pt",
                40_728_226,
                "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
            ),
            _official(
                "vit_b",
                "sam_vit_b",
                f"{_META}/sam_vit_b_01ec64.pth",
                375_042_383,
                "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
            ),
            _official(
                "vit_l",
                "sam_vit_l",
                f"{_META}/sam_vit_l_0b3195.pth",
                1_249_524_607,
                "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
            ),
            _official(
                "vit_h",
                "sam_vit_h",
                f"{_META}/sam_vit_h_4b8939.pth",
                2_564_550_879,
                "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
            ),
        )
    }
)
"""The published checkpoints: Segment Anything (arXiv 2304.02643) and MobileSAM (arXiv 2306.14289)."""


class UnknownModelError(ModelError, InputError):
    """No model of that name; the message names the nearest ones."""


@dataclass(frozen=True)
class ModelState:
    """One line of the list of models.

    state: "in the box", "pulled", "imported", "available" (on the web) or "damaged".
    bytes: on this machine, or of the download for one that is only available. path: None unless it is here.
    """

    name: str
    version: str
    architecture: str
    state: str
    bytes: int
    licence: str
    path: Path | None


@dataclass(frozen=True)
class Registry:
    """All models that can be named: `official` ones, those of `cache`, those in the folder `box`."""

    cache: ModelCache = field(default_factory=ModelCache.default)
    official: Mapping[str, ModelSpec] = field(default_factory=lambda: OFFICIAL)
    box: Path = field(default_factory=lambda: BOX)

    def resolve(self, name_or_path: str | os.PathLike[str]) -> ModelFolder:
        """Open a model by name (`vit_b`, `lite@0.1.0`) or by the path of its folder or of an adapter's.

        Without version the newest one on this machine is taken. A known name wins over a folder of the same
        name in the working directory (`./lite` names that one).
        Raises UnknownModelError, ModelError (not pulled yet; not a model folder), ChecksumError (damaged).
        """
        if isinstance(name_or_path, str) and not _looks_like_path(name_or_path):
            name, _, version = name_or_path.partition("@")
            paths = self.paths(name)
            if version in paths or (paths and not version):
                return ModelFolder.open(paths[version or max(paths, key=_version_key)])
            if paths or name in self.official or not _is_here(Path(name_or_path)):
                raise self._not_here(name, version)
        path = Path(name_or_path).expanduser()
        if is_file(path):
            raise ModelError(f"{path} is a file, no model folder; take it in: anymask models import {path}")
        from anymask.models.adapter import is_adapter_folder, open_adapted  # adapters name their base here

        if is_adapter_folder(path) and not is_model_folder(path):
            return open_adapted(path, self)
        return ModelFolder.open(path)

    def paths(self, name: str) -> dict[str, Path]:
        """version -> folder of every model of that name on this machine, intact or not."""
        found = {v: self.cache.folder(n, v) for n, v in self.cache.names() if n == name}
        found.update({v: path for n, v, path in self.boxed() if n == name})
        return found

    def boxed(self) -> list[tuple[str, str, Path]]:
        """(name, version, folder) of the models that came with the package, intact or not."""
        folders = sorted(path for path in self.box.iterdir() if is_model_folder(path))
        return [_boxed_name(path) for path in folders]

    def find_official(self, name: str) -> ModelSpec:
        """The published model of that name (`vit_b` or `vit_b@1.0`). Raises UnknownModelError."""
        plain, _, version = name.partition("@")
        spec = self.official.get(plain)
        if spec is None:
            raise UnknownModelError(f"Unknown model {_shown(name)}. {self._suggest(plain, self.official)}")
        if version and version != spec.version:
            raise UnknownModelError(f"There is no {name}; the published version is {spec.full_name}.")
        return spec

    def list_models(self) -> list[ModelState]:
        """Every model, those on this machine first."""
        here = [_state_of(path, name, version, "in the box") for name, version, path in self.boxed()]
        here += [self._cached_state(name, version) for name, version in self.cache.names()]
        names = {(state.name, state.version) for state in here}
        return here + [
            _state_available(s) for s in self.official.values() if (s.name, s.version) not in names
        ]

    def _cached_state(self, name: str, version: str) -> ModelState:
        official = self.official.get(name)
        pulled = official is not None and official.version == version
        return _state_of(self.cache.folder(name, version), name, version, "pulled" if pulled else "imported")

    def _not_here(self, name: str, version: str) -> ModelError:
        if version and (paths := self.paths(name)):
            return UnknownModelError(f"There is no {name}@{version}; here are {', '.join(sorted(paths))}.")
        if name in self.official:
            spec = self.find_official(f"{name}@{version}" if version else name)
            size = format_bytes(spec.download.bytes) if spec.download else "size unknown"
            return ModelError(
                f"Model {name!r} is not on this machine; get it ({size}) with: anymask models pull {name}"
            )
        known = {*self.official, *(n for n, _ in self.cache.names()), *(n for n, _, _ in self.boxed())}
        return UnknownModelError(f"Unknown model {_shown(name)}. {self._suggest(name, known)}")

    @staticmethod
    def _suggest(name: str, known: Mapping[str, object] | set[str]) -> str:
        near = difflib.get_close_matches(name.lower().replace("-", "_"), sorted(known), n=1, cutoff=0.5)
        if near:
            return f"Did you mean {near[0]!r}?"
        return f"Known are {', '.join(sorted(known))}, or give the path of a model folder."


def _looks_like_path(text: str) -> bool:
    return text.startswith((".", "~")) or "/" in text or os.sep in text


def _boxed_name(path: Path) -> tuple[str, str, Path]:
    try:
        spec = Manifest.read(path / MANIFEST).spec
    except FormatError:
        return path.name, "damaged", path  # found by its folder's name, so that opening it says what is wrong
    return spec.name, spec.version, path


def _is_here(path: Path) -> bool:
    return is_file(path) or is_model_folder(path)


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else name[:77] + "...")


def _version_key(version: str) -> list[tuple[int, int, str]]:
    # 0.10 is newer than 0.9; words sort before numbers, so that 1.0rc1 is older than 1.0.
    parts = re.findall(r"\d+|[A-Za-z]+", version)
    return [*((1, int(p), "") if p.isdigit() else (-1, 0, p) for p in parts), (0, 0, "")]


def _state_of(path: Path, name: str, version: str, state: str) -> ModelState:
    try:
        folder = ModelFolder.open(path)
    except AnymaskError:
        return ModelState(name, version, "unknown", "damaged", 0, "unknown", path)
    spec = folder.spec
    return ModelState(name, version, spec.architecture, state, folder.bytes, spec.licence, path)


def _state_available(spec: ModelSpec) -> ModelState:
    size = spec.download.bytes if spec.download else 0
    return ModelState(spec.name, spec.version, spec.architecture, "available", size, spec.licence, None)


def resolve(name_or_path: str | os.PathLike[str], *, offline: bool | None = None) -> ModelFolder:
    """Open a model by name or path with the default cache (see `Registry.resolve`).

    offline: False lets a published model that is not here yet be pulled (unless ANYMASK_OFFLINE forbids it);
    None and True never touch the network: nothing is fetched unless asked for.
    """
    registry = Registry()
    if offline is False and str(name_or_path) in registry.official and not registry.paths(str(name_or_path)):
        from anymask.models.pull import pull

        return pull(str(name_or_path), registry=registry, offline=False)
    return registry.resolve(name_or_path)
