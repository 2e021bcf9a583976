"""Windows of image files equal the same part of `load_image`, in every format and at every turn."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning

from anymask.automatic.huge import raster as rasters
from anymask.automatic.huge import sources
from anymask.automatic.huge.raster import Raster, open_raster
from anymask.automatic.huge.tones import tones_of
from anymask.core.errors import ImageError, OutputError
from anymask.core.images import load_image
from anymask.core.pixels import to_uint8
from anymask.core.upscale import Window

HW = (90, 130)
WINDOWS = [Window(0, 90, 0, 130), Window(0, 17, 100, 130), Window(40, 90, 3, 64), Window(63, 65, 63, 65)]


def noise(*shape: int, most: int = 256, dtype: str = "uint8") -> np.ndarray:
    return np.random.default_rng(5).integers(0, most, shape).astype(dtype)


def check_equal(raster: Raster, expected: np.ndarray) -> None:
    assert raster.image_hw == expected.shape[:2]
    for window in WINDOWS:
        found = raster.read(window)
        assert (found.dtype, found.flags.c_contiguous) == (np.uint8, True)
        np.testing.assert_array_equal(found, expected[window.slices])


def tiled(path: Path, bands: np.ndarray, **layout: Any) -> Path:
    """(C, H, W) as a TIFF; tiled unless the layout says otherwise."""
    facts = {"tiled": True, "blockxsize": 32, "blockysize": 32, **layout}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        count, height, width = bands.shape
        with rasterio.open(
            path, "w", driver="GTiff", height=height, width=width, count=count, dtype=bands.dtype, **facts
        ) as file:
            file.write(bands)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
def test_as_load_image_gives_it(tmp_path: Path, ending: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = HW if orientation < 5 else HW[::-1]
    path = tmp_path / f"photo{ending}"
    settings = {"lossless": True} if ending == ".webp" else {}
    Image.fromarray(noise(*turned, 3)).save(path, exif=exif, **settings)
    raster = open_raster(path, tmp_path)
    picture = load_image(path)
    assert picture.image_hw == HW
    check_equal(raster, picture.pixels)
    assert raster.sha256() == picture.sha256
    raster.close()


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photo(tmp_path: Path, orientation: int) -> None:
    """Decoders round colours differently."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = HW if orientation == 1 else HW[::-1]
    smooth = Image.fromarray(noise(5, 6, 3)).resize(turned[::-1], Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    raster, expected = open_raster(tmp_path / "a.jpg", tmp_path), load_image(tmp_path / "a.jpg").pixels
    assert raster.image_hw == HW
    for window in WINDOWS:
        assert np.abs(raster.read(window).astype(int) - expected[window.slices]).max() <= 2


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_modes(tmp_path: Path, mode: str) -> None:
    whole = Image.fromarray(noise(*HW, 4), "RGBA") if mode != "I;16" else None
    image = Image.fromarray(noise(*HW, most=9000, dtype="uint16")) if whole is None else whole.convert(mode)
    image.save(tmp_path / "a.png")
    check_equal(open_raster(tmp_path / "a.png", tmp_path), load_image(tmp_path / "a.png").pixels)


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"compress": "deflate", "BIGTIFF": "YES"},
        {"compress": "lzw", "predictor": 2},
        {"tiled": False, "blockysize": 1},
        {"interleave": "band"},
    ],
    ids=str,
)
def test_tiffs_are_read_in_parts(tmp_path: Path, layout: dict[str, Any]) -> None:
    bands = noise(3, *HW)
    raster = open_raster(tiled(tmp_path / "a.tif", bands, **layout), tmp_path)
    check_equal(raster, bands.transpose(1, 2, 0))
    assert list(tmp_path.glob("*.raw")) == []
    raster.close()


@pytest.mark.parametrize(
    "bands",
    [
        noise(1, *HW, most=4000, dtype="uint16"),
        noise(3, *HW, most=200, dtype="uint16"),
        noise(3, *HW, most=60_000, dtype="uint16"),
        noise(1, *HW, most=9000, dtype="int16") - 4000,
        (noise(1, *HW) / 255).astype("float32"),
        np.where(noise(1, *HW) < 3, np.nan, noise(1, *HW) * 1.5 - 7).astype("float32"),
        np.where(noise(1, *HW) < 3, np.inf, noise(1, *HW) * 1e4).astype("float64"),
    ],
    ids=lambda bands: str(bands.dtype),
)
def test_numbers_of_other_types(tmp_path: Path, bands: np.ndarray) -> None:
    """The scale is that of the whole image, not of a window."""
    raster = open_raster(tiled(tmp_path / "a.tif", bands), tmp_path)
    expected = load_image(bands[0] if len(bands) == 1 else bands.transpose(1, 2, 0)).pixels
    for window in WINDOWS:
        found = raster.read(window).astype(int)
        assert np.abs(found - expected[window.slices]).max() <= 1
    raster.close()


