"""manifest.json: a model folder's own description, checked field by field when read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from anymask.core.errors import FormatError
from anymask.core.files import write_atomically
from anymask.models.spec import PROMPTS, ModelSpec, check_count, check_sha256, field_error

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "weights.safetensors"

_PLAIN_FIELDS = ("name", "version", "architecture", "config", "input_size", "mask_size", "licence")
_LIST_FIELDS = ("pixel_mean", "pixel_std", "pad_value", "features")


@dataclass(frozen=True)
class FileEntry:
    """What a file of a model folder must be. Raises FormatError with the field's name."""

    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        check_sha256("files.sha256", self.sha256)
        check_count("files.bytes", self.bytes)


@dataclass(frozen=True)
class Manifest:
    """A model's spec, its files, and where it comes from.

    files: plain file name -> FileEntry; always has `weights.safetensors`.
    source: where the weights come from; training, metrics: free JSON objects.
    Raises FormatError with the field's name.
    """

    spec: ModelSpec
    files: Mapping[str, FileEntry]
    source: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.files:
            _check_file_name(name)
        if WEIGHTS not in self.files:
            raise field_error("files", sorted(self.files), f"at least {WEIGHTS!r}")

    def to_json(self) -> dict[str, Any]:
        """The JSON object that `from_json` reads back into an equal Manifest."""
        spec = self.spec
        automatic = {preset: dict(thresholds) for preset, thresholds in spec.automatic.items()}
        return {
            "format": FORMAT,
            "name": spec.name,
            "version": spec.version,
            "architecture": spec.architecture,
            "config": dict(spec.config),
            "input_size": spec.input_size,
            "mask_size": spec.mask_size,
            "pixel_mean": list(spec.pixel_mean),
            "pixel_std": list(spec.pixel_std),
            "pad_value": list(spec.pad_value),
            "features": list(spec.features),
            "prompts": list(spec.prompts),
            **({"automatic": automatic} if automatic else {}),
            **({"local_corrections": True} if spec.local_corrections else {}),
            "files": {n: {"sha256": f.sha256, "bytes": f.bytes} for n, f in sorted(self.files.items())},
            "licence": spec.licence,
            "source": dict(self.source),
            "training": dict(self.training),
            "metrics": dict(self.metrics),
        }

    @classmethod
    def from_json(cls, data: object) -> Manifest:
        """Build from parsed JSON. Unknown fields are ignored, so that later versions can add some.

        Raises FormatError with the field's name when one is missing or wrong.
        """
        if not isinstance(data, Mapping):
            raise FormatError("A manifest must be a JSON object.")
        if data.get("format") != FORMAT:
            raise field_error("format", data.get("format"), f"{FORMAT}; a newer anymask may read it")
        for name in (*_PLAIN_FIELDS, *_LIST_FIELDS, "files"):
            if name not in data:
                raise FormatError(f"Model field {name!r} is missing.")
        fields = {name: data[name] for name in _PLAIN_FIELDS}
        fields |= {name: _to_tuple(name, data[name]) for name in _LIST_FIELDS}
        prompts = _to_tuple("prompts", data.get("prompts", list(PROMPTS)))
        spec = ModelSpec(
            **fields,
            prompts=prompts,
            automatic=_to_object("automatic", data.get("automatic", {})),
            local_corrections=data.get("local_corrections", False),
        )
        extra = {name: _to_object(name, data.get(name, {})) for name in ("source", "training", "metrics")}
        return cls(spec, _read_files(data["files"]), **extra)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest file. Raises FormatError with the path and what is wrong."""
        try:
            data = json.loads(path.read_bytes())
        except OSError as error:
            raise FormatError(f"Cannot read {path}: {error.strerror}.") from error
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{path} is not JSON ({error}); expected a model's manifest.") from error
        try:
            return cls.from_json(data)
        except FormatError as error:
            raise FormatError(f"{path}: {error}") from None

    def write(self, path: Path) -> None:
        """Write the manifest in one step: readers see the old file or the new one. Raises OutputError."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(path, text.encode())


def _check_file_name(name: object) -> None:
    # A manifest may come from anyone: it must not be able to point outside its own folder.
    plain = isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\:\0")
    if not plain or name == MANIFEST:
        raise field_error("files", name, "plain file names inside the model's folder")


def _read_files(data: object) -> dict[str, FileEntry]:
    files: dict[str, FileEntry] = {}
    for name, entry in _to_object("files", data).items():
        described = _to_object(f"files.{name}", entry)
        files[name] = FileEntry(described.get("sha256", ""), described.get("bytes", 0))
    return files


def _to_tuple(name: str, value: object) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise field_error(name, value, "a list")
    return tuple(value)


def _to_object(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise field_error(name, value, "an object")
    return value
