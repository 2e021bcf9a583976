"""Tar shards of images with masks (WebDataset layout): pairs `<key>.<image extension>` and `<key>.json`.

The JSON names `source`, `kind`, `width`, `height`, `exhaustive`, `zero_shot` and `masks`, each with a COCO
compressed `rle` and a `label`.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anymask.core.errors import FormatError


def read_shard(path: Path) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield (key, encoded image, description) of every complete pair of a shard, in file order.

    Raises FormatError if the file is missing, no tar archive, or holds a description that is no JSON object.
    """
    waiting: dict[str, dict[str, bytes]] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if not member.isfile():
                    continue
                key, _, extension = member.name.rpartition(".")
                handle = tar.extractfile(member)
                assert handle is not None
                pair = waiting.setdefault(key, {})
                pair["json" if extension == "json" else "image"] = handle.read()
                if len(pair) == 2:
                    del waiting[key]
                    yield key, pair["image"], _description(key, pair["json"])
    except (tarfile.TarError, OSError) as error:
        raise FormatError(f"{path} is no shard (a tar of images and JSON): {error}") from error


def _description(key: str, text: bytes) -> dict[str, Any]:
    try:
        about = json.loads(text)
    except ValueError as error:
        raise FormatError(f"{key}.json is no JSON: {error}") from error
    if not isinstance(about, dict):
        raise FormatError(f"{key}.json holds {type(about).__name__}; expected an object")
    return about


def count_pairs(path: Path) -> int:
    """How many descriptions a shard holds, from its table of contents. Raises FormatError as `read_shard`."""
    try:
        with tarfile.open(path, "r:") as tar:
            return sum(member.isfile() and member.name.endswith(".json") for member in tar)
    except (tarfile.TarError, OSError) as error:
        raise FormatError(f"{path} is no shard (a tar of images and JSON): {error}") from error
