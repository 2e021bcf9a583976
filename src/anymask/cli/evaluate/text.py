"""`anymask evaluate text`: how well an encoder knows what masks show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anymask.cli.evaluate.job import carry_out, finish, percent
from anymask.cli.evaluate.options import (
    AsJson,
    Data,
    Every,
    Fresh,
    Images,
    Layout,
    OnError,
    Precision,
    Quiet,
)
from anymask.cli.terminal import say

if TYPE_CHECKING:
    from anymask.evaluate.report import Report


def text(
    data: Data,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="A CLIP's name or folder, or words; may be repeated. As anymask find unless given."
        ),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Look for the labels among all masks of this model, too: slow."),
    ] = None,
    per_label: Annotated[
        int, typer.Option(min=1, help="True masks of one label in a picture at most, the largest.")
    ] = 4,
    layout: Layout = "auto",
    images: Images = None,
    every: Every = 1,
    precision: Precision = "fast",
    on_error: OnError = "skip",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Write the report (JSON) here, and each mask's vector beside it."),
    ] = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Words for masks: top-1 and mean average precision on labelled data; with --search false positives.

    Labels that the encoder was fitted on and others are told apart, where it says so. With -o a run that was
    stopped goes on where it was.
    """
    from anymask.evaluate.datasets import open_samples
    from anymask.evaluate.run import PictureRun
    from anymask.evaluate.samples import Problems
    from anymask.evaluate.text import EncoderPredictor, evaluate_sample, summarise
    from anymask.predict.load import load
    from anymask.text import encoder_of

    source = open_samples(data, layout, pictures=images)
    names: list[str | None] = [*encoder] if encoder else [None]
    opened = [EncoderPredictor(encoder_of(name, precision=precision)) for name in names]
    encoders = {one.sha256: one.encoder for one in opened}
    model = None if search is None else load(search, precision=precision)
    with PictureRun(
        "text",
        source,
        opened,
        settings={
            "search": None if model is None else model.spec.full_name,
            "per_label": per_label,
            "precision": precision,
        },
        every=every,
        problems=Problems(on_error),
        out=out,
        fresh=fresh,
    ) as run:
        carry_out(
            run,
            lambda _, one, sample: evaluate_sample(encoders[one.sha256], sample, model, per_label=per_label),
            quiet=quiet,
        )
        # The figures need the encoder again: its lines hold vectors, not scores.
        order = iter(opened)
        report = run.report(lambda lines: summarise(next(order).encoder, lines))
    finish(report, out, tell, nothing="no mask with a label", as_json=as_json, quiet=quiet)


def tell(report: Report) -> None:
    """The figures of every encoder for people."""
    for name, summary in report.summary.items():
        say(f"{name}: {summary['masks']} masks of {summary['labels']} labels, {summary['pictures']} pictures")
        say(f"{'':10}{'labels':>8}{'top-1':>8}{'mAP':>8}{'recall':>8}{'false +':>8}")
        for group in ("all", "seen", "unseen"):
            figures = summary.get(group)
            if figures and figures["masks"]:
                shares = [figures.get(k) for k in ("top_1", "mean_ap", "recall", "false_positive_rate")]
                row = "".join(f"{percent(share):>8}" for share in shares)
                say(f"{group:10}{figures['labels']:>8}{row}")
