"""Pascal VOC segmentation (VOC 2012 development kit): palette PNGs of objects and classes, an XML per image.

`SegmentationObject/a.png`: the object's number at each pixel; `SegmentationClass/a.png`: its class's number;
255 means "don't care" and belongs to no mask. `Annotations/a.xml` names the objects in the order of their
numbers. `labelmap.txt` names the classes, as CVAT and Datumaro have it; without it they are VOC's twenty.
Where masks overlap the smaller one is on top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

import numpy as np

from anymask.core.arrays import AnyArray, UInt8Array
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle, decode_window
from anymask.formats.checks import safe_name
from anymask.formats.contents import Contents
from anymask.formats.kinds import FolderFormat
from anymask.formats.known import UNNAMED, name_of
from anymask.formats.label_map import masks_by_value, number_masks
from anymask.formats.losses import Keeps
from anymask.formats.parsing import parse_xml, write_xml
from anymask.formats.pictures import Pictures
from anymask.formats.png import decode_png, encode_png
from anymask.formats.trees import Tree

_OBJECTS, _CLASSES = "SegmentationObject", "SegmentationClass"
_VOID = 255
_VOC_CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip


def files_of(images: Sequence[Contents]) -> Iterator[tuple[str, bytes]]:
    """Class names, the list of images, and three files per image.

    Raises FormatError for more than 254 classes, or masks of an image.
    """
    names = sorted({name_of(record) for image in images for record in image.records})
    _check_count(len(names), "classes")
    palette = _palette()
    yield "labelmap.txt", _label_map(["background", *names], palette)
    stems = [str(PurePosixPath(image.image_name).with_suffix("")) for image in images]
    yield "ImageSets/Segmentation/default.txt", "".join(f"{stem}\n" for stem in stems).encode()
    for stem, image in zip(stems, images, strict=True):
        _check_count(len(image.records), f"masks of '{image.image_name}'")
        objects = number_masks(image, np.arange(1, len(image.records) + 1, dtype=np.uint8))
        class_of = np.array([0, *(names.index(name_of(record)) + 1 for record in image.records)], np.uint8)
        yield f"{_OBJECTS}/{stem}.png", encode_png(objects, palette)
        yield f"{_CLASSES}/{stem}.png", encode_png(class_of[objects], palette)
        yield f"Annotations/{stem}.xml", write_xml(_annotation(image))


def load(tree: Tree, _: Pictures) -> list[Contents]:
    """The images of every PNG in SegmentationObject, or in SegmentationClass where there are no objects.

    Raises FormatError, naming the file, if there is none, or something is wrong.
    """
    folder = _OBJECTS if any(_is_in(name, _OBJECTS) for name in tree.names) else _CLASSES
    files = [name for name in tree.names if _is_in(name, folder)]
    if not files:
        raise FormatError(f"there is no PNG in {_OBJECTS} or {_CLASSES}; expected Pascal VOC")
    classes = _class_names(tree)
    images = []
    for file in files:
        try:
            images.append(_contents(tree, file, folder, classes))
        except FormatError as error:
            raise FormatError(f"{file}: {error}") from error
    return images


def is_voc(tree: Tree) -> bool:
    """Whether a tree looks like Pascal VOC's."""
    return any(_is_in(name, _OBJECTS) or _is_in(name, _CLASSES) for name in tree.names)


def _is_in(name: str, folder: str) -> bool:
    return folder in PurePosixPath(name).parts[:-1] and name.lower().endswith(".png")


def _check_count(count: int, what: str) -> None:
    if count >= _VOID:
        raise FormatError(f"{count} {what}; Pascal VOC numbers up to 254, so write COCO or a label map")


