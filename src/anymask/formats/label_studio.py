"""Label Studio tasks: a list of images with brush masks (RLE of RGBA values) and percent coordinates.

Written are annotations with "brushlabels"; read are brushes, polygons and rectangles of annotations, or of
predictions where there is no annotation. Label Studio refers to pictures by address, of which the last part
is taken as the file's name. `meta` of a region holds what else is known under "anymask".

The RLE (rle-pack of thi.ng/umbrella): 32 bits number of values, 5 bits word size - 1, four times 4 bits run
size - 1; then per run 1 bit "repeat", 2 bits which run size, the length - 1 in so many bits, and one value
(repeat) or `length` values.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import Float64Array
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle, decode, encode
from anymask.formats.checks import brief, listing, mapping, number, raster_size, safe_name, size_hw, text
from anymask.formats.contents import Contents
from anymask.formats.kinds import SetFormat
from anymask.formats.known import KEY, known_of, name_of, record_of
from anymask.formats.losses import Keeps, Loss
from anymask.formats.outlines import fill, ring_of
from anymask.formats.parsing import parse_json, write_json

_CHANNELS = 4
_RUN_BITS = (3, 4, 8, 16)
_HEADER = f"{7:05b}" + "".join(f"{bits - 1:04b}" for bits in _RUN_BITS)
_IntArray = npt.NDArray[np.int64]


def to_bytes(images: Sequence[Contents]) -> bytes:
    """The file's bytes: a task per image, its name in `data.image`."""
    return write_json([_task(image, number) for number, image in enumerate(images, 1)])


def from_bytes(data: bytes) -> list[Contents]:
    """The images of a task list. Keypoints, ellipses and the like are left out and counted.

    Raises FormatError, naming the task, if something is wrong, or a task has no region and no size.
    """
    images = []
    for place, task in enumerate(listing(parse_json(data), "the file"), 1):
        try:
            images.append(_contents(mapping(task, "the task")))
        except FormatError as error:
            raise FormatError(f"task {place}: {error}") from error
    return images


