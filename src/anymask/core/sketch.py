"""A page of rectangles, lines and words, as SVG or as pixels: enough for plots without a plotting package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape

import numpy as np

from anymask.core.arrays import UInt8Array

Colour = tuple[int, int, int]
Anchor = Literal["start", "middle", "end"]

WHITE: Colour = (255, 255, 255)
_FONT = "Helvetica, Arial, sans-serif"
_PIL_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


@dataclass(frozen=True)
class _Rectangle:
    x: float
    y: float
    width: float
    height: float
    colour: Colour


@dataclass(frozen=True)
class _Line:
    x0: float
    y0: float
    x1: float
    y1: float
    colour: Colour


@dataclass(frozen=True)
class _Words:
    x: float
    y: float
    words: str
    size: float
    colour: Colour
    anchor: Anchor


@dataclass
class Sketch:
    """What is drawn, in units of one CSS pixel, x to the right and y down; later shapes lie on top."""

    width: int
    height: int
    _shapes: list[_Rectangle | _Line | _Words] = field(default_factory=list)

    def rectangle(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle with its upper left corner at x, y."""
        self._shapes.append(_Rectangle(x, y, width, height, colour))

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """A line one unit wide."""
        self._shapes.append(_Line(x0, y0, x1, y1, colour))

    def words(
        self, x: float, y: float, words: str, *, size: float, colour: Colour, anchor: Anchor = "start"
    ) -> None:
        """One line of text; x, y is the start, middle or end of its base line."""
        self._shapes.append(_Words(x, y, words, size, colour, anchor))

    def to_svg(self) -> bytes:
        """The page as an SVG file."""
        size = f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}"'
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONT}">',
            f'<rect width="{self.width}" height="{self.height}" fill="{_hex(WHITE)}"/>',
            *map(_svg, self._shapes),
            "</svg>",
        ]
        return ("\n".join(lines) + "\n").encode()

    def to_pixels(self, scale: int = 2) -> UInt8Array:
        """The page as (scale * height, scale * width, 3) uint8 RGB."""
        from PIL import Image, ImageDraw, ImageFont

        image = Image.new("RGB", (self.width * scale, self.height * scale), WHITE)
        draw = ImageDraw.Draw(image)
        for shape in self._shapes:
            if isinstance(shape, _Rectangle):
                x0, y0 = round(shape.x * scale), round(shape.y * scale)
                x1, y1 = round((shape.x + shape.width) * scale), round((shape.y + shape.height) * scale)
                if x1 > x0 and y1 > y0:
                    draw.rectangle((x0, y0, x1 - 1, y1 - 1), fill=shape.colour)
            elif isinstance(shape, _Line):
                ends = (shape.x0 * scale, shape.y0 * scale, shape.x1 * scale, shape.y1 * scale)
                draw.line(ends, fill=shape.colour, width=scale)
            else:
                font = ImageFont.load_default(shape.size * scale)
                place = (shape.x * scale, shape.y * scale)
                draw.text(place, shape.words, fill=shape.colour, font=font, anchor=_PIL_ANCHORS[shape.anchor])
        return np.asarray(image)


def _svg(shape: _Rectangle | _Line | _Words) -> str:
    fill = _hex(shape.colour)
    if isinstance(shape, _Rectangle):
        place = f'x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" height="{shape.height:g}"'
        return f'<rect {place} fill="{fill}"/>'
    if isinstance(shape, _Line):
        ends = f'x1="{shape.x0:g}" y1="{shape.y0:g}" x2="{shape.x1:g}" y2="{shape.y1:g}"'
        return f'<line {ends} stroke="{fill}"/>'
    look = f'font-size="{shape.size:g}" fill="{fill}" text-anchor="{shape.anchor}"'
    return f'<text x="{shape.x:g}" y="{shape.y:g}" {look}>{escape(shape.words)}</text>'


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
