"""Files of masks in and out of requests; on disk they have names that the server made up."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anymask.core.errors import FormatError, InputError
from anymask.core.record import MaskRecord
from anymask.formats import Contents, Loss, read_images, write_images
from anymask.formats.kinds import FolderFormat, ImageFormat
from anymask.formats.registry import known
from anymask.server.problems import Problem
from anymask.server.schemas import ImageMasks, Record, RleMask

MEDIA_TYPES = {
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".csv": "text/csv",
    ".png": "image/png",
    ".zip": "application/zip",
    ".xml": "application/xml",
    ".svg": "image/svg+xml",
}
_MAX_UNPACKED = 8
"""An archive may unpack to this many times the largest upload."""


@dataclass(frozen=True)
class MaskFile:
    """A file to be sent. name: with the format's ending. lost: what the format does not hold."""

    name: str
    data: bytes
    lost: tuple[Loss, ...]

    @property
    def media_type(self) -> str:
        """By the ending; never one that a browser would run something from."""
        return MEDIA_TYPES.get(Path(self.name).suffix, "application/octet-stream")


def read_masks(data: bytes, format: str | None, max_bytes: int) -> list[Contents]:
    """The masks in an uploaded file; what it is, its own bytes say.

    Raises FormatError without a word about where it lay, Problem (413) for an archive that unpacks to more
    than eight times `max_bytes`.
    """
    suffix = _suffix(data, format)
    if suffix == ".zip":
        _check_archive(data, _MAX_UNPACKED * max_bytes)
    with _folder() as folder:
        path = folder / f"upload{suffix}"
        path.write_bytes(data)
        return read_images(path, format)


def write_masks(images: Sequence[Contents], format: str) -> MaskFile:
    """Masks as a file; as a zip where the format needs several. Raises FormatError if they do not fit."""
    chosen = known(format)
    is_zip = isinstance(chosen, FolderFormat) or (isinstance(chosen, ImageFormat) and len(images) != 1)
    with _folder() as folder:
        path = folder / f"masks{'.zip' if is_zip else chosen.suffix}"
        lost = write_images(path, images, format)
        return MaskFile(path.name, path.read_bytes(), lost)


def contents_of(image: ImageMasks) -> Contents:
    """What was sent of an image. Raises FormatError, naming the image, for a record that is wrong."""
    size = image.height, image.width
    records = []
    for place, record in enumerate(image.records, 1):
        try:
            records.append(_record(record))
            if records[-1].image_hw != size:
                raise FormatError(f"its mask has {records[-1].image_hw} pixels, the image {size}")
        except InputError as error:
            raise FormatError(f"record {place} of '{image.name}': {error}") from error
    return Contents(tuple(records), size, image.name)


def image_masks(contents: Contents, number: int) -> dict[str, Any]:
    """An image's masks as `ImageMasks` in JSON. number: its place, for images without a name."""
    height, width = contents.image_hw
    return {
        "name": contents.image_name or f"image-{number}",
        "width": width,
        "height": height,
        "records": [record.to_json() for record in contents.records],
    }


def _record(record: Record) -> MaskRecord:
    given = {name: value for name, value in record if value is not None and name != "png"}
    given["segmentation"] = _rle(record.segmentation)
    return MaskRecord.from_json(given)


def _rle(mask: RleMask) -> dict[str, object]:
    return {"size": mask.size, "counts": mask.counts}


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for one request. What goes wrong inside is told without it."""
    with tempfile.TemporaryDirectory(prefix="anymask-") as name:
        try:
            yield Path(name)
        except InputError as error:
            raise FormatError(str(error).replace(name + os.sep, "")) from error


def _suffix(data: bytes, format: str | None) -> str:
    """The ending that fits an upload's content."""
    if data[:4] == b"PK\x03\x04":
        return ".zip"
    if data[257:262] == b"ustar":
        return ".tar"
    if format is not None:
        return known(format).suffix
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return ".png"
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        return ".json"
    if start[:1] == b"<":
        return ".svg" if b"<svg" in start else ".xml"
    return ".csv"


def _check_archive(data: bytes, most: int) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise FormatError("the zip is damaged; send another copy") from None
    if unpacked > most:
        raise Problem(
            413, "too_large", f"the zip unpacks to {unpacked:,} bytes, more than {most:,}, the limit"
        )
