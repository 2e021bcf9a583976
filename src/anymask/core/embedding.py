"""An image as a model sees it: computed once, then every prompt is answered from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anymask.core.arrays import AnyArray, read_only, sealed
from anymask.core.errors import EmbeddingError, FormatError
from anymask.core.files import write_atomically
from anymask.core.geometry import InputFrame

_FORMAT = "anymask-embedding"
_VERSION = 1


@dataclass(frozen=True, eq=False)
class ImageEmbedding:
    """The features of one image, and which model and image they belong to.

    features: name -> float32 or float16 array, read-only, finite; at least one.
    model: the model's name.
    model_sha256: hexadecimal SHA-256 of its weights.
    image_sha256: `Picture.sha256` of the image.
    image_hw: height and width of the image, pixels.
    input_size: side of the model's square input, pixels.

    Raises EmbeddingError if a feature is missing, empty, of another type or not finite.
    """

    features: Mapping[str, AnyArray]
    model: str
    model_sha256: str
    image_sha256: str
    image_hw: tuple[int, int]
    input_size: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", {name: _checked(name, a) for name, a in self.features.items()})
        if not self.features:
            raise EmbeddingError("the embedding has no features; embed the image again")
        frame = InputFrame(self.image_hw, self.input_size)
        object.__setattr__(self, "image_hw", frame.image_hw)
        object.__setattr__(self, "input_size", frame.input_size)

    @property
    def frame(self) -> InputFrame:
        """The maps between image pixels and the model's input."""
        return InputFrame(self.image_hw, self.input_size)

    @property
    def nbytes(self) -> int:
        """Bytes that the features take."""
        return sum(array.nbytes for array in self.features.values())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a safetensors file with everything in it, atomically. Returns the path.

        Raises OutputError if it cannot be written.
        """
        from safetensors.numpy import save

        facts = {
            "format": _FORMAT,
            "version": str(_VERSION),
            "model": self.model,
            "model_sha256": self.model_sha256,
            "image_sha256": self.image_sha256,
            "image_hw": json.dumps(self.image_hw),
            "input_size": json.dumps(self.input_size),
        }
        return write_atomically(path, save(dict(self.features), metadata=facts))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ImageEmbedding:
        """Read a file that `save` wrote. Raises FormatError if it is missing, damaged or something else."""
        from safetensors import SafetensorError, safe_open

        source = Path(path)
        if not source.is_file():
            raise FormatError(f"'{source}' is not a file; give an embedding that ImageEmbedding.save wrote")
        try:
            with safe_open(source, framework="np") as file:
                facts = file.metadata() or {}
                _check_facts(facts, source)
                features = {name: sealed(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 (no iterator)
            return cls(features=features, **_read_facts(facts))
        except FormatError:
            raise
        except (SafetensorError, EmbeddingError, OSError, ValueError, TypeError, KeyError) as error:
            raise FormatError(f"'{source}' is damaged ({error}); embed the image again") from error


def _checked(name: str, array: Any) -> AnyArray:
    values = np.asarray(array)
    if values.dtype not in (np.float32, np.float16) or values.size == 0:
        raise EmbeddingError(
            f"feature '{name}' is {values.dtype} {values.shape}; expected float32 or float16, not empty"
        )
    if not np.isfinite(values).all():
        raise EmbeddingError(f"feature '{name}' holds NaN or infinite values; embed the image again")
    return read_only(values)


def _check_facts(facts: Mapping[str, str], source: Path) -> None:
    if facts.get("format") != _FORMAT:
        raise FormatError(f"'{source}' is a safetensors file, but not an embedding; embed the image first")
    if facts.get("version") != str(_VERSION):
        raise FormatError(
            f"'{source}' is an embedding of version {facts.get('version')}, this anymask reads {_VERSION}; "
            "embed the image again"
        )


def _read_facts(facts: Mapping[str, str]) -> dict[str, Any]:
    height, width = json.loads(facts["image_hw"])
    return {
        "model": facts["model"],
        "model_sha256": facts["model_sha256"],
        "image_sha256": facts["image_sha256"],
        "image_hw": (height, width),
        "input_size": json.loads(facts["input_size"]),
    }
