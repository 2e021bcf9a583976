from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from anymask.core.errors import ImageError
from anymask.core.images import Picture, load_image

# A picture whose four corners differ, smooth enough for lossy formats.
Y, X = np.mgrid[:24, :40]
PIXELS = np.dstack([X * 6, Y * 10, (X + Y) * 3]).astype(np.uint8)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixels_of(source: Any, **options: Any) -> np.ndarray:
    return load_image(source, **options).pixels


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "PPM"])
def test_lossless_formats_give_the_very_pixels(format: str) -> None:
    assert np.array_equal(pixels_of(encoded(Image.fromarray(PIXELS), format)), PIXELS)


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF", "GIF", "JPEG2000"])
def test_lossy_formats_come_close(format: str) -> None:
    found = pixels_of(encoded(Image.fromarray(PIXELS), format))
    assert found.shape == PIXELS.shape
    assert np.abs(found.astype(int) - PIXELS).mean() < 12


def test_every_kind_of_source_gives_the_same_picture(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(PIXELS), "PNG")
    path = tmp_path / "ein Föto 照片.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        sources = [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), file]
        pictures = [load_image(source) for source in [*sources, Image.open(path), PIXELS]]
    assert {picture.sha256 for picture in pictures} == {Picture(PIXELS).sha256}
    assert [p.name for p in pictures if p.name] == [path.name] * 4
    assert load_image(pictures[0]) is pictures[0]


def test_pictures_cannot_be_changed() -> None:
    array = PIXELS.copy()
    picture = load_image(array)
    array[:] = 0
    assert np.array_equal(picture.pixels, PIXELS)
    with pytest.raises(ValueError, match="read-only"):
        picture.pixels[0, 0, 0] = 1


def test_sha256_tells_sizes_apart() -> None:
    flat = np.zeros((2, 3, 3), np.uint8)
    assert Picture(flat).sha256 != Picture(flat.reshape(3, 2, 3)).sha256
    assert Picture(flat).image_hw == (2, 3)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(format: str, orientation: int) -> None:
    upright = {
        1: PIXELS,
        2: PIXELS[:, ::-1],
        3: PIXELS[::-1, ::-1],
        4: PIXELS[::-1],
        5: PIXELS.transpose(1, 0, 2),
        6: PIXELS.transpose(1, 0, 2)[:, ::-1],
        7: PIXELS.transpose(1, 0, 2)[::-1, ::-1],
        8: PIXELS.transpose(1, 0, 2)[::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 98, "subsampling": 0}}.get(format, {})
    found = pixels_of(encoded(Image.fromarray(PIXELS), format, exif=exif, **options))
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).max() < 12


def test_broken_exif_does_not_hide_the_image() -> None:
    data = encoded(Image.fromarray(PIXELS), "PNG", exif=b"Exif\x00\x00MM\x00*broken")
    assert np.array_equal(pixels_of(data), PIXELS)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "I;16", "F"]
)
def test_every_mode_becomes_rgb(mode: str) -> None:
    image = Image.fromarray(PIXELS).convert("L" if mode in ("PA", "I;16") else "RGB")
    image = image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    found = pixels_of(image)
    assert found.shape == PIXELS.shape
    assert found.dtype == np.uint8
    assert int(found[-1, -1].sum()) > int(found[0, 0].sum())  # still brighter at the lower right


def test_cmyk_jpeg() -> None:
    found = pixels_of(encoded(Image.fromarray(PIXELS).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(found.astype(int) - PIXELS).mean() < 8


def test_transparency_is_laid_over_white() -> None:
    rgba = np.dstack([PIXELS, np.full(PIXELS.shape[:2], 255, np.uint8)])
    rgba[:5, :, 3] = 0
    rgba[5:10, :, 3] = 51
    found = pixels_of(encoded(Image.fromarray(rgba), "PNG"))
    assert (found[:5] == 255).all()
    assert found[5:10] == pytest.approx(0.2 * PIXELS[5:10] + 0.8 * 255, abs=0.51)
    assert np.array_equal(found[10:], PIXELS[10:])
    assert np.array_equal(pixels_of(rgba), found)


def test_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    found = pixels_of(encoded(image, "PNG", transparency=0))
    assert found.tolist() == [[[255, 255, 255], [40, 50, 60]]]


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for format in ("GIF", "WEBP", "TIFF"):
        data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
        assert pixels_of(data)[0, 0].astype(int) == pytest.approx([255, 0, 0], abs=3)


def ramp(dtype: Any, low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, 24 * 40).reshape(24, 40).astype(dtype)


@pytest.mark.parametrize(
    "array",
    [
        ramp(np.uint16, 0, 65535),
        ramp(np.uint16, 300, 4095),  # 12 bits in 16: truncation would leave it black
        ramp(np.int16, -1000, 2000),  # a CT slice
        ramp(np.int32, 0, 10**6),
        ramp(np.float32, 0, 1),
        ramp(np.float64, -3, 7),
        ramp(np.float16, 0, 300.5),
    ],
    ids=lambda a: f"{a.dtype}",
)
def test_wide_values_are_stretched_by_range(array: np.ndarray) -> None:
    found = pixels_of(array)
    assert found[0, 0].tolist() == [0, 0, 0]
    assert found[-1, -1].tolist() == [255, 255, 255]
    assert (np.diff(found[..., 0].ravel().astype(int)) >= 0).all()
    assert abs(int(found[12, 0, 0]) - 127) <= 2
    assert np.array_equal(pixels_of(array[..., None]), found)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int64, np.float32])
