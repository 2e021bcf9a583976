"""Which formats there are, and which one a file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anymask.core.errors import FormatError
from anymask.formats import (
    coco,
    csv,
    cvat,
    geojson,
    json,
    label_studio,
    labelme,
    panoptic,
    png,
    sa1b,
    svg,
    voc,
    yolo,
)  # fmt: skip
from anymask.formats.coco_tables import has_tables
from anymask.formats.kinds import FolderFormat, ImageFormat, SetFormat
from anymask.formats.parsing import parse_json
from anymask.formats.trees import Tree

AnyFormat = ImageFormat | SetFormat | FolderFormat

ALL: dict[str, AnyFormat] = {
    format.name: format
    for format in (
        json.FORMAT,
        coco.FORMAT,
        coco.POLYGONS,
        panoptic.FORMAT,
        sa1b.FORMAT,
        yolo.FORMAT,
        voc.FORMAT,
        labelme.FORMAT,
        cvat.FORMAT,
        label_studio.FORMAT,
        png.FORMAT,
        png.LABEL_MAP,
        png.PALETTE,
        geojson.FORMAT,
        svg.FORMAT,
        csv.FORMAT,
    )
}
ENDINGS = {
    ".coco.json": "coco",
    ".json": "json",
    ".geojson": "geojson",
    ".xml": "cvat",
    ".svg": "svg",
    ".csv": "csv",
    ".png": "png",
}
"""Endings of file names and what they stand for where nothing else says it; longer ones first."""


def known(name: str) -> AnyFormat:
    """The format of this name. Raises FormatError if there is none."""
    if name not in ALL:
        raise FormatError(f"format '{name}' is not known; known are {', '.join(ALL)}")
    return ALL[name]


def by_ending(path: Path) -> AnyFormat:
    """The format that a file name's ending stands for. Raises FormatError if there is none."""
    name = path.name.lower()
    for ending, format_name in ENDINGS.items():
        if name.endswith(ending):
            return ALL[format_name]
    raise FormatError(f"'{path.name}' has no ending that names a format; known are {', '.join(ENDINGS)}")


def of_file(path: Path, data: bytes) -> AnyFormat:
    """The format of a file, from its ending and, for JSON, its content."""
    found = by_ending(path)
    return ALL[_kind_of_json(parse_json(data))] if found.name == "json" else found


def of_tree(tree: Tree) -> AnyFormat:
    """The format of a folder or archive, from the names and the first file that may hold masks.

    Raises FormatError if nothing in it looks like masks.
    """
    for recognise, name in ((yolo.is_yolo, "yolo"), (voc.is_voc, "voc")):
        if recognise(tree):
            return ALL[name]
    for ending in ENDINGS:
        for file in tree.names:
            if file.lower().endswith(ending):
                return of_file(Path(file), tree.read(file) if ending == ".json" else b"")
    raise FormatError("nothing in it is a file of masks; say which format it is")


def files_in(tree: Tree, format: ImageFormat | SetFormat) -> list[tuple[str, bytes]]:
    """The files of a tree that are of this format: by their ending, and JSON by its content.

    Raises FormatError if there is none.
    """
    ending = "." + format.suffix.rpartition(".")[2]
    files = [(name, tree.read(name)) for name in tree.names if name.lower().endswith(ending)]
    if ending == ".json":
        files = [(name, data) for name, data in files if _same(_kind_of_json(parse_json(data)), format.name)]
    if not files:
        raise FormatError(f"no file in it is {format.name} ({format.title})")
    return files


def _kind_of_json(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(task, dict) and "data" in task for task in value):
        return "label-studio"
    if not isinstance(value, dict):
        return "json"
    if has_tables(value):
        return "panoptic" if panoptic.is_panoptic(value) else "coco"
    if isinstance(value.get("shapes"), list):
        return "labelme"
    if value.get("type") == "FeatureCollection":
        return "geojson"
    if isinstance(value.get("annotations"), list) and "image" in value and "format" not in value:
        return "sa1b"
    return "json"


def _same(kind: str, name: str) -> bool:
    return kind == name or (kind, name) == ("coco", "coco-polygons")
