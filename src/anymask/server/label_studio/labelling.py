"""What a project's labelling configuration says: where the picture is, and what masks may be drawn as."""

from __future__ import annotations

from dataclasses import dataclass

from anymask.core.errors import FormatError
from anymask.formats.parsing import parse_xml

_CONTROLS = {
    "BrushLabels": "brushlabels",
    "Brush": "brush",
    "PolygonLabels": "polygonlabels",
    "Polygon": "polygon",
}
"""Controls that can hold a mask, the better ones first, and the type of their regions."""


@dataclass(frozen=True)
class Labelling:
    """image: name of the picture's tag. field: of a task's data, where its address is. control: name of the
    tag that takes masks. kind: type of its regions. labels: those it offers, maybe none.
    """

    image: str
    field: str
    control: str
    kind: str
    labels: tuple[str, ...]

    @property
    def is_brush(self) -> bool:
        """Whether masks are drawn as pixels, not as outlines."""
        return self.kind.startswith("brush")

    def label(self, wanted: str | None) -> str | None:
        """The label of a region: the wanted one if it is offered, or nothing is; else the first."""
        if not self.kind.endswith("labels"):
            return None
        return wanted if wanted in self.labels or not self.labels else self.labels[0]


def labelling_of(config: str) -> Labelling:
    """Read a project's labelling configuration.

    Raises FormatError if it is no XML, or has no picture, or nothing on it that could hold a mask.
    """
    root = parse_xml(config.encode("utf-8", "replace"))
    images = {tag.get("name", ""): tag.get("value", "") for tag in root.iter("Image")}
    for name, kind in _CONTROLS.items():
        for control in root.iter(name):
            image = control.get("toName", "")
            if image in images and images[image].startswith("$"):
                labels = tuple(label.get("value", "") for label in control.iter("Label"))
                return Labelling(image, images[image][1:], control.get("name", ""), kind, labels)
    raise FormatError(
        "the labelling configuration has no picture with masks; it needs an <Image> and, with its name as "
        "toName, <BrushLabels> or <PolygonLabels>"
    )
