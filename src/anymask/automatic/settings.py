"""How everything mode looks at an image and what it keeps.

Names and defaults of the published mask generator, then our own, which change nothing by default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from anymask.automatic.points import point_grids
from anymask.automatic.sampling import Sampling
from anymask.core.arrays import Float64Array, sealed
from anymask.core.errors import InputError

Nested = Literal["keep", "whole", "part"]


@dataclass(frozen=True, eq=False)
class AutomaticSettings:
    """Where to click, which masks to keep (arXiv 2304.02643, section 5 and appendix B).

    points_per_side: side of the grid of clicks; None if `point_grids` gives the clicks.
    points_per_batch: clicks decoded at once; memory grows with it.
    sampling: "full" clicks every point; "coarse-to-fine" begins with every fourth row and column and leaves
        out what good masks explain by then (`sampling.CoarseToFine`): faster, and many masks are lost.
    max_memory: bytes that the process may take; fewer clicks are decoded at once. None: no limit.
    pred_iou_thresh: a mask stays if the model's own score is above it; 0 keeps all.
    stability_score_thresh: a mask stays if its stability score reaches it; 0 keeps all.
    stability_score_offset: distance of the two thresholds that the stability score compares, in logits.
    box_nms_thresh: of two masks of one crop whose boxes overlap by a higher IoU, the better one stays.
    crop_n_layers: layer i cuts the image into 4**i overlapping crops and looks at each; 0 is the image alone.
    crop_nms_thresh: as box_nms_thresh, between crops, where the mask of the smaller crop stays.
    crop_overlap_ratio: overlap of the crops of layer 1 as a share of the short side; halved per layer.
    crop_n_points_downscale_factor: the grid's side is divided by this number from layer to layer.
    point_grids: one (N, 2) array per layer, x and y in [0, 1] of the crop, instead of points_per_side.
    min_mask_region_area: holes and islands below this many pixels go; 0 leaves masks as they are.
    tidy_share: holes and islands go that are at most this share of their mask, one by one and together
        (`core.regions.remove_specks`); 0 leaves masks as they are.
    min_area: a mask of fewer pixels goes.
    max_area_share: a mask of a larger share of the image goes (the paper: 0.95); 1 keeps all.
    mask_nms_thresh: of two masks whose own IoU is higher, the one with the better score stays; 1 keeps all.
    nested: "keep" masks inside masks, or only the "whole" (what larger masks cover goes) or only each "part"
        (what smaller masks cover goes).
    containment_thresh: the share of a mask from which it counts as covered.

    Raises InputError, naming the setting, for a value that cannot be meant.
    """

    points_per_side: int | None = 32
    points_per_batch: int = 64
    pred_iou_thresh: float = 0.88
    stability_score_thresh: float = 0.95
    stability_score_offset: float = 1.0
    box_nms_thresh: float = 0.7
    crop_n_layers: int = 0
    crop_nms_thresh: float = 0.7
    crop_overlap_ratio: float = 512 / 1500
    crop_n_points_downscale_factor: int = 1
    point_grids: Sequence[npt.ArrayLike] | None = None
    min_mask_region_area: float = 0
    tidy_share: float = 0
    min_area: float = 0
    max_area_share: float = 1.0
    mask_nms_thresh: float = 1.0
    nested: Nested = "keep"
    containment_thresh: float = 0.9
    sampling: Sampling = "full"
    max_memory: int | None = None

    def __post_init__(self) -> None:
        if (self.points_per_side is None) == (self.point_grids is None):
            raise InputError(
                "points_per_side and point_grids are both given or both None; give exactly one of them"
            )
        if self.points_per_side is not None:
            _check_count("points_per_side", self.points_per_side, 1)
        _check_count("points_per_batch", self.points_per_batch, 1)
        _check_count("crop_n_layers", self.crop_n_layers, 0)
        _check_count("crop_n_points_downscale_factor", self.crop_n_points_downscale_factor, 1)
        for name in ("pred_iou_thresh", "stability_score_thresh", "box_nms_thresh", "crop_nms_thresh"):
            _check_number(name, getattr(self, name))
        for name in ("stability_score_offset", "crop_overlap_ratio", "min_mask_region_area", "min_area"):
            _check_number(name, getattr(self, name), least=0)
        for name in ("max_area_share", "mask_nms_thresh", "containment_thresh"):
            _check_share(name, getattr(self, name))
        _check_number("tidy_share", self.tidy_share)
        if not 0 <= self.tidy_share <= 1:
            raise InputError(f"tidy_share is {self.tidy_share!r}; give a share from 0 to 1")
        if self.nested not in get_args(Nested):
            raise InputError(f"nested is {self.nested!r}; give one of {', '.join(get_args(Nested))}")
        if self.sampling not in get_args(Sampling):
            raise InputError(f"sampling is {self.sampling!r}; give one of {', '.join(get_args(Sampling))}")
        if self.max_memory is not None:
            _check_count("max_memory", self.max_memory, 1)
        self.grids  # noqa: B018 (made here, so that what is wrong with them shows at once)

    @cached_property
    def grids(self) -> tuple[Float64Array, ...]:
        """One (N, 2) float64 array of clicks per layer, x and y in [0, 1] of the crop."""
        layers = self.crop_n_layers + 1
        if self.point_grids is None:
            assert self.points_per_side is not None
            return point_grids(self.points_per_side, self.crop_n_layers, self.crop_n_points_downscale_factor)
        if len(self.point_grids) < layers:
            raise InputError(
                f"point_grids has {len(self.point_grids)} grids for {layers} layers; give one per layer"
            )
        return tuple(_checked_grid(grid) for grid in self.point_grids)


def checked_names(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by name, as they are. Raises InputError for a name that is none."""
    unknown = sorted(settings.keys() - AutomaticSettings.__dataclass_fields__.keys())
    if unknown:
        known = ", ".join(AutomaticSettings.__dataclass_fields__)
        raise InputError(f"unknown setting {', '.join(unknown)}; there are {known}")
    return settings


def _check_count(name: str, value: object, least: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:  # type: ignore[operator]
        raise InputError(f"{name} is {value!r}; give a whole number from {least}")


def _check_number(name: str, value: object, least: float = -math.inf) -> None:
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or value < least:  # type: ignore[arg-type,operator]
        raise InputError(f"{name} is {value!r}; give a number" + (f" from {least}" if least == 0 else ""))


def _check_share(name: str, value: object) -> None:
    _check_number(name, value)
    if not 0 < value <= 1:  # type: ignore[operator]
        raise InputError(f"{name} is {value!r}; give a share above 0, up to 1")


def _checked_grid(grid: npt.ArrayLike) -> Float64Array:
    points = np.array(grid, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise InputError(f"a point grid has shape {points.shape}; give (N, 2) with at least one point")
    if not ((points >= 0) & (points <= 1)).all():
        raise InputError("a point grid has points outside 0..1; give x and y as shares of the crop")
    return sealed(points)
