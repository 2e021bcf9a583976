"""The work of `anymask segment`: every image in turn, its results written whole or not at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anymask.cli.mask_files import (
    format_of_file,
    is_text,
    losses_in_words,
    require_file_format,
    suffix_of,
)
from anymask.cli.outputs import (
    STDIN,
    STDOUT,
    Target,
    check_distinct,
    expand_images,
    make_folder,
    numbered,
    plan,
)
from anymask.cli.picture_files import encode_picture, require_alpha, require_picture_format
from anymask.cli.prompts import PromptOptions
from anymask.cli.terminal import one_line, progress, say
from anymask.core.errors import AnymaskError, InputError, OutputError
from anymask.core.files import write_atomically
from anymask.core.images import Picture, load_image
from anymask.core.prompt import Prompt
from anymask.core.record import MaskRecord
from anymask.core.regions import remove_small_regions, remove_specks
from anymask.core.rle import encode as rle_of
from anymask.formats import encode, format_of
from anymask.formats.contents import contents_of
from anymask.formats.json import to_json
from anymask.predict import load as loading
from anymask.predict.provenance import provenance
from anymask.predict.session import first_click

if TYPE_CHECKING:
    from anymask.predict.model import Model

DONE, FAILED = 0, 1
SPECKS = 0.03
"""Share of a mask; docs/cli.md says what it was measured to do."""


@dataclass(frozen=True)
class Outputs:
    """Which files a run writes, and what it tells.

    masks, overlays, cutouts: one file per image each, or None. format: of the masks, None where each file's
    ending says it. to_stdout: the masks of the one image go to stdout. as_json: one JSON object per image.
    """

    images: tuple[str, ...]
    masks: Target | None
    overlays: Target | None
    cutouts: Target | None
    format: str | None
    to_stdout: bool
    as_json: bool
    quiet: bool

    @classmethod
    def plan(
        cls,
        patterns: Sequence[str],
        *,
        output: str | None,
        format: str | None,
        cutout: str | None,
        overlay: str | None,
        as_json: bool,
        quiet: bool,
    ) -> Outputs:
        """Decide every file before any work. Raises InputError for what cannot be meant."""
        images = expand_images(patterns)
        to_stdout = output == STDOUT
        if output is None and not (cutout or overlay or as_json):
            output = f"{{name}}-mask{suffix_of(require_file_format(format or 'png'))}"
        if to_stdout:
            _check_stdout(images, format or "png", as_json)
        suffix = suffix_of(require_file_format(format or "png"))
        masks = None if output is None or to_stdout else plan("-o", output, images, suffix=suffix)
        overlays = None if overlay is None else plan("--overlay", overlay, images, suffix=".jpg")
        cutouts = None if cutout is None else plan("--cutout", cutout, images, suffix=".png")
        check_distinct([target for target in (masks, overlays, cutouts) if target is not None])
        if masks is not None and format is None:
            for path in masks.paths:
                format_of(path)
        for target in (overlays, cutouts):
            for path in target.paths if target else ():
                require_picture_format(path)
        for path in cutouts.paths if cutouts else ():
            require_alpha(path)
        if to_stdout:
            format = format or "png"
        return cls(tuple(images), masks, overlays, cutouts, format, to_stdout, as_json, quiet)


@dataclass(frozen=True)
class SegmentJob:
    """What to look for in every image, and what to keep of it.

    min_region: islands and holes below this many pixels go; 0 leaves masks as they are; None takes those away
    that are together at most `SPECKS` of the mask.
    """

    prompts: PromptOptions
    outputs: Outputs
    label: str | None
    candidates: bool
    min_region: float | None = None

    def run(self, model: str, *, precision: Any, backend: Any, threads: int | None) -> int:
        """Do all images; return the exit code.

        A single image's error is raised. Of several images a bad one is named, the rest is done, and the
        code is 1. After Ctrl-C what is finished stays.
        """
        loaded = loading.load(model, precision=precision, backend=backend, threads=threads)
        total, done, failed = len(self.outputs.images), 0, 0
        no_bar = self.outputs.quiet or (self.outputs.as_json and sys.stdout.isatty())
        numbers = progress(range(total), total=total, label="segment", quiet=no_bar)
        try:
            for number in numbers:
                try:
                    self._one(loaded, number)
                except (AnymaskError, MemoryError) as error:
                    if total == 1:
                        raise
                    self._report_failure(number, error)
                    failed += 1
                done += 1
        except KeyboardInterrupt:
            say(f"{done - failed} of {total} images are done")
            raise
        if total > 1 and not self.outputs.quiet:
            say(f"{total - failed} of {total} images done" + (f", {failed} failed" if failed else ""))
        return FAILED if failed else DONE

    def _one(self, model: Model, number: int) -> None:
        picture = _read(self.outputs.images[number])
        records = self._records(model, picture)
        written = self._write(number, picture, records)
        if self.outputs.to_stdout:
            assert self.outputs.format is not None
            sys.stdout.buffer.write(encode(records, self.outputs.format, picture=picture))
            sys.stdout.buffer.flush()
        self._report(number, picture, records, written)

    def _records(self, model: Model, picture: Picture) -> list[MaskRecord]:
        prompts = prompts_for(self.prompts, picture.image_hw)
        embedding = model.embed(picture)
        found = model.predict_many(embedding, prompts, multimask=True if self.candidates else "auto")
        return [
            self._tidy(
                candidate.to_record(
                    label=self.label,
                    point_xy=first_click(prompt),
                    attributes={"candidate": place} if self.candidates else {},
                    provenance=provenance(embedding, prompt),
                )
            )
            for prompt, prediction in zip(prompts, found, strict=True)
            for place, candidate in enumerate(prediction if self.candidates else [prediction.best], 1)
        ]

    def _tidy(self, record: MaskRecord) -> MaskRecord:
        """Without specks: small ones by pixels where that is given, else those that weigh next to nothing."""
        if self.min_region == 0 or record.area == 0:
            return record
        mask = record.mask
        if self.min_region is None:
            tidy = remove_specks(mask, SPECKS)
        else:
            tidy = remove_small_regions(mask, self.min_region)
        if np.array_equal(mask, tidy):
            return record
        rle = rle_of(tidy)
        return replace(record, rle=rle, box_xywh=rle.box_xywh, area=rle.area)

    def _write(self, number: int, picture: Picture, records: list[MaskRecord]) -> dict[str, list[str]]:
        """Work out every file's bytes, then write them. Returns the files by kind."""
        outputs = self.outputs
        groups = [[record] for record in records] if self.candidates else [records]
        files: list[tuple[str, Path, bytes]] = []
        if outputs.masks is not None:
            path = outputs.masks.paths[number]
            format = format_of_file(path, outputs.format)
            parts = groups if format == "png" else [records]
            for place, part in _numbered(path, parts):
                files.append(("masks", place, encode(part, format, picture=picture)))
        for kind, target in (("overlays", outputs.overlays), ("cutouts", outputs.cutouts)):
            if target is not None:
                for place, part in _numbered(target.paths[number], groups):
                    files.append((kind, place, encode_picture(_drawn(kind, picture, part), place)))
        written: dict[str, list[str]] = {}
        for kind, path, data in files:
            make_folder(path.parent)
            write_atomically(path, data)
            written.setdefault(kind, []).append(str(path))
        return written

    def _report(
        self, number: int, picture: Picture, records: list[MaskRecord], written: dict[str, list[str]]
    ) -> None:
        source = self.outputs.images[number]
        if self.outputs.as_json:
            contents = to_json(contents_of(records, picture, None))
            print(json.dumps({"source": source, "outputs": written, **contents}), flush=True)
        if not self.outputs.quiet:
            found = "; ".join(_in_words(record) for record in records)
            files = ", ".join(path for paths in written.values() for path in paths)
            lost = self._lost(number, records, picture)
            say(one_line(f"{source}: {found}" + (f" -> {files}" if files else "") + lost))

    def _lost(self, number: int, records: list[MaskRecord], picture: Picture) -> str:
        outputs = self.outputs
        if outputs.masks is not None:
            format = format_of_file(outputs.masks.paths[number], outputs.format)
        elif outputs.to_stdout:
            format = outputs.format or "png"
        else:
            return ""
        # Candidates in pictures are one file each, so none lies under another.
        groups = [[one] for one in records] if self.candidates and format == "png" else [records]
        told = {losses_in_words(group, format, picture): None for group in groups}
        return "".join(told)

    def _report_failure(self, number: int, error: Exception) -> None:
        source = self.outputs.images[number]
        message = one_line(str(error)) or "not enough memory"
        if self.outputs.as_json:
            print(json.dumps({"source": source, "error": message}), flush=True)
        say(f"anymask: error: {one_line(source)}: {message}")


