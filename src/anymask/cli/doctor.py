"""`anymask doctor`: what is installed, what works, and the fix for what does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from anymask.cli.terminal import say

if TYPE_CHECKING:
    from anymask.cli.checks import Check

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_MARKS = {"ok": "ok  ", "note": "note", "broken": "FAIL"}


@app.command()
def doctor(
    model: Annotated[str, typer.Option(help="The model whose embed and decode are timed.")] = "lite",
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")] = False,
) -> None:
    """Check this installation: versions, CPU, cache, disk, models, proxies, one timed embed and click.

    Exit code 1 if something is broken; each broken thing comes with its fix.
    """
    from anymask.cli.checks import all_checks

    findings = list(all_checks(model))
    healthy = all(check.state != "broken" for check in findings)
    if as_json:
        print(json.dumps({"ok": healthy, "checks": [asdict(check) for check in findings]}, indent=1))
    else:
        _tell(findings, healthy)
    raise typer.Exit(0 if healthy else 1)


def _tell(findings: Sequence[Check], healthy: bool) -> None:
    width = max(len(check.name) for check in findings)
    for check in findings:
        print(f"{_MARKS[check.state]}  {check.name:<{width}}  {check.found}")
        if check.fix:
            print(f"      {'':<{width}}  fix: {check.fix}")
    say("anymask works here." if healthy else "anymask: something is broken; the fixes are above.")
