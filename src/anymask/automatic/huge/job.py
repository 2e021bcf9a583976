"""Everything mode on images of any size, in bounded memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anymask._version import __version__
from anymask.automatic.generate import generate_masks
from anymask.automatic.huge.journal import Journal
from anymask.automatic.huge.layout import Layout
from anymask.automatic.huge.masks import HugeRecord, WindowMask, of_record
from anymask.automatic.huge.raster import Raster, open_raster
from anymask.automatic.huge.runs import PlacedMask
from anymask.automatic.huge.seams import Seams
from anymask.automatic.presets import preset_settings
from anymask.automatic.settings import AutomaticSettings
from anymask.automatic.state_file import settings_to_json
from anymask.core.errors import InputError, OutputError
from anymask.core.images import Picture
from anymask.core.locks import alone_in
from anymask.predict.model import Model

DEFAULT_WINDOW = 1024
_LOCK = "windows.lock"
_MARGIN_SHARE = 128  # a mask this near to its window's side (window / 128) counts as cut off there


@dataclass(frozen=True)
class HugeSettings:
    """How a huge image is looked at.

    window: side of the windows, pixels; each is seen at the model's input size. halo: what windows share with
    their neighbours on each side, pixels; None is a quarter of the window, so that what is smaller than half
    a window is complete in one. origin_xy: where a corner of the tiling lies.
    seam_iou: from which IoU, where both are known, masks of two windows are the same thing.
    most_cut: a mask that ends at a window's edge along more than this share of its box's outline goes.

    Raises InputError for values that cannot be meant.
    """

    window: int = DEFAULT_WINDOW
    halo: int | None = None
    origin_xy: tuple[int, int] = (0, 0)
    seam_iou: float = 0.6
    most_cut: float = 0.1

    def __post_init__(self) -> None:
        if not 0.5 < self.seam_iou <= 1:
            raise InputError(f"seam_iou is {self.seam_iou!r}; give a number above 0.5, up to 1")
        if not 0 <= self.most_cut <= 1:
            raise InputError(f"most_cut is {self.most_cut!r}; give a share from 0 to 1")
        self.layout((1, 1))

    def layout(self, image_hw: tuple[int, int]) -> Layout:
        """The windows of an image."""
        halo = self.window // 4 if self.halo is None else self.halo
        return Layout(image_hw, self.window, halo, self.origin_xy)

    def to_json(self) -> dict[str, Any]:
        """All values by name."""
        return {
            "window": self.window,
            "halo": self.halo,
            "origin_xy": list(self.origin_xy),
            "seam_iou": self.seam_iou,
            "most_cut": self.most_cut,
        }


@dataclass(frozen=True, eq=False)
class HugeMasks:
    """All masks of a huge image, read from disk one by one.

    image: name, size and checksum, as `Contents.image_json`. affine: from pixels to map coordinates, or None.
    provenance: model and settings, for all masks. boxes: (N, 4) int64 y0, y1, x0, x1. areas: (N,) int64.
    mask: the pixels alone of the mask with id `number + 1`.
    """

    image: Mapping[str, Any]
    affine: tuple[float, float, float, float, float, float] | None
    provenance: Mapping[str, Any]
    boxes: npt.NDArray[np.int64]
    areas: npt.NDArray[np.int64]
    mask: Callable[[int], PlacedMask] = field(repr=False)
    _record: Callable[[int], HugeRecord] = field(repr=False)

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.image["height"], self.image["width"]

    def __len__(self) -> int:
        return len(self.areas)

    def __getitem__(self, number: int) -> HugeRecord:
        """The mask with id `number + 1`."""
        return self._record(range(len(self))[number])

    def __iter__(self) -> Iterator[HugeRecord]:
        return (self._record(number) for number in range(len(self)))


Track = Callable[[Iterable[int], int], Iterable[int]]


def everything_huge(
    model: Model,
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    preset: str | AutomaticSettings | None = None,
    *,
    how: HugeSettings | None = None,
    afresh: bool = False,
    facts: Mapping[str, Any] | None = None,
    track: Track | None = None,
    **overrides: Any,
) -> HugeMasks:
    """All masks of an image of any size, window by window.

    model: from `anymask.load`. source: an image file, see `raster.open_raster`.
    folder: for what is worked out; it is made where it is missing and can be deleted once the masks are
        written. Called again with the same folder after a crash, the work goes on after the last window that
        was done. afresh: do windows again that were done. facts: what else the masks depend on, JSON values.
    preset, overrides: settings of the windows, as for `everything`; crops are not among them, and
        `points_per_side` counts along a window.
    track: wraps the windows' numbers and their count, for a progress bar.

    Memory does not grow with the image but for a few hundred bytes a mask.
    Raises InputError for settings that do not fit, a folder of another run or one in which another process is
    at work, ImageError if the file cannot
    be read, OutputError if the folder cannot be written (free some space and call again).
    """
    how = how or HugeSettings()
    settings = _settings(model, preset, overrides)
    place = _made(Path(folder))
    with alone_in(place, _LOCK), contextlib.closing(open_raster(Path(source), place)) as raster:
        layout = how.layout(raster.image_hw)
        job = _job(model, raster, Path(source), settings, how, facts or {})
        journal = Journal(place, job, afresh=afresh)
        margin = max(2, how.window // _MARGIN_SHARE)
        todo = range(len(journal), len(layout))
        for number in track(todo, len(layout)) if track else todo:
            journal.add(_masks_of(model, raster, layout, number, settings, margin))
    return _result(job, raster, Seams(journal, layout, margin, how.seam_iou, how.most_cut), settings)


def _settings(
    model: Model, preset: str | AutomaticSettings | None, overrides: Mapping[str, Any]
) -> AutomaticSettings:
    if isinstance(preset, AutomaticSettings):
        settings = replace(preset, **overrides)
    else:
        # A preset's crops are what the windows are for.
        settings = preset_settings(preset, model.spec.automatic, **{"crop_n_layers": 0, **overrides})
    if settings.crop_n_layers > 0:
        raise InputError("windows have no crops; give a smaller window and crop_n_layers=0")
    if settings.points_per_side is None:
        raise InputError("the clicks of a huge image lie on a lattice; give points_per_side, not point_grids")
    return settings


def _job(
    model: Model,
    raster: Raster,
    source: Path,
    settings: AutomaticSettings,
    how: HugeSettings,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """What the masks depend on."""
    height, width = raster.image_hw
    return {
        "anymask": __version__,
        "image": {
            "file_name": source.name,
            "height": height,
            "width": width,
            "sha256": raster.sha256(),
        },
        "model": model.spec.full_name,
        "model_sha256": model.sha256,
        "settings": settings_to_json(settings),
        "windows": how.to_json(),
        **facts,
    }


def _masks_of(
    model: Model, raster: Raster, layout: Layout, number: int, settings: AutomaticSettings, margin: int
) -> list[WindowMask]:
    """Everything mode in one window, clicked in its core."""
    view = layout.view(number)
    assert settings.points_per_side is not None
    clicks = layout.clicks(number, layout.window / settings.points_per_side)
    if not len(clicks):
        return []
    height, width = view.size_hw
    shares = (clicks - [view.x0, view.y0]) / [width, height]
    own = replace(settings, points_per_side=None, point_grids=[np.clip(shares, 0, 1)], min_area=0)
    records = generate_masks(model, Picture(raster.read(view), raster.name), own)
    found = (of_record(record, view, layout.image_hw, margin) for record in records)
    return [mask for mask in found if mask is not None]


def _result(job: Mapping[str, Any], raster: Raster, seams: Seams, settings: AutomaticSettings) -> HugeMasks:
    parts = [part for part in seams.parts() if part.area >= settings.min_area]
    return HugeMasks(
        image=job["image"],
        affine=raster.affine,
        provenance={name: value for name, value in job.items() if name != "image"},
        boxes=np.array([part.box for part in parts], np.int64).reshape(-1, 4),
        areas=np.array([part.area for part in parts], np.int64),
        mask=lambda number: seams.mask(parts[number].pieces),
        _record=lambda number: seams.record(parts[number], number + 1),
    )


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder '{folder}': {error.strerror}; give another") from error
    return folder
