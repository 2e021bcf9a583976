"""What reads a huge image file: GDAL (rasterio, the extra `huge`) part by part, or Pillow as a whole."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from anymask.core.arrays import AnyArray
from anymask.core.deep_colour import orientation_of
from anymask.core.errors import ImageError
from anymask.core.images import load_image, own_size_guard
from anymask.core.upscale import Window

Affine = tuple[float, float, float, float, float, float]

_READING = {
    "GDAL_CACHEMAX": 256,  # MB
    "GDAL_PNG_WHOLE_IMAGE_OPTIM": "NO",  # it gives a file that is cut off without a word
}
_MOST_BLOCK_BYTES = 64_000_000
_TILED = ["GTiff", "JP2OpenJPEG"]
_GDAL_FORMATS = [*_TILED, "JPEG", "PNG"]
_PLAIN_MODES = ("L", "LA", "RGB", "RGBA", "YCbCr", "I;16", "I;16B", "I", "F")  # GDAL gives the same pixels
_MOST_AT_ONCE = 2**28  # pixels; Pillow takes up to 11 bytes for each while it converts


class Source(Protocol):
    """An image file before turning and scaling of values.

    size_hw: as it lies in the file. values: numbers in it that have a say in the scale. parts: whether any
    part can be read without what comes before it. orientation: EXIF's, 1 to 8. affine: from pixels to map
    coordinates, where the file says so. rows: of a strip that is read well at once.
    """

    size_hw: tuple[int, int]
    values: int
    parts: bool
    orientation: int
    affine: Affine | None
    rows: int

    def colour(self, part: Window) -> AnyArray:
        """(h, w, 1) or (h, w, 3) of the file's type."""
        ...

    def opacity(self, part: Window) -> AnyArray | None:
        """(h, w) of the file's type, the alpha channel; None if there is none."""
        ...

    def close(self) -> None: ...


def open_source(path: Path) -> Source:
    """Raises ImageError if the file cannot be read."""
    if not path.is_file():
        raise ImageError(f"'{path}' is not a file; check the path (now in '{Path.cwd()}')")
    mode, orientation = _pillow_header(path)
    if importlib.util.find_spec("rasterio") is not None and mode in (None, *_PLAIN_MODES):
        found = _gdal_source(path, orientation)
        if found is not None:
            return found
    return _PillowSource(path)


def size_of(path: Path) -> tuple[int, int] | None:
    """Height and width that the file's header states, not turned; None where no reader knows it."""
    from PIL import Image

    try:
        with own_size_guard(), Image.open(path) as image:
            return image.height, image.width
    except Exception:  # Pillow lets many kinds out
        found = None if importlib.util.find_spec("rasterio") is None else _gdal_source(path, 1)
        if found is None:
            return None
        found.close()
        return found.size_hw


def _gdal_source(path: Path, orientation: int) -> _GdalSource | None:
    """None if the file is of another format, or GDAL cannot open it."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    for driver in _GDAL_FORMATS:
        try:
            with warnings.catch_warnings(), rasterio.Env(**_READING):
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                return _GdalSource(rasterio.open(path, driver=driver), orientation)
        except RasterioError:
            continue
    return None


def _pillow_header(path: Path) -> tuple[str | None, int]:
    """The file's mode and orientation; None and 1 where Pillow does not know it."""
    from PIL import Image

    try:
        with own_size_guard(), Image.open(path) as image:
            plain = "transparency" not in image.info
            return (image.mode if plain else "transparency"), orientation_of(image)
    except Exception:  # Pillow lets many kinds out; what reads the file next names the mistake
        return None, 1


class _GdalSource:
    """A file through rasterio."""

    def __init__(self, dataset: Any, orientation: int) -> None:
        from rasterio.enums import ColorInterp

        self._dataset = dataset
        self.size_hw = (dataset.height, dataset.width)
        self.orientation = orientation
        kinds = list(dataset.colorinterp)
        alphas = [number for number, kind in enumerate(kinds, 1) if kind == ColorInterp.alpha]
        self._alpha = alphas[0] if alphas else None
        bands = [number for number in range(1, dataset.count + 1) if number not in alphas]
        self._bands = bands[:3] if len(bands) >= 3 else bands[:1]
        self.values = dataset.height * dataset.width * len(self._bands)
        block_height, block_width = dataset.block_shapes[0]
        block_bytes = block_height * block_width * dataset.count * np.dtype(dataset.dtypes[0]).itemsize
        self.parts = dataset.driver in _TILED and block_bytes <= _MOST_BLOCK_BYTES
        self.rows = max(block_height, 256 // block_height * block_height)
        matrix = dataset.transform
        a, b, c, d, e, f = (float(number) for number in matrix[:6])
        self.affine: Affine | None = None if matrix.is_identity else (a, b, c, d, e, f)

    def colour(self, part: Window) -> AnyArray:
        return np.ascontiguousarray(self._read(self._bands, part).transpose(1, 2, 0))

    def opacity(self, part: Window) -> AnyArray | None:
        return None if self._alpha is None else self._read([self._alpha], part)[0]

    def _read(self, bands: list[int], part: Window) -> AnyArray:
        import rasterio
        from rasterio.errors import RasterioError

        try:
            with rasterio.Env(**_READING):
                found: AnyArray = self._dataset.read(bands, window=((part.y0, part.y1), (part.x0, part.x1)))
                return found
        except (RasterioError, OSError) as error:
            reason = " ".join(str(error.__cause__ or error).split())[:120]
            raise ImageError(
                f"'{self._dataset.name}' is damaged or cut off ({reason}); give another copy"
            ) from error

    def close(self) -> None:
        self._dataset.close()


class _PillowSource:
    """A file of any other format, decoded at once, upright and in 8 bits."""

    parts = False
    orientation = 1
    affine: Affine | None = None
    rows = 256

    def __init__(self, path: Path) -> None:
        self._pixels = load_image(path, max_pixels=_MOST_AT_ONCE).pixels
        self.size_hw = (self._pixels.shape[0], self._pixels.shape[1])
        self.values = self._pixels.size

    def colour(self, part: Window) -> AnyArray:
        return self._pixels[part.slices]

    def opacity(self, part: Window) -> AnyArray | None:
        return None

    def close(self) -> None:
        del self._pixels
