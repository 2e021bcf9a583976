"""`anymask everything`: all masks of one picture or many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from anymask.cli.crop_layers import CropLayersOption, read_crop_layers
from anymask.core.errors import InputError

if TYPE_CHECKING:
    from anymask.text.naming import Words

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def everything(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGES...", help="Image files, folders of them, patterns, or -.")
    ] = [],  # noqa: B006 (typer copies it)
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="demo, paper, objects, parts or dense.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="OUT", help="A file, a folder, a name with {name}, or - for stdout."
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="json unless OUT says another: coco, sa1b, labelmap, svg, ..."),
    ] = None,
    overlay: Annotated[
        str | None, typer.Option(metavar="FILE", help="The masks drawn on the picture.")
    ] = None,
    label_map: Annotated[
        str | None, typer.Option(metavar="FILE", help="A PNG of ids: every pixel has one owner.")
    ] = None,
    gaps: Annotated[
        Literal["leave", "fill"], typer.Option(help="Pixels in no mask, in the label map.")
    ] = "leave",
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Name the masks: a file of names, one a line.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --labels: who knows words; see anymask find.")
    ] = None,
    label_threshold: Annotated[
        float | None,
        typer.Option(help="With --labels: least score of a name; the encoder's own if not given."),
    ] = None,
    tree: Annotated[bool, typer.Option("--tree", help="Ids, and the parent of masks inside masks.")] = False,
    save_state: Annotated[
        str | None, typer.Option(metavar="FILE", help="Keep all that was decoded, for --refilter.")
    ] = None,
    refilter: Annotated[
        str | None, typer.Option(metavar="STATE", help="Filter a saved state; nothing is decoded.")
    ] = None,
    points_per_side: Annotated[int | None, typer.Option(help="Side of the grid of clicks.")] = None,
    points_per_batch: Annotated[int | None, typer.Option(help="Clicks decoded at once.")] = None,
    sampling: Annotated[
        Literal["full", "coarse-to-fine"] | None,
        typer.Option(help="coarse-to-fine leaves out points that good masks explain: faster."),
    ] = None,
    max_memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The process takes no more, for example 500MB.")
    ] = None,
    pred_iou_thresh: Annotated[float | None, typer.Option(help="Least score of a mask.")] = None,
    stability_score_thresh: Annotated[float | None, typer.Option(help="Least stability of a mask.")] = None,
    stability_score_offset: Annotated[float | None, typer.Option(help="Offset of that measure.")] = None,
    box_nms_thresh: Annotated[float | None, typer.Option(help="Most IoU of boxes.")] = None,
    crop_n_layers: CropLayersOption = None,
    crop_nms_thresh: Annotated[float | None, typer.Option(help="Most IoU of boxes between crops.")] = None,
    crop_overlap_ratio: Annotated[float | None, typer.Option(help="Overlap of crops.")] = None,
    crop_n_points_downscale_factor: Annotated[
        int | None, typer.Option(help="Divisor of the grid's side per layer.")
    ] = None,
    min_mask_region_area: Annotated[
        float | None, typer.Option(help="Smaller specks and holes go (pixels).")
    ] = None,
    tidy_share: Annotated[
        float | None, typer.Option(help="Specks and holes up to this share of their mask go.")
    ] = None,
    min_area: Annotated[float | None, typer.Option(help="Smaller masks go (pixels).")] = None,
    max_area_share: Annotated[
        float | None, typer.Option(help="Larger masks go (share of the image).")
    ] = None,
    mask_nms_thresh: Annotated[float | None, typer.Option(help="Most IoU of masks.")] = None,
    nested: Annotated[
        Literal["keep", "whole", "part"] | None, typer.Option(help="Masks inside masks.")
    ] = None,
    containment_thresh: Annotated[
        float | None, typer.Option(help="Share from which a mask counts as covered.")
    ] = None,
    huge: Annotated[
        bool, typer.Option("--huge", help="Window by window; above 200 million pixels also without it.")
    ] = False,
    window: Annotated[
        int | None, typer.Option(help="With --huge: side of the windows (pixels); 1024 unless given.")
    ] = None,
    halo: Annotated[
        int | None,
        typer.Option(help="With --huge: what windows share at each side; a quarter unless given."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="A model's name or folder; lite unless given.")
    ] = None,
    precision: Annotated[Literal["fast", "exact"], typer.Option(help="exact: float32 throughout.")] = "fast",
    backend: Annotated[
        Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="What computes.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless given.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Do images again whose results are complete.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per image on stdout: files and records.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    amg_input: Annotated[list[str], typer.Option("--input", hidden=True)] = [],  # noqa: B006
    convert_to_rle: Annotated[bool, typer.Option("--convert-to-rle", hidden=True)] = False,
    model_type: Annotated[str | None, typer.Option(hidden=True)] = None,
    checkpoint: Annotated[str | None, typer.Option(hidden=True)] = None,
    device: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Find all masks. Without -o, --overlay, --label-map, --save-state or --json they go to NAME-masks.json.

    Thresholds not given are the preset's, or without a preset the published generator's defaults. A folder
    is a job: run it again and what is complete is skipped. A broken image is named and skipped (exit code 1).
    The flags of Segment Anything's amg.py are understood.
    """
    from anymask.automatic.memory import bytes_of

    given = {
        "points_per_side": points_per_side,
        "points_per_batch": points_per_batch,
        "sampling": sampling,
        "max_memory": None if max_memory is None else bytes_of(max_memory),
        "pred_iou_thresh": pred_iou_thresh,
        "stability_score_thresh": stability_score_thresh,
        "stability_score_offset": stability_score_offset,
        "box_nms_thresh": box_nms_thresh,
        "crop_n_layers": read_crop_layers(crop_n_layers),
        "crop_nms_thresh": crop_nms_thresh,
        "crop_overlap_ratio": crop_overlap_ratio,
        "crop_n_points_downscale_factor": crop_n_points_downscale_factor,
        "min_mask_region_area": min_mask_region_area,
        "tidy_share": tidy_share,
        "min_area": min_area,
        "max_area_share": max_area_share,
        "mask_nms_thresh": mask_nms_thresh,
        "nested": nested,
        "containment_thresh": containment_thresh,
    }
    from anymask.cli.everything_huge import HugeJob, is_huge
    from anymask.cli.everything_job import EverythingJob, amg_model
    from anymask.cli.everything_job import refilter as filter_again
    from anymask.cli.everything_results import Results

    words = _words(labels, encoder, label_threshold, precision, threads)
    settings = {name: value for name, value in given.items() if value is not None}
    sources = [*images, *amg_input]
    if refilter is not None and len(sources) > 1:
        raise InputError(f"--refilter is about one image, {len(sources)} are given; give at most one")
    if huge or (refilter is None and is_huge(sources)):
        whole = {"--overlay": overlay, "--save-state": save_state, "--refilter": refilter, "--json": as_json}
        whole["--labels"] = labels is not None
        work = HugeJob.plan(
            sources,
            output=output,
            format=format,
            label_map=label_map,
            others={**whole, "--tree": tree, "--gaps fill": gaps == "fill"},
            window=window,
            halo=halo,
            preset=preset,
            overrides=settings,
            overwrite=overwrite,
            quiet=quiet,
        )
        chosen = amg_model(model, model_type=model_type, checkpoint=checkpoint, device=device)
        work.run(chosen, precision=precision, backend=backend, threads=threads)
        return
    if window is not None or halo is not None:
        raise InputError("--window and --halo are for huge images; give --huge as well")
    results = Results.plan(
        sources or ([] if refilter is None else [refilter]),
        output=output,
        format="json" if convert_to_rle and format is None else format,
        overlay=overlay,
        label_map=label_map,
        save_state=save_state,
        as_json=as_json,
        quiet=quiet,
        tree=tree,
        gaps=gaps,
    )
    if refilter is not None:
        filter_again(refilter, sources[0] if sources else None, preset, settings, results, words)
        return
    job = EverythingJob(preset, settings, results, overwrite, words)
    chosen = amg_model(model, model_type=model_type, checkpoint=checkpoint, device=device)
    raise typer.Exit(job.run(chosen, precision=precision, backend=backend, threads=threads))


def _words(
    labels: Path | None, encoder: str | None, threshold: float | None, precision: str, threads: int | None
) -> Words | None:
    if labels is None:
        if encoder is not None or threshold is not None:
            raise InputError("--encoder and --label-threshold are about names; give --labels FILE as well")
        return None
    from anymask.automatic.naming import read_names
    from anymask.text import encoder_of
    from anymask.text.naming import Words

    names = read_names(labels)
    return Words(names, encoder_of(encoder, precision=precision, threads=threads), threshold)
