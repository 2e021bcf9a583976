"""Named settings of everything mode; docs/everything.md says what each is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from anymask.automatic.settings import AutomaticSettings, checked_names
from anymask.core.errors import InputError

PRESETS = MappingProxyType(
    {
        # The published example notebook's second generator; what the web demo used was never said.
        "demo": AutomaticSettings(
            pred_iou_thresh=0.86,
            stability_score_thresh=0.92,
            crop_n_layers=1,
            crop_n_points_downscale_factor=2,
            min_mask_region_area=100,
        ),
        # How SA-1B was made (arXiv 2304.02643, appendix B).
        "paper": AutomaticSettings(
            crop_n_layers=2,
            crop_n_points_downscale_factor=2,
            min_mask_region_area=100,
            max_area_share=0.95,
        ),
        "objects": AutomaticSettings(
            pred_iou_thresh=0.8,
            stability_score_thresh=0.9,
            min_mask_region_area=100,
            tidy_share=0.03,
            min_area=100,
            max_area_share=0.8,
            mask_nms_thresh=0.7,
            nested="whole",
        ),
        "parts": AutomaticSettings(
            points_per_side=48,
            pred_iou_thresh=0.8,
            stability_score_thresh=0.9,
            min_mask_region_area=25,
            tidy_share=0.03,
            max_area_share=0.8,
            mask_nms_thresh=0.7,
            nested="part",
        ),
        "dense": AutomaticSettings(
            points_per_side=64,
            pred_iou_thresh=0.7,
            stability_score_thresh=0.85,
            crop_n_layers=1,
            crop_n_points_downscale_factor=2,
            mask_nms_thresh=0.9,
        ),
    }
)
"""Name -> settings, with the thresholds of Segment Anything's networks."""

NO_PRESET = "default"
"""Under this name a model states its thresholds for the published defaults."""

_NONE: Mapping[str, Mapping[str, float]] = MappingProxyType({})


def preset_settings(
    preset: str | None = None, thresholds: Mapping[str, Mapping[str, float]] = _NONE, **overrides: Any
) -> AutomaticSettings:
    """The settings of a preset, single ones replaced by name; without a preset the published defaults.

    thresholds: the model's own, `model.spec.automatic`: they stand in for the preset's, `overrides` for both.

    Raises InputError for an unknown preset or setting, or a value that cannot be meant.
    """
    if preset is not None and preset not in PRESETS:
        raise InputError(f"preset {preset!r} is not known; give one of {', '.join(PRESETS)}")
    settings = AutomaticSettings() if preset is None else PRESETS[preset]
    own = thresholds.get(preset or NO_PRESET, {})
    return replace(settings, **checked_names({**own, **overrides}))
