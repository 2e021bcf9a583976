"""Reading a page back as a browser would."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "col"}


@dataclass
class Element:
    """An element of a page. text: its own text and that of everything in it."""

    name: str
    attributes: dict[str, str | None]
    text: str = ""
    inside: list[Element] = field(default_factory=list)

    def all(self, name: str) -> list[Element]:
        """Every element of this name in it, in the order of the page."""
        found = [self] if self.name == name else []
        return found + [e for child in self.inside for e in child.all(name)]

    def every(self) -> list[Element]:
        """It and everything in it."""
        return [self] + [e for child in self.inside for e in child.every()]

    def of_class(self, name: str) -> list[Element]:
        """Every element in it with this class."""
        return [e for e in self.every() if name in (e.attributes.get("class") or "").split()]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of <{tag}> stands twice"
        element = Element(tag, dict(attrs))
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def read(page: str) -> Element:
    """The page as a tree. Fails if elements are not closed in order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert [e.name for e in reader.open] == [""], "elements are left open"
    return reader.root


def section(page: str, title: str) -> Element:
    """The section with this heading."""
    found = [s for s in read(page).all("section") if s.all("h2")[0].text == title]
    assert len(found) == 1, f"{len(found)} sections are called {title}"
    return found[0]
