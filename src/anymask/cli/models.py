"""`anymask models`: which models there are; pull, remove, import, export and describe them."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anymask.cli.terminal import say

if TYPE_CHECKING:
    from anymask.models.folder import ModelFolder
    from anymask.models.registry import ModelState

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="List, pull, remove, import, export and describe models.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A model's name, with or without @version.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models in the package, in the cache and on the web."""
    from anymask.models.registry import Registry

    states = Registry().list_models()
    if as_json:
        _print_json([_state_json(state) for state in states])
    else:
        _print_table(states)


@app.command("pull")
def pull_models(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of published models.")],
    offline: Annotated[bool, typer.Option("--offline", help="Use no network.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch published models, check them and make them ready. An interrupted pull is continued.

    ANYMASK_HOME is where models are kept, ANYMASK_MIRROR a web folder to fetch the files from instead,
    ANYMASK_OFFLINE=1 forbids the network; the usual proxy variables are honoured.
    """
    from anymask.models.pull import pull

    folders = []
    for name in names:
        with _download_bar(name) as progress:
            folder = pull(
                name,
                offline=True if offline else None,
                progress=progress,
                on_wait=lambda name=name: say(f"Another process is at work on {name}; waiting for it."),  # type: ignore[misc]
            )
        say(f"{folder.spec.full_name} is ready in {folder.path}")
        folders.append(folder)
    if as_json:
        _print_json([_folder_json(folder) for folder in folders])


@app.command("remove")
def remove_model(name: Name) -> None:
    """Remove a model, or what an interrupted pull left of it, from the cache."""
    from anymask.models.cache import format_bytes
    from anymask.models.remove import remove

    say(f"Removed {name}: {format_bytes(remove(name))} freed.")


@app.command("import")
def import_file(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .pth, .pt or .safetensors file, or a folder.")
    ],
    name: Annotated[str | None, typer.Option("--name", help="Its name from now on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take a checkpoint of Segment Anything or MobileSAM, or a model folder, into the cache."""
    from anymask.models.importer import import_checkpoint

    folder = import_checkpoint(path, name)
    say(f"{folder.spec.full_name} ({folder.spec.architecture}) is ready in {folder.path}")
    if as_json:
        _print_json(_folder_json(folder))


@app.command("export")
def export_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model's name, or the path of its folder.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the ONNX files.")],
    opset: Annotated[int, typer.Option("--opset", help="ONNX opset.", min=18)] = 18,
) -> None:
    """Write ONNX files (encoder, decoder) with segment_anything's own input and output names."""
    from anymask.models.registry import resolve

    folder = resolve(name)
    export_onnx = _find_exporter()
    export_onnx(folder, out, opset)
    say(f"{folder.spec.full_name} was exported to {out}")


@app.command("info")
def describe_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model's name, or the path of its folder.")],
    verify: Annotated[bool, typer.Option("--verify", help="Read every byte and check the sums.")] = False,
    as_json: AsJson = False,
) -> None:
    """Describe a model on this machine."""
    from anymask.models.registry import resolve

    folder = resolve(name)
    if verify:
        folder.verify()
    if as_json:
        _print_json(_folder_json(folder) | {"manifest": folder.manifest.to_json()})
    else:
        _print_info(folder, verify)


def _find_exporter() -> Callable[[ModelFolder, Path, int], object]:
    from anymask.core.errors import MissingExtraError

    try:
        from anymask.release import export_onnx
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("torch", "onnx"):
            raise
        message = f"`anymask models export` needs {error.name}: pip install 'anymask[torch]'"
        raise MissingExtraError(message) from error
    exporter: Callable[[ModelFolder, Path, int], object] = export_onnx
    return exporter


@contextlib.contextmanager
def _download_bar(name: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on stderr where that is a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)

        def show(done: int, total: int) -> None:
            # Checking and converting gigabytes takes a while after the last byte has come.
            words = f"{name}: making it ready" if done == total else name
            bar.update(task, completed=done, total=total, description=words)

        yield show


def _print_table(states: list[ModelState]) -> None:
    from anymask.models.cache import format_bytes

    rows = [("name", "version", "network", "size", "state", "licence")]
    for state in states:
        size = format_bytes(state.bytes) if state.bytes else "?"
        rows.append((state.name, state.version, state.architecture, size, state.state, state.licence))
    # No library's table: those cut names where the window is narrow, or is a pipe.
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_info(folder: ModelFolder, verified: bool) -> None:
    from anymask.models.cache import format_bytes

    spec = folder.spec
    lines = {
        "name": spec.full_name,
        "network": spec.architecture,
        "input": f"{spec.input_size} x {spec.input_size} pixels",
        "prompts": ", ".join(spec.prompts),
        "licence": spec.licence,
        "size": format_bytes(folder.bytes),
        "weights": folder.sha256,
        "folder": folder.path,
        "source": _as_words(folder.manifest.source),
        "metrics": _as_words(folder.manifest.metrics),
        "sums": "checked, intact" if verified else "not checked (--verify)",
    }
    for label, value in lines.items():
        typer.echo(f"{label:<8} {value}")


def _as_words(values: Any) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or "not stated"


def _state_json(state: ModelState) -> dict[str, Any]:
    return asdict(state) | {"path": str(state.path) if state.path else None}


def _folder_json(folder: ModelFolder) -> dict[str, Any]:
    return {
        "name": folder.name,
        "version": folder.version,
        "architecture": folder.spec.architecture,
        "bytes": folder.bytes,
        "sha256": folder.sha256,
        "licence": folder.spec.licence,
        "path": str(folder.path),
    }


def _print_json(data: object) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False))
