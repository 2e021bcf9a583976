"""What was pointed at in Label Studio's editor, as a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from anymask.core.errors import FormatError
from anymask.core.prompt import Prompt
from anymask.formats.checks import brief, mapping, number

_POINTS = ("keypointlabels", "keypoint")
_BOXES = ("rectanglelabels", "rectangle")


class Pointed(NamedTuple):
    """prompt: in pixels. label: of the last thing that was drawn, or None."""

    prompt: Prompt
    label: str | None


def pointed_at(regions: Sequence[Any], image_hw: tuple[int, int]) -> Pointed | None:
    """The prompt behind the regions of a request's context; None if there is no keypoint or rectangle.

    A keypoint is on the object unless `is_positive` says otherwise; of several rectangles the last counts.
    Raises FormatError for regions that are wrong, PromptError for a prompt that cannot be meant.
    """
    points: list[tuple[float, float, int]] = []
    box: tuple[float, float, float, float] | None = None
    label = None
    for given in regions:
        region = mapping(given, "a region")
        kind = region.get("type")
        if kind in _POINTS:
            x, y = _place(region, ("x", "y"), image_hw)
            points.append((x, y, 1 if _is_positive(region) else 0))
        elif kind in _BOXES:
            x, y, width, height = _place(region, ("x", "y", "width", "height"), image_hw)
            box = (x, y, x + width, y + height)
        else:
            continue
        label = _label(region, str(kind)) or label
    if not points and box is None:
        return None
    return Pointed(Prompt.of(image_hw, points=points or None, box=box), label)


def _place(region: Mapping[str, Any], names: Sequence[str], image_hw: tuple[int, int]) -> list[float]:
    """Percent of the image's width and height, in pixels."""
    value = mapping(region.get("value"), "'value'")
    sides = (*image_hw[::-1], *image_hw[::-1])
    return [
        number(value.get(name), f"'{name}'") * side / 100 for name, side in zip(names, sides, strict=False)
    ]


def _is_positive(region: Mapping[str, Any]) -> bool:
    given = region.get("is_positive")
    if given is None:
        return True
    if given in (True, False, 0, 1):
        return bool(given)
    raise FormatError(f"'is_positive' is {brief(given)}; expected true or false")


def _label(region: Mapping[str, Any], kind: str) -> str | None:
    labels = mapping(region.get("value"), "'value'").get(kind)
    return labels[0] if isinstance(labels, list) and labels and isinstance(labels[0], str) else None
