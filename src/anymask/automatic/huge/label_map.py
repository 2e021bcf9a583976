"""A label map of any size: a tiled, compressed (Big)TIFF of uint32, painted band by band."""

from __future__ import annotations

import errno
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anymask.automatic.huge.job import HugeMasks
from anymask.automatic.huge.layout import common
from anymask.core.errors import MissingExtraError
from anymask.core.files import replacing
from anymask.core.upscale import Window

_TILE = 512


def write_label_map(path: Path, masks: HugeMasks) -> Path:
    """Write ids: 0 where there is no mask; where masks overlap, the smaller one is on top.

    The image's map coordinates go with it. Returns the path. Raises MissingExtraError without the extra
    `huge`, OutputError if the file cannot be written.
    """
    check_label_maps()
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    height, width = masks.image_hw
    layout: dict[str, Any] = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": 1,
        "dtype": "uint32",
        "tiled": True,
        "blockxsize": _TILE,
        "blockysize": _TILE,
        "compress": "deflate",
        "BIGTIFF": "IF_SAFER",
    }
    if masks.affine is not None:
        layout["transform"] = rasterio.Affine(*masks.affine)
    with replacing(path) as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        sums = []
        with rasterio.open(place, "w", **layout) as file:
            for band in _bands(masks.image_hw):
                labels = painted(masks, band)
                file.write(labels, 1, window=((band.y0, band.y1), (0, width)))
                sums.append(zlib.crc32(labels.data))
        # What GDAL cannot write while it closes a file it does not tell.
        if _sums_of(place, masks.image_hw) != sums:
            raise OSError(errno.ENOSPC, "it cannot be read back, the disk may be full")
    return path


def check_label_maps() -> None:
    """Raise MissingExtraError unless label maps can be written here."""
    try:
        import rasterio  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "a label map of a huge image needs the extra huge: pip install 'anymask[huge]'"
        ) from error


def _bands(image_hw: tuple[int, int]) -> Iterator[Window]:
    for top in range(0, image_hw[0], _TILE):
        yield Window(top, min(top + _TILE, image_hw[0]), 0, image_hw[1])


def _sums_of(place: Path, image_hw: tuple[int, int]) -> list[int] | None:
    """Checksums of the bands of a file; None if it cannot be read."""
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(place, driver="GTiff") as file:
            windows = [((band.y0, band.y1), (0, image_hw[1])) for band in _bands(image_hw)]
            return [zlib.crc32(np.ascontiguousarray(file.read(1, window=one)).data) for one in windows]
    except RasterioError:
        return None


def painted(masks: HugeMasks, part: Window) -> npt.NDArray[np.uint32]:
    """(h, w) uint32: the ids in a part of the image."""
    labels = np.zeros(part.size_hw, np.uint32)
    y0, y1, x0, x1 = masks.boxes.T
    inside = np.flatnonzero((y0 < part.y1) & (y1 > part.y0) & (x0 < part.x1) & (x1 > part.x0))
    for number in inside[np.argsort(-masks.areas[inside], kind="stable")]:
        mask = masks.mask(int(number))
        seen = common(mask.window, part)
        assert seen is not None
        place = labels[seen.y0 - part.y0 : seen.y1 - part.y0, seen.x0 - part.x0 : seen.x1 - part.x0]
        place[mask.pixels(seen)] = number + 1
    return labels
