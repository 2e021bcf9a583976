"""Words for people go to stderr; stdout is for data."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def one_line(text: str) -> str:
    """`text` on one line, control characters made visible: file names may hold anything."""
    joined = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in joined)


def say(text: str) -> None:
    """Print a line for people. Characters that the terminal cannot show are escaped, never an error."""
    stream = sys.stderr
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def progress(items: Iterable[T], *, total: int, label: str, quiet: bool) -> Iterator[T]:
    """Iterate with a progress bar, where stderr is a terminal and there is more than one item."""
    if quiet or total < 2 or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress

    # Rich would otherwise send what is printed to stdout, the data, to the terminal above the bar.
    with Progress(console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        yield from bar.track(items, total=total, description=label)