def test_whole_numbers_up_to_255_stay(dtype: Any) -> None:
    array = np.arange(256).reshape(16, 16).astype(dtype)
    assert np.array_equal(pixels_of(array)[..., 0], np.arange(256).reshape(16, 16))


def test_16_bit_files_are_stretched(tmp_path: Path) -> None:
    array = ramp(np.uint16, 300, 4095)
    for name in ("a.tif", "a.png"):
        Image.fromarray(array).save(tmp_path / name)
        assert np.array_equal(pixels_of(tmp_path / name), pixels_of(array))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".png", ".tiff"])
def test_16_bit_colour_files_keep_their_low_bits(ending: str, orientation: int) -> None:
    import cv2

    twelve_bits = (PIXELS.astype(np.uint16) << 4) + 15
    _, data = cv2.imencode(ending, np.ascontiguousarray(twelve_bits[..., ::-1]))
    if ending == ".png":  # OpenCV writes no EXIF: put a chunk with the orientation behind the header
        exif = Image.Exif()
        exif[0x0112] = orientation
        plain = data.tobytes()
        data = plain[:33] + chunk(b"eXIf", exif.tobytes()[6:]) + plain[33:]
        upright = pixels_of(encoded(Image.fromarray(PIXELS), "PNG", exif=exif))
    else:
        upright = PIXELS
    found = pixels_of(bytes(data))
    assert found.shape == upright.shape
    assert np.array_equal(found, pixels_of((upright.astype(np.uint16) << 4) + 15))
    with pytest.raises(ImageError, match="damaged"):
        load_image(bytes(data)[:-300])


def test_16_bit_colour_with_alpha() -> None:
    import cv2

    deep = np.dstack([PIXELS.astype(np.uint16) * 257, np.full(PIXELS.shape[:2], 65535, np.uint16)])
    deep[:5, :, 3] = 0
    _, data = cv2.imencode(".png", deep[..., [2, 1, 0, 3]])
    assert np.array_equal(pixels_of(bytes(data)), pixels_of(deep))
    assert (pixels_of(bytes(data))[:5] == 255).all()


def test_float_file() -> None:
    array = ramp(np.float32, -3, 7)
    assert np.array_equal(pixels_of(encoded(Image.fromarray(array), "TIFF")), pixels_of(array))


def test_one_hot_pixel_does_not_darken_the_rest() -> None:
    array = ramp(np.uint16, 0, 4000).repeat(10, axis=0)
    array[0, 0] = 65535
    assert pixels_of(array)[-1, -1, 0] >= 250


def test_bool_array() -> None:
    assert pixels_of(np.array([[True, False]])).tolist() == [[[255] * 3, [0] * 3]]


def test_nan_and_infinities() -> None:
    array = np.array([[np.nan, 0.0, 0.5], [1.0, np.inf, -np.inf]])
    assert pixels_of(array)[..., 0].tolist() == [[0, 0, 128], [255, 255, 0]]
    with pytest.raises(ImageError, match="no finite number"):
        load_image(np.full((3, 3), np.nan))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_numbers_there_are(dtype: Any) -> None:
    largest = np.finfo(dtype).max
    assert pixels_of(np.array([[-largest, 0, largest]], dtype))[0, :, 0].tolist() in (
        [0, 127, 255],
        [0, 128, 255],
    )


@pytest.mark.parametrize("value", [0.0, 1.0, 7.5, -2.0])
def test_blank_floats(value: float) -> None:
    assert len(np.unique(pixels_of(np.full((3, 4), value)))) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (16, 16), (250, 250), (5000, 1, 3)])
def test_odd_sizes(shape: tuple[int, ...]) -> None:
    assert pixels_of(np.zeros(shape, np.uint8)).shape == (*shape[:2], 3)


def test_alpha_of_wide_arrays_goes_by_its_type() -> None:
    rgba = np.zeros((2, 2, 4), np.uint16)
    rgba[..., 3] = [[65535, 0], [32768, 65535]]
    assert pixels_of(rgba)[..., 0].tolist() == [[0, 255], [127, 0]]
    floats = np.zeros((1, 3, 4))
    floats[..., 3] = [1.0, np.nan, 0.5]
    assert pixels_of(floats)[0, :, 0].tolist() == [0, 255, 128]
    bytes_in_floats = np.dstack([PIXELS, np.full(PIXELS.shape[:2], 255)]).astype(float)
    for dtype in (np.float32, np.int64, np.uint16):
        assert np.array_equal(pixels_of(bytes_in_floats.astype(dtype)), PIXELS)