def prompts_for(options: PromptOptions, image_hw: tuple[int, int]) -> list[Prompt]:
    """The options as prompts for one image: one object, or one per box where there are several boxes.

    Raises PromptError where they do not fit the image.
    """
    if len(options.boxes) > 1:
        return [Prompt.of(image_hw, box=box) for box in options.boxes]
    return [
        Prompt.of(
            image_hw,
            points=options.points or None,
            box=options.boxes[0] if options.boxes else None,
            mask=None if options.mask is None else read_mask(options.mask),
            scribble=options.scribble or None,
            polygon=options.polygon or None,
        )
    ]


def read_mask(path: Path) -> Any:
    """A mask for a prompt, from a mask file (PNG, JSON, COCO) or any image that is bright on the object.

    Returns an (H, W) array of bool. Raises FormatError for a file of several masks, ImageError if it cannot
    be read.
    """
    from anymask.core.errors import FormatError
    from anymask.formats import read

    try:
        records = read(path)
    except FormatError:
        if path.suffix.lower() == ".json":
            raise
    else:
        if len(records) != 1:
            raise FormatError(f"'{path}' holds {len(records)} masks; give a file with one")
        return records[0].mask
    return load_image(path).pixels.max(axis=2) > 127


def _read(image: str) -> Picture:
    if image != STDIN:
        return load_image(image)
    picture = load_image(sys.stdin.buffer.read())
    return Picture(picture.pixels, "stdin")


