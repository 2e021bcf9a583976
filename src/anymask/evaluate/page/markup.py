"""HTML and SVG built from calls, so that text cannot become markup.

Every string is escaped on its way in, unless an earlier call of `tag` made it: a file name such as
`<script>.png` is shown as it is spelt. Characters that cannot be printed (control characters, half surrogates
of broken file names, marks that turn the writing direction) are shown as escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

_VOID = frozenset({"meta", "link", "br", "hr", "img", "col"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9:-]*")


class Markup(str):
    """Text that is markup already. Made by `tag` and `join`; elsewhere only from literals of this package."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element. `class_` is written as class, other underscores in attribute names as hyphens.

    children: Markup as it is, other strings escaped, numbers as text, None left out, iterables flattened.
    attributes: None and False are left out, True is written without a value, anything else as escaped text.
    Raises ValueError if a name could break out of the markup.
    """
    head = _checked(name) + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{head}>")
    return Markup(f"<{head}>{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """The children one after another, escaped as `tag` does."""
    return Markup("".join(_pieces(children)))


def visible(text: str) -> str:
    """`text` with every character that cannot be printed shown as an escape; line breaks become spaces."""
    spaced = re.sub(r"\s", " ", text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in spaced)


def _pieces(children: Iterable[object]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            yield child
        elif isinstance(child, str):
            yield escape(visible(child))
        elif isinstance(child, Iterable):
            yield from _pieces(child)
        else:
            yield escape(str(child))


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = _checked(key.rstrip("_").replace("_", "-"))
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)))}"'


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an element or attribute")
    return name