def test_tensor_of_another_library() -> None:
    import torch

    assert np.array_equal(pixels_of(torch.from_numpy(PIXELS.copy())), PIXELS)


BAD_ARRAYS: list[tuple[np.ndarray, str]] = [
    (np.zeros(5), "shape"),
    (np.zeros((3, 8, 9)), "channels come last"),
    (np.zeros((2, 8, 8, 3)), "one image at a time"),
    (np.zeros((8, 8, 2)), "1, 3 or 4 channels"),
    (np.zeros((0, 8, 3)), "no pixels"),
    (np.array([["a"]]), "bool, integers or floats"),
    (np.zeros((4, 4), complex), "bool, integers or floats"),
    (np.array([[None]]), "bool, integers or floats"),
]


@pytest.mark.parametrize(("array", "message"), BAD_ARRAYS)
def test_other_arrays_are_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        load_image(array)


PNG = encoded(Image.fromarray(PIXELS), "PNG")
JPEG = encoded(
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)), "JPEG"
)

BAD_BYTES: list[tuple[bytes, str]] = [
    (b"", "0 bytes"),
    (b"hello, I am a text\n" * 20, "a text, not an image"),
    (b"<!DOCTYPE html><html>404</html>", "a web page"),
    (b"%PDF-1.7 ...", "a PDF document"),
    (b"\x1f\x8b\x08" + bytes(50), "a gzip archive"),
    (b"PK\x03\x04" + bytes(50), "a zip archive"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
    (bytes(4) + b"ftypheic" + bytes(90), "HEIC"),
    (bytes(range(256)), "not an image in a known format"),
    (JPEG[: len(JPEG) // 2], "damaged or cut off"),
    (JPEG[:20], "not an image|damaged"),
    (PNG[:60], "damaged or cut off"),
]


@pytest.mark.parametrize(("data", "message"), BAD_BYTES)
def test_files_that_are_no_images_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=message) as caught:
        load_image(path)
    assert "photo.jpg" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(ImageError, match=message):
        load_image(data)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header states a size that its few bytes of data do not have."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_bombs_are_refused_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match="more than the limit"):
        load_image(bomb(*size))


def test_the_limit_is_the_callers() -> None:
    with pytest.raises(ImageError, match="960 pixels, more than the limit of 959; make it smaller"):
        load_image(PNG, max_pixels=959)
    assert pixels_of(PNG, max_pixels=960).shape == PIXELS.shape
    with pytest.raises(ImageError, match="more than the limit"):
        load_image(PIXELS, max_pixels=959)
    with pytest.raises(ImageError, match="damaged or cut off"):  # Pillow's own limit does not get in the way
        load_image(bomb(200_000, 1000), max_pixels=10**9)
    assert Image.MAX_IMAGE_PIXELS is not None


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        load_image(tmp_path / "no.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        load_image(tmp_path)
    with pytest.raises(ImageError, match="cannot read"):
        load_image(tmp_path / ("n" * 5000))
    with pytest.raises(ImageError, match="cannot read"):
        load_image("a\0b.jpg")
    with pytest.raises(ImageError, match="web address"):
        load_image("https://example.org/a.jpg")


def test_sources_of_other_kinds(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("x")
    with text.open() as file, pytest.raises(ImageError, match="binary mode"):
        load_image(file)
    with pytest.raises(ImageError, match="closed file"):
        load_image(file)
    for source in (None, 7, [1, 2], {"a": 1}):
        with pytest.raises(ImageError, match=f"cannot read an image from {type(source).__name__}"):
            load_image(source)


def test_picture_checks_itself() -> None:
    for wrong in (PIXELS[..., 0], PIXELS.astype(float), PIXELS[:0]):
        with pytest.raises(ImageError, match="Use load_image"):
            Picture(wrong)


def picture_or_refusal(source: Any) -> Picture | str:
    """The picture, or the message of the ImageError; any other exception fails the test."""
    try:
        return load_image(source)
    except ImageError as error:
        return str(error)


@given(cut=st.integers(0, len(JPEG)), noise=st.binary(max_size=30), at=st.integers(0, len(JPEG)))
def test_damaged_files_give_a_picture_or_an_image_error(cut: int, noise: bytes, at: int) -> None:
    for whole in (JPEG, PNG):
        found = picture_or_refusal(whole[: at % len(whole)] + noise + whole[cut % len(whole) :])
        assert "\n" not in found if isinstance(found, str) else found.pixels.dtype == np.uint8


kinds = st.sampled_from([np.uint16, np.int16, np.int64, np.float16, np.float32, np.float64, np.bool_])
shapes = st.tuples(st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3, 4]))


@given(array=kinds.flatmap(lambda kind: arrays(kind, shapes)))
def test_any_numbers_give_a_picture_unless_none_is_finite(array: np.ndarray) -> None:
    found = picture_or_refusal(array)
    if isinstance(found, str):
        assert "finite" in found
        assert not np.isfinite(array[..., :3]).any()
    else:
        assert found.pixels.shape == (*array.shape[:2], 3)
