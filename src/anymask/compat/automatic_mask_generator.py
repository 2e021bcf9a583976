"""`SamAutomaticMaskGenerator`: all masks of an image as dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from anymask.automatic import AutomaticSettings, generate_masks
from anymask.compat.modeling import Sam, as_sam
from anymask.compat.predictor import SamPredictor
from anymask.compat.prompting import picture_of
from anymask.core.arrays import AnyArray
from anymask.core.errors import InputError
from anymask.core.record import MaskRecord
from anymask.core.rle import runs_of
from anymask.predict.model import Model

_OUTPUT_MODES = ("binary_mask", "uncompressed_rle", "coco_rle")


class SamAutomaticMaskGenerator:
    """Clicks a grid of points on an image and keeps the masks that are good."""

    def __init__(
        self,
        model: Sam | Model,
        points_per_side: int | None = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float = 0.88,
        stability_score_thresh: float = 0.95,
        stability_score_offset: float = 1.0,
        box_nms_thresh: float = 0.7,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        point_grids: Sequence[npt.ArrayLike] | None = None,
        min_mask_region_area: int = 0,
        output_mode: str = "binary_mask",
    ) -> None:
        """model: from `sam_model_registry` or `anymask.load`.
        output_mode: "binary_mask", "uncompressed_rle" or "coco_rle".
        The others: see `anymask.automatic.AutomaticSettings`, which has the same names.

        Raises InputError, naming the argument.
        """
        if output_mode not in _OUTPUT_MODES:
            raise InputError(f"output_mode is {output_mode!r}; give one of {', '.join(_OUTPUT_MODES)}")
        self.settings = AutomaticSettings(
            points_per_side=points_per_side,
            points_per_batch=points_per_batch,
            pred_iou_thresh=pred_iou_thresh,
            stability_score_thresh=stability_score_thresh,
            stability_score_offset=stability_score_offset,
            box_nms_thresh=box_nms_thresh,
            crop_n_layers=crop_n_layers,
            crop_nms_thresh=crop_nms_thresh,
            crop_overlap_ratio=crop_overlap_ratio,
            crop_n_points_downscale_factor=crop_n_points_downscale_factor,
            point_grids=point_grids,
            min_mask_region_area=min_mask_region_area,
        )
        self.predictor = SamPredictor(as_sam(model))
        self.output_mode = output_mode

    def generate(self, image: AnyArray) -> list[dict[str, Any]]:
        """All masks of an image (H, W, 3) uint8, RGB.

        Returns one dictionary per mask: segmentation ((H, W) bool, or RLE by `output_mode`), area (pixels),
        bbox (x, y, width, height, from the first to the last pixel), predicted_iou, point_coords ([[x, y]],
        the click), stability_score, crop_box (x, y, width, height). A mask without pixels is never among
        them. Raises ImageError.
        """
        records = generate_masks(self.predictor.model.model, picture_of(image), self.settings)
        return [_annotation(record, self.output_mode) for record in records]


def _annotation(record: MaskRecord, output_mode: str) -> dict[str, Any]:
    x, y, width, height = record.box_xywh
    assert record.point_xy is not None  # everything mode states both
    assert record.crop_box is not None
    return {
        "segmentation": _segmentation(record, output_mode),
        "area": record.area,
        # The published package counts a box from pixel to pixel, one less than the pixels it holds.
        "bbox": [x, y, width - 1, height - 1],
        "predicted_iou": record.score,
        "point_coords": [list(record.point_xy)],
        "stability_score": record.stability,
        "crop_box": list(record.crop_box),
    }


def _segmentation(record: MaskRecord, output_mode: str) -> Any:
    if output_mode == "binary_mask":
        return record.mask
    if output_mode == "coco_rle":
        return record.rle.to_coco()
    size = record.rle.size_hw
    return {"size": list(size), "counts": runs_of(record.rle.counts, size).tolist()}