def _palette() -> UInt8Array:
    """(256, 3) VOC's colours: the bits of the number spread over the high bits of red, green and blue."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return colours


def _label_map(names: Sequence[str], palette: UInt8Array) -> bytes:
    """Names without the colons and line breaks that the format lacks; the XML has them in full."""
    lines = ["# label:color_rgb:parts:actions"]
    for name, (red, green, blue) in zip(names, palette.tolist(), strict=False):
        lines.append(f"{' '.join(name.replace(':', ' ').split())}:{red},{green},{blue}::")
    return ("\n".join(lines) + "\n").encode(errors="replace")


def _annotation(image: Contents) -> ET.Element:
    height, width = image.image_hw
    path = PurePosixPath(image.image_name)
    root = ET.Element("annotation")
    _add(root, {"folder": str(path.parent) if len(path.parts) > 1 else "", "filename": path.name})
    _add(ET.SubElement(root, "size"), {"width": width, "height": height, "depth": 3})
    _add(root, {"segmented": 1})
    for record in image.records:
        element = ET.SubElement(root, "object")
        _add(element, {"name": name_of(record), "pose": "Unspecified", "truncated": 0, "difficult": 0})
        x, y, w, h = record.rle.box_xywh
        # Counted from 1, both ends inside.
        _add(ET.SubElement(element, "bndbox"), {"xmin": x + 1, "ymin": y + 1, "xmax": x + w, "ymax": y + h})
    return root


def _add(parent: ET.Element, texts: Mapping[str, str | int]) -> None:
    for tag, text in texts.items():
        ET.SubElement(parent, tag).text = str(text)


def _class_names(tree: Tree) -> Sequence[str]:
    for name in tree.names:
        if PurePosixPath(name).name == "labelmap.txt":
            lines = tree.read(name).decode("utf-8", "replace").splitlines()
            return [line.partition(":")[0] for line in lines if line.strip() and not line.startswith("#")]
    return _VOC_CLASSES


def _contents(tree: Tree, file: str, folder: str, classes: Sequence[str]) -> Contents:
    values = decode_png(tree.read(file), ("L", "P"))
    masks = {value: rle for value, rle in masks_by_value(values).items() if value != _VOID}
    name, described = _described(tree, file, folder)
    if folder == _CLASSES:
        labels = {value: _class_name(classes, value) for value in masks}
    else:
        numbers = None if _named(masks, described) else _class_numbers(tree, file, values.shape)
        labels = {
            value: described[value - 1] if numbers is None else _class_name(classes, _most(numbers, rle))
            for value, rle in masks.items()
        }
    records = [
        MaskRecord.of_rle(rle, label=None if labels[value] == UNNAMED else labels[value])
        for value, rle in masks.items()
    ]
    return Contents(tuple(records), (values.shape[0], values.shape[1]), name)


def _described(tree: Tree, file: str, folder: str) -> tuple[str, list[str]]:
    """The image's name and the names of its objects, from the XML where there is one."""
    stem = _below(file, folder)
    xml = str(_sibling(file, folder, "Annotations", ".xml"))
    if xml not in tree.names:
        beside = str(_sibling(file, folder, "JPEGImages", "."))[:-1]
        pictures = [name for name in tree.names if name.startswith(f"{beside}.")]
        return f"{stem}{PurePosixPath(pictures[0]).suffix if pictures else '.jpg'}", []
    root = parse_xml(tree.read(xml))
    names = [element.findtext("name", UNNAMED) for element in root.findall("object")]
    written = root.findtext("filename") or f"{PurePosixPath(stem).name}.jpg"
    return safe_name(str(PurePosixPath(stem).parent / safe_name(written))), names


def _named(masks: Mapping[int, Rle], described: Sequence[str]) -> bool:
    return bool(described) and max(masks, default=0) <= len(described)


def _class_numbers(tree: Tree, file: str, shape: tuple[int, ...]) -> AnyArray:
    numbers = decode_png(tree.read(str(_sibling(file, _OBJECTS, _CLASSES, ".png"))), ("L", "P"))
    if numbers.shape != shape:
        raise FormatError(f"objects have {shape} pixels, classes {numbers.shape}")
    return numbers


def _most(numbers: AnyArray, rle: Rle) -> int:
    """The class of most of the mask's pixels."""
    found = decode_window(rle)
    assert found is not None  # made of pixels
    return int(np.bincount(numbers[found[0].slices][found[1]]).argmax())


def _class_name(classes: Sequence[str], value: int) -> str:
    return classes[value] if value < len(classes) else f"class {value}"


def _below(file: str, folder: str) -> str:
    parts = PurePosixPath(file).with_suffix("").parts
    return "/".join(parts[parts.index(folder) + 1 :])


def _sibling(file: str, folder: str, other: str, suffix: str) -> PurePosixPath:
    path = PurePosixPath(file)
    return PurePosixPath(*(other if part == folder else part for part in path.parts[:-1]), path.stem + suffix)


FORMAT = FolderFormat(
    "voc",
    "Pascal VOC segmentation, a folder",
    ".png",
    Keeps(frozenset({"label"}), overlap=False, empty=False),
    files_of,
    load,
    lambda name: f"JPEGImages/{name}",
)
