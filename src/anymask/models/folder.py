"""A model on disk: open its folder cheaply, verify it byte for byte when asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from anymask.core.errors import AnymaskError, ChecksumError, ModelError
from anymask.models.manifest import MANIFEST, WEIGHTS, Manifest
from anymask.models.spec import ModelSpec

_CHUNK = 1 << 20


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@dataclass(frozen=True)
class ModelFolder:
    """A complete model folder: `manifest.json` and the files it lists.

    Made by `ModelFolder.open`, which checks that every listed file is there with its listed length;
    `verify` reads every byte.
    """

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: str | Path) -> ModelFolder:
        """Open a model folder.

        Raises ModelError if it is none, FormatError if its manifest is wrong (with the field's name),
        ChecksumError if a file is missing or has another length (with the file's name and the fix).
        """
        path = Path(path)
        if not is_model_folder(path):
            raise ModelError(f"{path} is not a model folder: it has no {MANIFEST}.")
        folder = cls(path, Manifest.read(path / MANIFEST))
        for name, entry in folder.manifest.files.items():
            folder._check_length(name, entry.bytes)
        return folder

    @property
    def spec(self) -> ModelSpec:
        """What the runtimes must know."""
        return self.manifest.spec

    @property
    def name(self) -> str:
        """The model's name, without version."""
        return self.spec.name

    @property
    def version(self) -> str:
        """The model's version."""
        return self.spec.version

    @property
    def sha256(self) -> str:
        """The model's identity: the SHA-256 of its weights as the manifest states it."""
        return self.manifest.files[WEIGHTS].sha256

    @property
    def weights(self) -> Path:
        """Path of `weights.safetensors`."""
        return self.path / WEIGHTS

    @property
    def bytes(self) -> int:
        """Length of all listed files together."""
        return sum(entry.bytes for entry in self.manifest.files.values())

    def has(self, name: str) -> bool:
        """Whether the manifest lists a file of this name."""
        return name in self.manifest.files

    def file(self, name: str) -> Path:
        """Path of a listed file. Raises ModelError if the model has none of that name."""
        if not self.has(name):
            listed = ", ".join(sorted(self.manifest.files))
            raise ModelError(f"Model {self.spec.full_name} has no file {name!r}; it has {listed}.")
        return self.path / name

    def verify(self) -> None:
        """Read every file and compare its SHA-256. Raises ChecksumError with the file's name and the fix."""
        for name, entry in self.manifest.files.items():
            self._check_length(name, entry.bytes)
            try:
                found = file_sha256(self.path / name)
            except OSError as error:
                raise ModelError(f"Cannot read {self.path / name}: {error.strerror}.") from error
            if found != entry.sha256:
                raise self._damaged(name, f"has SHA-256 {found[:12]}..., expected {entry.sha256[:12]}...")

    def _check_length(self, name: str, expected: int) -> None:
        path = self.path / name
        if not path.is_file():
            raise self._damaged(name, "is missing")
        found = path.stat().st_size
        if found != expected:
            raise self._damaged(name, f"has {found:,} bytes, expected {expected:,}")

    def _damaged(self, name: str, what: str) -> ChecksumError:
        return ChecksumError(f"{self.path / name} {what}; {self._fix()}.")

    def _fix(self) -> str:
        package = Path(__file__).resolve().parent
        if package in self.path.resolve().parents:
            return "reinstall anymask (pip install --force-reinstall anymask)"
        return f"remove it (anymask models remove {self.spec.full_name}) and pull or import it again"


def is_model_folder(path: Path) -> bool:
    """Whether `path` looks like a model folder, intact or not."""
    return is_file(path / MANIFEST)


def is_file(path: Path) -> bool:
    """Whether there is a file; False, too, for what can be no path (too long, for one)."""
    try:
        return path.is_file()
    except OSError:
        return False


def try_open(path: Path) -> ModelFolder | None:
    """The folder if it is a model and nothing is visibly wrong with it, else None."""
    try:
        return ModelFolder.open(path)
    except AnymaskError:
        return None