def test_more_bands_than_colours(tmp_path: Path) -> None:
    bands = noise(6, *HW)
    check_equal(open_raster(tiled(tmp_path / "a.tif", bands), tmp_path), bands[:3].transpose(1, 2, 0))


def test_where_the_image_lies_on_the_map(tmp_path: Path) -> None:
    place = rasterio.Affine(0.5, 0, 400_000, 0, -0.5, 5_600_000)
    tiled(tmp_path / "a.tif", noise(3, *HW), transform=place)
    assert open_raster(tmp_path / "a.tif", tmp_path).affine == (0.5, 0, 400_000, 0, -0.5, 5_600_000)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda _: None)
    for ending in (".png", ".tif", ".jpg"):
        path = tmp_path / f"a{ending}"
        Image.fromarray(noise(*HW, 3)).save(path)
        check_equal(open_raster(path, tmp_path), load_image(path).pixels)


def test_a_copy_is_used_again_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(noise(*HW, 3)).save(path)
    open_raster(path, tmp_path)
    (copy,) = tmp_path.glob("*.raw")
    marked = noise(*HW, 3) ^ 255
    copy.write_bytes(marked.tobytes())
    check_equal(open_raster(path, tmp_path), marked)
    copy.write_bytes(b"half")
    check_equal(open_raster(path, tmp_path), noise(*HW, 3))
    Image.fromarray(noise(*HW, 3)[::-1]).save(path)
    check_equal(open_raster(path, tmp_path), noise(*HW, 3)[::-1])


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(noise(*HW, 3)).save(path)

    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *a, **k: Full() if "unfinished" in self.name else real(self, *a, **k)
    )
    with pytest.raises(OutputError, match=r"No space left on device; the pixels need 35,100 bytes"):
        open_raster(path, tmp_path)
    monkeypatch.undo()
    check_equal(open_raster(path, tmp_path), noise(*HW, 3))


@pytest.mark.parametrize(
    ("content", "hint"),
    [(b"", "is empty"), (b"words", "a text, not an image"), (None, "is not a file")],
    ids=["empty", "text", "missing"],
)
def test_what_is_no_image(tmp_path: Path, content: bytes | None, hint: str) -> None:
    path = tmp_path / "a.tif"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=hint):
        open_raster(path, tmp_path)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif"])
def test_a_file_that_is_cut_off(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    if ending == ".tif":
        tiled(path, noise(3, *HW))
    else:
        Image.fromarray(noise(*HW, 3)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(ImageError, match=r"damaged|cut off"):
        open_raster(path, tmp_path).sha256()


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64]),
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
    ),
    st.integers(1, 9),
)
def test_scales_are_those_of_load_image(values: np.ndarray, rows: int) -> None:
    strips = [values[start : start + rows] for start in range(0, len(values), rows)]
    if values.dtype.kind == "f" and not np.isfinite(values).any():
        with pytest.raises(ImageError, match="no finite number"):
            tones_of(strips, values.size)
        return
    found = tones_of(strips, values.size).apply(values).astype(int)
    assert np.abs(found - to_uint8(values)).max() <= 1


def test_the_scale_of_a_huge_image_is_that_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    import anymask.automatic.huge.tones as tones

    monkeypatch.setattr(tones, "_MOST_VALUES", 2000)
    values = np.random.default_rng(0).normal(3000, 500, (300, 301)).astype(np.float32)
    strips = [values[start : start + 7] for start in range(0, 300, 7)]
    sampled = tones_of(strips, values.size)
    low, high = np.percentile(values, [0.1, 99.9])
    assert sampled.low == pytest.approx(low, abs=200)
    assert sampled.high == pytest.approx(high, abs=200)


def test_strips_cover_the_image() -> None:
    rows = [row for strip in rasters._strips((1000, 3), 256) for row in range(strip.y0, strip.y1)]
    assert rows == list(range(1000))