def _numbered(path: Path, parts: list[list[MaskRecord]]) -> list[tuple[Path, list[MaskRecord]]]:
    """Where several files come from one name, they are numbered from 1."""
    if len(parts) == 1:
        return [(path, parts[0])]
    return [(numbered(path, place), part) for place, part in enumerate(parts, 1)]


def _drawn(kind: str, picture: Picture, records: list[MaskRecord]) -> Any:
    from anymask.core import draw, masks

    all_masks = [record.mask for record in records]
    if kind == "overlays":
        return draw.overlay(picture.pixels, all_masks)
    return draw.cutout(picture.pixels, masks.union(*all_masks))


def _in_words(record: MaskRecord) -> str:
    if record.area == 0:
        return "nothing found there (the mask is empty)"
    score = "" if record.score is None else f", score {record.score:.2f}"
    return f"{record.label or 'mask'} of {record.area:,} pixels{score}"


def _check_stdout(images: Sequence[str], format: str, as_json: bool) -> None:
    if as_json:
        raise InputError("-o - and --json both write to stdout; use one of them.")
    if len(images) > 1:
        raise InputError(f"-o - (stdout) takes one image's result, not that of {len(images)}; give a folder.")
    if not is_text(format) and sys.stdout.isatty():
        raise OutputError("a PNG is not for a terminal; redirect it (> mask.png) or give -o mask.png")
