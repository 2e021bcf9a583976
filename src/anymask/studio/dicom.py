"""DICOM pictures as 8-bit views, windowed as the file says. Needs the extra `medical` (pydicom)."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from anymask.core.images import Picture
from anymask.core.pixels import array_to_rgb
from anymask.server.problems import Problem

MEDIA_TYPE = "application/dicom"
_PREAMBLE = 128


def is_dicom(file: BinaryIO) -> bool:
    """Whether the file has DICOM's mark; the position is lost."""
    file.seek(_PREAMBLE)
    return file.read(4) == b"DICM"


def image_hw(file: BinaryIO, max_pixels: int) -> tuple[int, int]:
    """Height and width from the header, pixels.

    Raises Problem: 422 for a damaged file or one without a picture, 413 for more than `max_pixels`, 415
    without pydicom.
    """
    header = _read(file, with_pixels=False)
    height, width = int(header.get("Rows") or 0), int(header.get("Columns") or 0)
    if height < 1 or width < 1:
        raise Problem(422, "unusable", "the DICOM file holds no picture; choose an image of the series")
    if height * width > max_pixels:
        raise Problem(
            413,
            "too_many_pixels",
            f"the DICOM picture has {width} x {height} pixels, more than {max_pixels:,}",
        )
    return height, width


def load(file: BinaryIO, max_pixels: int) -> Picture:
    """The first frame as RGB. Raises Problem as `image_hw`."""
    image_hw(file, max_pixels)
    dataset = _read(file, with_pixels=True)
    try:
        return Picture(_view(dataset, max_pixels))
    except Exception as error:  # pydicom and its decoders let many kinds out
        raise Problem(
            422, "unusable", "the DICOM file's pixels cannot be decoded; save it uncompressed"
        ) from error


def _read(file: BinaryIO, *, with_pixels: bool) -> Any:
    try:
        import pydicom
    except ModuleNotFoundError:
        raise Problem(
            415, "needs_extra", "DICOM files need the extra 'medical': pip install 'anymask[medical]'"
        ) from None
    file.seek(0)
    try:
        return pydicom.dcmread(file, stop_before_pixels=not with_pixels)
    except Exception as error:  # whatever a damaged file makes it raise
        raise Problem(422, "unusable", "the DICOM file is damaged; send another copy") from error


def _view(dataset: Any, max_pixels: int) -> np.ndarray:
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
    from pydicom.pixels.utils import pixel_array

    values = (
        pixel_array(dataset, index=0) if int(dataset.get("NumberOfFrames") or 1) > 1 else pixel_array(dataset)
    )
    if values.ndim == 3:
        return np.ascontiguousarray(array_to_rgb(values, max_pixels))
    values = apply_voi_lut(apply_modality_lut(values, dataset), dataset)
    view = _stretched(np.asarray(values, np.float64))
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        view = 255 - view
    return np.repeat(view[..., None], 3, axis=2)


def _stretched(values: np.ndarray) -> np.ndarray:
    """(H, W) to uint8 over the values' whole range, which the window has cut already."""
    low, high = float(values.min()), float(values.max())
    return np.round((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
