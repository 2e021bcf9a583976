"""`anymask finetune`: a better model from a user's own masks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from anymask.cli.terminal import say
from anymask.core.errors import MissingExtraError

if TYPE_CHECKING:
    from anymask.finetune.job import Job, Listener
    from anymask.finetune.report import Result

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
NOT_BETTER = 1


@app.command()
def finetune(
    data: Annotated[
        list[Path],
        typer.Argument(help="Pictures with true masks: COCO, labelme, YOLO, folders, tar shards."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Write the model's folder here.")],
    model: Annotated[str, typer.Option(help="Where to start: a model's name or folder.")] = "lite",
    val: Annotated[
        list[Path] | None,
        typer.Option(metavar="DATA", help="Compare on these; else on a part of DATA.  May be repeated."),
    ] = None,
    guard: Annotated[
        list[Path] | None,
        typer.Option(metavar="DATA", help="Show what was forgotten on these.  May be repeated."),
    ] = None,
    guard_pictures: Annotated[int, typer.Option(min=1, help="Look at about so many of them.")] = 200,
    train: Annotated[
        Literal["decoder", "all"], typer.Option(help="The mask decoder alone, or the image encoder, too.")
    ] = "decoder",
    lora: Annotated[
        int, typer.Option(metavar="RANK", help="Low-rank changes of the image encoder; 0 for none.")
    ] = 0,
    group: Annotated[
        str,
        typer.Option(
            help="Keep pictures of one group on one side: folder, part:N, regex:PATTERN, attribute:NAME."
        ),
    ] = "",
    keys: Annotated[
        str, typer.Option(metavar="REGEX", help="Only pictures whose name matches, of DATA and --val.")
    ] = "",
    shots: Annotated[int, typer.Option(metavar="N", help="Train and validate on only N pictures.")] = 0,
    held_out: Annotated[float, typer.Option(help="Share of DATA to compare on, without --val.")] = 0.3,
    validation: Annotated[float, typer.Option(help="Share of the rest that stops the training.")] = 0.2,
    judge: Annotated[
        str, typer.Option(help="What is to become better: some of click1 ... click5, oracle1, box.")
    ] = "click1,click3,click5,box",
    steps: Annotated[int, typer.Option(help="Training steps at most.")] = 200,
    minutes: Annotated[float, typer.Option(help="Minutes of training at most; 0 for no limit.")] = 0.0,
    images: Annotated[int, typer.Option(help="Pictures a step.")] = 4,
    masks: Annotated[int, typer.Option(help="Masks a picture and step.")] = 2,
    views: Annotated[int, typer.Option(help="Views kept of a picture; 0: as suits the model.")] = 0,
    lr: Annotated[float, typer.Option(help="Learning rate; 0: as suits the model.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Of the split, the prompts and the views.")] = 0,
    name: Annotated[str, typer.Option(help="The new model's name.  [default: the folder's]")] = "",
    version: Annotated[str, typer.Option(help="The new model's version.")] = "1",
    layout: Annotated[str, typer.Option(help="How the data lies, if it is not seen by itself.")] = "auto",
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="The pictures, where the data is an annotation file."),
    ] = None,
    precision: Annotated[Literal["fast", "exact"], typer.Option(help="Of the comparison.")] = "fast",
    backend: Annotated[
        Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="What runs it.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.  [default: all cores]")] = None,
    on_error: Annotated[
        Literal["skip", "refuse"], typer.Option(help="What to do about a file that cannot be used.")
    ] = "skip",
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again; do not go on with a run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Fine-tune a model on your own masks, and measure honestly whether it became better.

    The folder holds a model that every command takes, `report.md` with the comparison before and after on
    pictures that were not trained on, and pages of what was won and lost. Exit code 0 only if the new model
    is surely better, 1 if it is not. A run that was stopped goes on with the same command.
    """
    try:
        from anymask.finetune.data import Layout
        from anymask.finetune.job import Job
        from anymask.finetune.job import finetune as carry_out
        from anymask.finetune.settings import Settings
    except ImportError as error:
        raise MissingExtraError(
            f"fine-tuning needs {error.name or 'torch'}; pip install 'anymask[train]'"
        ) from error
    settings = Settings(
        train=train, lora=lora, judge=tuple(word.strip() for word in judge.split(",") if word.strip()),
        held_out=held_out, validation=validation, shots=shots, group=group, keys=keys, steps=steps,
        minutes=minutes, images=images, masks=masks, views=views, lr=lr, seed=seed,
    )  # fmt: skip
    job = Job(
        tuple(data), out, model, tuple(val or ()), tuple(guard or ()), guard_pictures, name, version,
        Layout(layout, pictures), settings, precision, backend, threads, on_error, fresh,
    )  # fmt: skip
    result = carry_out(job, _listener(quiet=quiet))
    if as_json:
        print(json.dumps(result.to_json(), indent=1))
    elif not quiet:
        _tell(job, result)
    if not result.verdict.better:
        raise typer.Exit(NOT_BETTER)


def _listener(*, quiet: bool) -> Listener:
    from anymask.finetune.job import Listener

    return Listener() if quiet else _terminal()


def _terminal() -> Listener:
    import sys
    import time

    from anymask.finetune.job import Listener

    class Terminal(Listener):
        """Lines on stderr; of long parts one that is renewed, where stderr is a terminal."""

        def __init__(self) -> None:
            self._last, self._what = 0.0, ""

        def say(self, line: str) -> None:
            say(f"anymask: {line}")

        def progress(self, what: str, done: int, total: int) -> None:
            now, ready = time.monotonic(), done == total
            if what == self._what and not ready and now - self._last < (0.2 if sys.stderr.isatty() else 30):
                return
            self._last, self._what = now, what
            if sys.stderr.isatty():
                print(
                    f"\ranymask: {what} {done}/{total} ",
                    end="\n" if ready else "",
                    file=sys.stderr,
                    flush=True,
                )
            else:
                say(f"anymask: {what} {done}/{total}")

        def measured(self, values: Mapping[str, Any]) -> None:
            loss = "" if values["loss"] is None else f"loss {values['loss']:.3f}, "
            say(
                f"anymask: step {values['step']}/{values['steps']}, {values['minutes']:.1f} min: {loss}"
                f"validation {values['base']:.3f} -> {values['score']:.3f} (step {values['best_step']})"
            )

    return Terminal()


def _tell(job: Job, result: Result) -> None:
    from anymask.finetune.report import TITLES

    for title, found in (("held out", result.held_out), ("guard", result.guard)):
        if found is None:
            continue
        say(f"{title}, {len(found.pairs)} masks{'before':>14}{'after':>9}{'change':>9}{'95 % interval':>20}")
        for name, one in found.over_masks.items():
            if name in TITLES:
                low, high = one.interval_95
                interval = f"{low:+.3f} to {high:+.3f}"
                say(f"{TITLES[name]:<24}{one.a:>9.3f}{one.b:>9.3f}{one.difference:>+9.3f}{interval:>20}")
    say(f"anymask: {result.verdict.sentence()}")
    say(f"anymask: wrote {job.out}/report.md, {job.out}/comparison.html; the model is {job.out}")
