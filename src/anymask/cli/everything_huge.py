"""The work of `anymask everything --huge`: one image of any size, window by window, resumed after a crash."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anymask.automatic.huge import HugeSettings, everything_huge, write_huge
from anymask.automatic.huge.job import DEFAULT_WINDOW
from anymask.automatic.huge.label_map import check_label_maps
from anymask.automatic.huge.outputs import check_fits, ending_of
from anymask.automatic.huge.sources import size_of
from anymask.automatic.presets import preset_settings
from anymask.cli.outputs import STDIN, STDOUT, check_distinct, make_folder, plan
from anymask.cli.terminal import one_line, progress, say
from anymask.core.errors import InputError
from anymask.core.images import DEFAULT_MAX_PIXELS
from anymask.core.locks import alone_in
from anymask.predict import load as loading
from anymask.predict.model import Model

FORMATS = {"jsonl": ".jsonl", "json": ".json", "coco": ".coco.json", "geojson": ".geojson"}


def is_huge(images: Sequence[str]) -> bool:
    """Whether this is one image file with more pixels than `load_image` takes (200 million)."""
    if len(images) != 1 or images[0] == STDIN or not Path(images[0]).is_file():
        return False
    size = size_of(Path(images[0]))
    return size is not None and size[0] * size[1] > DEFAULT_MAX_PIXELS


@dataclass(frozen=True)
class HugeJob:
    """All masks of one huge image.

    files: what is written. work: the folder of what is done so far, removed in the end. overwrite: forget it.
    """

    image: Path
    files: tuple[Path, ...]
    work: Path
    preset: str | None
    overrides: Mapping[str, Any]
    how: HugeSettings
    overwrite: bool
    quiet: bool

    @classmethod
    def plan(
        cls,
        images: Sequence[str],
        *,
        output: str | None,
        format: str | None,
        label_map: str | None,
        others: Mapping[str, object],
        window: int | None,
        halo: int | None,
        preset: str | None,
        overrides: Mapping[str, Any],
        overwrite: bool,
        quiet: bool,
    ) -> HugeJob:
        """Decide every file before any work.

        others: options that need the whole image in memory, by name, true where one is given.
        Raises InputError for what cannot be meant.
        """
        if len(images) != 1 or images[0] == STDIN or Path(images[0]).is_dir():
            raise InputError("--huge takes one image file; give one, and a run for each of several")
        for option in (name for name, given in others.items() if given):
            raise InputError(f"{option} needs the whole image in memory, --huge does without; leave one out")
        if format is not None and format not in FORMATS:
            raise InputError(f"--format {format!r} is not for huge images; give one of {', '.join(FORMATS)}")
        if output == STDOUT:
            raise InputError("-o - (stdout) cannot be taken up again after a crash; give a file")
        suffix = FORMATS[format or "jsonl"]
        if output is None and label_map is None:
            output = f"{{name}}-masks{suffix}"
        wanted = [("-o", output, suffix), ("--label-map", label_map, ".tif")]
        targets = [plan(option, name, images, suffix=end) for option, name, end in wanted if name is not None]
        check_distinct(targets)
        files = tuple(target.paths[0] for target in targets)
        _check_files(Path(images[0]), files, label_map is not None, FORMATS.get(format or ""))
        if overrides.get("crop_n_layers", 0) != 0:
            raise InputError("--crop-n-layers is not for huge images, windows have no crops; give --window")
        preset_settings(preset, **overrides)
        return cls(
            image=Path(images[0]),
            files=files,
            work=files[0].parent / f".anymask-huge-{files[0].name}",
            preset=preset,
            overrides=overrides,
            how=HugeSettings(DEFAULT_WINDOW if window is None else window, halo),
            overwrite=overwrite,
            quiet=quiet,
        )

    def run(self, model: str, *, precision: Any, backend: Any, threads: int | None) -> None:
        """Do the windows that are not done, write the files, remove the folder of what was done so far.

        Raises OutputError where the disk is full: what is done stays, and the next run goes on from there.
        """
        for path in self.files:
            make_folder(path.parent)
        with alone_in(self.work.parent, f"{self.work.name}.lock"):
            loaded = loading.load(model, precision=precision, backend=backend, threads=threads)
            count = self._write(loaded, {"precision": precision, "backend": backend})
        if not self.quiet:
            files = ", ".join(str(path) for path in self.files)
            say(one_line(f"{self.image}: {count} masks -> {files}"))

    def _write(self, model: Model, facts: Mapping[str, str]) -> int:
        """Returns the number of masks."""
        masks = everything_huge(
            model,
            self.image,
            self.work,
            self.preset,
            how=self.how,
            afresh=self.overwrite,
            facts=facts,
            track=self._track,
            **self.overrides,
        )
        for path in self.files:
            real = Path(os.path.realpath(path))
            if real.parent == Path(os.path.realpath(self.work.parent)):
                # So that what a kill leaves half written lies in the folder that goes.
                write_huge(self.work / path.name, masks).replace(real)
            else:
                write_huge(path, masks)
        shutil.rmtree(self.work, ignore_errors=True)
        return len(masks)

    def _track(self, todo: Iterable[int], total: int) -> Iterable[int]:
        left = list(todo)
        if not self.quiet and len(left) < total:
            say(f"{total - len(left)} of {total} windows were done")
        return progress(left, total=len(left), label="everything", quiet=self.quiet)


def _check_files(image: Path, files: Sequence[Path], has_map: bool, wanted: str | None) -> None:
    """Refuse endings, missing extras and images too large for a format before hours of work."""
    size = size_of(image)
    for number, path in enumerate(files):
        ending, is_map = ending_of(path), has_map and number == len(files) - 1
        if is_map != (ending in (".tif", ".tiff")):
            kind = ".tif" if is_map else wanted or ", ".join(FORMATS.values())
            raise InputError(f"'{path}' does not end in {kind}; give another name")
        if wanted is not None and not is_map and ending != wanted:
            raise InputError(f"'{path}' does not end in {wanted}, which --format says; give another name")
        if is_map:
            check_label_maps()
        elif ending in (".json", ".coco.json") and size is not None:
            check_fits(path, size)