def encode_brush(rle: Rle) -> list[int]:
    """A mask as Label Studio's RLE: bytes 0 to 255 of the image's RGBA values, row by row, 0 or 255."""
    raster_size(rle.size_hw)
    flat = decode(rle).ravel()
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, flat.size)
    lengths = np.diff(ends, prepend=0) * _CHANNELS
    values = np.where(flat[ends - 1], 255, 0)
    longest = 1 << _RUN_BITS[3]
    pieces = -(-lengths // longest)
    runs = np.full(int(pieces.sum()), longest, np.int64)
    runs[np.cumsum(pieces) - 1] = lengths - (pieces - 1) * longest
    # One bit "repeat", two bits "16 bits of length", the length - 1, the value.
    words = (0b111 << 24) | ((runs - 1) << 8) | np.repeat(values, pieces)
    bits = (words[:, None] >> np.arange(26, -1, -1)) & 1
    header = np.array([int(bit) for bit in f"{flat.size * _CHANNELS:032b}{_HEADER}"], np.uint8)
    packed: list[int] = np.packbits(np.concatenate([header, bits.ravel().astype(np.uint8)])).tolist()
    return packed


def decode_brush(values: Any, image_hw: tuple[int, int]) -> Rle:
    """Label Studio's RLE -> the mask of all pixels whose alpha is not 0.

    Raises FormatError if it is no such RLE, or of another size than the image.
    """
    height, width = raster_size(image_hw)
    bits = _Bits(values)
    if bits.take(32) != height * width * _CHANNELS:
        raise FormatError(f"a brush mask does not have the image's {height} x {width} pixels")
    word = bits.take(5) + 1
    sizes = [bits.take(4) + 1 for _ in range(4)]
    ends, is_set = _runs(bits, word, sizes, height * width * _CHANNELS)
    # Every fourth value is alpha; the number of those before a place is a quarter of it.
    pixels = np.diff(ends // _CHANNELS, prepend=0)
    return encode(np.repeat(is_set, pixels).reshape(height, width))


class _Bits:
    """Bytes read as bits, the first one the highest."""

    def __init__(self, values: Any) -> None:
        given = listing(values, "'rle'")
        if not all(type(value) is int and 0 <= value <= 255 for value in given):
            raise FormatError(f"'rle' is {brief(values)}; expected bytes from 0 to 255")
        self._data = bytes(given)
        self._at = 0

    def take(self, count: int) -> int:
        """The next `count` bits as a number. Raises FormatError at the end."""
        start, self._at = self._at, self._at + count
        last = (self._at + 7) // 8
        if last > len(self._data):
            raise FormatError("a brush mask ends too early; it is damaged")
        word = int.from_bytes(self._data[start // 8 : last], "big")
        return (word >> (last * 8 - self._at)) & ((1 << count) - 1)


def _runs(bits: _Bits, word: int, sizes: list[int], total: int) -> tuple[_IntArray, npt.NDArray[np.bool_]]:
    """Ends of runs, counted in values, and whether each is set."""
    ends: list[int] = []
    is_set: list[bool] = []
    at = 0
    while at < total:
        repeat, size = bits.take(1), bits.take(2)
        length = bits.take(sizes[size]) + 1
        if at + length > total:
            raise FormatError("a brush mask has more values than its image; it is damaged")
        for step in [length] if repeat else [1] * length:
            at += step
            ends.append(at)
            is_set.append(bits.take(word) != 0)
    return np.array(ends, np.int64), np.array(is_set, np.bool_)


def _task(image: Contents, number: int) -> dict[str, Any]:
    height, width = image.image_hw
    regions = [_region(record, place) for place, record in enumerate(image.records, 1)]
    data = {"image": image.image_name, "width": width, "height": height}
    return {"id": number, "data": data, "annotations": [{"result": regions}]}


def _region(record: MaskRecord, place: int) -> dict[str, Any]:
    height, width = record.image_hw
    known = known_of(record)
    return {
        "id": f"mask-{place}",
        "from_name": "label",
        "to_name": "image",
        "type": "brushlabels",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {"format": "rle", "rle": encode_brush(record.rle), "brushlabels": [name_of(record)]},
        **({} if record.score is None else {"score": record.score}),
        **({"meta": {KEY: known}} if known else {}),
    }


def _contents(task: Mapping[str, Any]) -> Contents:
    data = mapping(task.get("data"), "'data'")
    name = _picture_name(text(data.get("image"), "'data.image'"))
    regions = [mapping(region, "a region") for region in _regions(task)]
    if "width" in data and "height" in data:
        size = size_hw(data["height"], data["width"])
    elif regions:
        size = size_hw(regions[0].get("original_height"), regions[0].get("original_width"))
    else:
        raise FormatError(f"there is no region on '{name}', so its size is not known; leave the task out")
    left_out: Counter[str] = Counter()
    records = []
    for region in regions:
        declared = size_hw(region.get("original_height"), region.get("original_width"))
        if declared != size:
            raise FormatError(f"a region is of an image of {declared} pixels, another of {size}")
        record = _record(region, size)
        if record is None:
            left_out[str(region.get("type"))] += 1
        else:
            records.append(record)
    losses = tuple(Loss(f"regions that are no area ({kind})", n) for kind, n in left_out.items())
    return Contents(tuple(records), size, name, left_out=losses)


def _regions(task: Mapping[str, Any]) -> list[Any]:
    """The regions of the first annotation, or of the first prediction where there is none."""
    for key in ("annotations", "predictions"):
        answers = listing(task.get(key) or [], f"'{key}'")
        if answers:
            return listing(mapping(answers[0], f"one of '{key}'").get("result"), "'result'")
    return []


def _record(region: Mapping[str, Any], image_hw: tuple[int, int]) -> MaskRecord | None:
    kind = str(region.get("type"))
    value = mapping(region.get("value"), "'value'")
    if kind in ("brushlabels", "brush"):
        if value.get("format") != "rle":
            raise FormatError(f"a brush mask of format {brief(value.get('format'))}; expected 'rle'")
        rle = decode_brush(value.get("rle"), image_hw)
    elif kind in ("polygonlabels", "polygon"):
        ring = ring_of(value.get("points"), "a polygon") * np.array(image_hw[::-1]) / 100
        rle = fill([[ring]], image_hw)
    elif kind in ("rectanglelabels", "rectangle"):
        rle = fill([[_rectangle(value, image_hw)]], image_hw)
    else:
        return None
    known = mapping(region.get("meta") or {}, "'meta'").get(KEY)
    if known is None and region.get("score") is not None:
        known = {"predicted_iou": number(region["score"], "'score'")}
    labels = value.get(kind)
    return record_of(rle, known, text(labels[0], "a label") if isinstance(labels, list) and labels else None)


def _rectangle(value: Mapping[str, Any], image_hw: tuple[int, int]) -> Float64Array:
    """Percent of the image, turned clockwise round the upper left corner by `rotation` degrees."""
    x, y, width, height = (
        number(value.get(key), f"'{key}'") * side / 100
        for key, side in zip(("x", "y", "width", "height"), (*image_hw[::-1], *image_hw[::-1]), strict=True)
    )
    turn = math.radians(number(value.get("rotation") or 0, "'rotation'"))
    across = np.array([math.cos(turn), math.sin(turn)]) * width
    down = np.array([-math.sin(turn), math.cos(turn)]) * height
    corner = np.array([x, y])
    return ring_of([corner, corner + across, corner + across + down, corner + down], "a rectangle")


def _picture_name(address: str) -> str:
    """A plain name as it is; of an address (local files, uploads, cloud storage) the last part."""
    parts = urlsplit(address)
    if len(parts.scheme) < 2 and not address.startswith("/"):  # one letter is a drive
        return safe_name(address)
    local = parse_qs(parts.query).get("d")
    return safe_name(unquote(local[0] if local else parts.path).rpartition("/")[2])


FORMAT = SetFormat(
    "label-studio", "Label Studio tasks, brush masks", ".json", Keeps(), to_bytes, from_bytes, "tasks.json"
)
