"""`anymask evaluate compare`: two reports of the same data, mask by mask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anymask.cli.evaluate.options import Images, Layout, Quiet
from anymask.cli.terminal import say

if TYPE_CHECKING:
    from anymask.evaluate.compare import Comparison, Difference


def compare(
    first: Annotated[Path, typer.Argument(metavar="A.json", help="A report, as -o wrote it.")],
    second: Annotated[Path, typer.Argument(metavar="B.json", help="Another one of the same data.")],
    a: Annotated[
        str | None, typer.Option("--a", metavar="NAME", help="Which of A's predictors.  [default: the first]")
    ] = None,
    b: Annotated[
        str | None, typer.Option("--b", metavar="NAME", help="Which of B's predictors.  [default: the first]")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page here.")] = None,
    figure: Annotated[
        str | None,
        typer.Option(help="The figure by which the page ranks sources and pictures.  [default: click1]"),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="What the reports were made on, for the page's pictures; may be repeated."),
    ] = None,
    layout: Layout = "auto",
    images: Images = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison on stdout.")] = False,
    quiet: Quiet = False,
) -> None:
    """What B does better or worse than A on the same masks, and how surely.

    Differences are taken mask by mask. The same report twice compares two of its predictors.
    """
    from anymask.evaluate.compare import compare_files
    from anymask.evaluate.datasets import open_samples
    from anymask.evaluate.page.write import save_comparison

    found = compare_files(first, second, a_name=a, b_name=b)
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
    elif not quiet:
        tell(found)
    if html is not None:
        samples = open_samples(data, layout, pictures=images) if data else None
        save_comparison(html, found, samples, figure=figure)
        if not quiet:
            say(f"anymask: wrote {html}")


def tell(found: Comparison) -> None:
    """The differences as tables for people."""
    say(f"A: {found.a.name} on {found.data[0]}")
    say(f"B: {found.b.name} on {found.data[1]}")
    say(f"common: {len(found.pairs)} masks in {found.pictures} pictures of {len(found.by_source)} sources")
    if found.only_a or found.only_b:
        say(f"not common, left out: {found.only_a} masks of A, {found.only_b} of B")
    if found.left_out:
        say(f"figures of one side only, left out: {', '.join(found.left_out)}")
    _table("over sources", found.over_sources)
    _table("over masks", found.over_masks)


def _table(title: str, group: Mapping[str, Difference]) -> None:
    from anymask.evaluate.page.figures import headline

    columns = f"{'A':>8}{'B':>8}{'B - A':>9}{'95 % interval':>20}{'won':>7}{'lost':>7}{'equal':>7}"
    say(f"{title:<18}{columns}")
    for name in headline(group):
        one = group[name]
        low, high = one.interval_95
        say(
            f"{name:<18}{one.a:>8.3f}{one.b:>8.3f}{one.difference:>+9.3f}"
            f"{f'{low:+.3f} to {high:+.3f}':>20}{one.wins:>7}{one.losses:>7}{one.equal:>7}"
        )
