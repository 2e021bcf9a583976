"""Prompts as text on the command line: `120,84`, `120,84:0`, `40,50,200,180`, `10,10 60,12 64,80`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anymask.core.errors import PromptError

XY = tuple[float, float]
Click = tuple[float, float, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PromptOptions:
    """What the user asked for, for one object, or for one object per box where there are several boxes.

    points: x, y in pixels of the image as it is shown (turned upright), and 1 include or 0 exclude.
    boxes: x0, y0, x1, y1. scribble, polygon: the line's points. mask: an image file of the image's size.
    """

    points: tuple[Click, ...] = ()
    boxes: tuple[Box, ...] = ()
    mask: Path | None = None
    scribble: tuple[XY, ...] = ()
    polygon: tuple[XY, ...] = ()

    def __post_init__(self) -> None:
        others = bool(self.points or self.mask or self.scribble or self.polygon)
        if not (others or self.boxes):
            raise PromptError(
                "no prompt given; say which object with --point X,Y, --box X0,Y0,X1,Y1, "
                "--scribble, --polygon or --mask."
            )
        if self.mask and self.polygon:
            raise PromptError("--mask and --polygon both give a mask; use one of them.")
        if len(self.boxes) > 1 and others:
            raise PromptError(
                f"{len(self.boxes)} boxes mean {len(self.boxes)} objects, so it is unclear which one "
                "the other prompts belong to; give one --box with them, or boxes alone."
            )


def parse_prompts(
    points: Sequence[str] = (),
    boxes: Sequence[str] = (),
    mask: Path | None = None,
    scribble: str | None = None,
    polygon: str | None = None,
) -> PromptOptions:
    """Read the prompt options; raises PromptError naming the option and what it should look like."""
    return PromptOptions(
        points=tuple(parse_point(text) for text in points),
        boxes=tuple(parse_box(text) for text in boxes),
        mask=mask,
        scribble=() if scribble is None else parse_line(scribble, option="--scribble", least=2),
        polygon=() if polygon is None else parse_line(polygon, option="--polygon", least=3),
    )


def parse_point(text: str) -> Click:
    """`X,Y` or `X,Y:1` include, `X,Y:0` exclude."""
    place, colon, label = text.partition(":")
    numbers = _numbers(place)
    if numbers is None or len(numbers) != 2 or (colon and label.strip() not in ("0", "1")):
        raise PromptError(
            f"--point {text!r}: give X,Y, or X,Y:0 for a place to leave out, as in --point 120,84"
        )
    return numbers[0], numbers[1], int(label) if colon else 1


def parse_box(text: str) -> Box:
    """`X0,Y0,X1,Y1`: the upper left and the lower right corner."""
    numbers = _numbers(text)
    if numbers is None or len(numbers) != 4:
        raise PromptError(
            f"--box {text!r}: give X0,Y0,X1,Y1 (left, top, right, bottom), as in --box 40,50,200,180"
        )
    return numbers[0], numbers[1], numbers[2], numbers[3]


def parse_line(text: str, *, option: str, least: int) -> tuple[XY, ...]:
    """`X,Y X,Y ...`, at least `least` points."""
    pairs = [_numbers(pair) for pair in text.split()]
    if len(pairs) < least or any(pair is None or len(pair) != 2 for pair in pairs):
        raise PromptError(
            f'{option} {text!r}: give at least {least} points as "X,Y X,Y ...", '
            f'as in {option} "10,10 60,12 64,80"'
        )
    return tuple((pair[0], pair[1]) for pair in pairs if pair is not None)


def _numbers(text: str) -> list[float] | None:
    """Finite numbers between commas, or None."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    return numbers if all(math.isfinite(number) for number in numbers) else None
