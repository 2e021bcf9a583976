"""Everything mode: click a grid of points, keep the masks that are good, drop the duplicates.

The procedure of Segment Anything's mask generator (arXiv 2304.02643, section 5 and appendix B). Memory is
bounded by one chunk of clicks: of a mask that passes the filters only its run lengths are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from anymask.automatic.candidates import Candidate, place, stable_mask
from anymask.automatic.crops import Crop, image_crops
from anymask.automatic.settings import AutomaticSettings
from anymask.automatic.suppression import suppress_overlaps
from anymask.automatic.tidy import tidy_masks
from anymask.core.arrays import Float32Array, Float64Array
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import EmbeddingError, InputError
from anymask.core.images import ImageSource, Picture, load_image
from anymask.core.prompt import Prompt
from anymask.core.record import MaskRecord
from anymask.predict.model import AMBIGUITY_MASKS, Model
from anymask.predict.provenance import provenance
from anymask.predict.runtime import INCLUDE, NOT_A_POINT, PromptBatch


def generate_masks(
    model: Model,
    source: ImageSource | Picture | ImageEmbedding,
    settings: AutomaticSettings | None = None,
    **overrides: Any,
) -> list[MaskRecord]:
    """All masks of an image.

    model: from `anymask.load`. source: as for `model.embed`, or an embedding of this model.
    settings: see `AutomaticSettings`; single ones can be given by name instead.

    Returns records in order of suppression: by falling score, with crops those of the smallest crops first.
    A mask without pixels is never among them. Equal to `segment_anything.SamAutomaticMaskGenerator` on the
    same weights up to float rounding.
    Raises InputError for settings that do not fit, ImageError for a source that cannot be read,
    EmbeddingError for another model's embedding.
    """
    settings = _settings(settings, overrides)
    picture, embedding = _look_at(model, source, settings)
    image_hw = embedding.image_hw
    crops = image_crops(image_hw, settings.crop_n_layers, settings.crop_overlap_ratio)
    candidates: list[Candidate] = []
    for crop in crops:
        looked_at = embedding if crop.layer == 0 else model.embed(_cut(picture, crop))
        found = list(_candidates(model, looked_at, crop, image_hw, settings))
        candidates += _best(found, [one.score for one in found], settings.box_nms_thresh)
    if len(crops) > 1:
        sizes = [1 / one.crop.area for one in candidates]
        candidates = _best(candidates, sizes, settings.crop_nms_thresh)
    if settings.min_mask_region_area > 0:
        nms_thresh = max(settings.box_nms_thresh, settings.crop_nms_thresh)
        candidates = tidy_masks(candidates, settings.min_mask_region_area, nms_thresh)
    return [_record(candidate, embedding) for candidate in candidates]


def _settings(settings: AutomaticSettings | None, overrides: dict[str, Any]) -> AutomaticSettings:
    if settings is not None and overrides:
        raise InputError(f"settings and {', '.join(overrides)} are both given; give one AutomaticSettings")
    unknown = sorted(overrides.keys() - AutomaticSettings.__dataclass_fields__.keys())
    if unknown:
        known = ", ".join(AutomaticSettings.__dataclass_fields__)
        raise InputError(f"unknown setting {', '.join(unknown)}; there are {known}")
    return settings or AutomaticSettings(**overrides)


def _look_at(
    model: Model, source: ImageSource | Picture | ImageEmbedding, settings: AutomaticSettings
) -> tuple[Picture | None, ImageEmbedding]:
    """The picture, where there is one, and its embedding."""
    if not isinstance(source, ImageEmbedding):
        picture = load_image(source)
        return picture, model.embed(picture)
    if source.model_sha256 != model.sha256:
        raise EmbeddingError(
            f"the embedding was made by {source.model}, this model is {model.spec.full_name}; "
            "embed the image again with this model"
        )
    if settings.crop_n_layers > 0:
        raise InputError("an embedding has no pixels to crop; give the image, or crop_n_layers=0")
    return None, source


def _cut(picture: Picture | None, crop: Crop) -> Picture:
    assert picture is not None  # there are crops only of pictures
    return Picture(picture.pixels[crop.window.slices], picture.name)


def _candidates(
    model: Model,
    embedding: ImageEmbedding,
    crop: Crop,
    image_hw: tuple[int, int],
    settings: AutomaticSettings,
) -> Iterator[Candidate]:
    """The masks of one crop that pass the filters, in order of the clicks."""
    height, width = embedding.image_hw
    clicks = settings.grids[crop.layer] * np.array([width, height])
    for start in range(0, len(clicks), settings.points_per_batch):
        chunk = clicks[start : start + settings.points_per_batch]
        for logits, score, (x, y) in _decode(model, embedding, chunk, settings.pred_iou_thresh):
            mask = stable_mask(logits, embedding.frame, settings)
            if mask is None:
                continue
            candidate = place(mask, crop, image_hw, score=score, point_xy=(float(x), float(y)))
            if candidate is not None:
                yield candidate


def _decode(
    model: Model, embedding: ImageEmbedding, clicks: Float64Array, pred_iou_thresh: float
) -> Iterator[tuple[Float32Array, float, Float64Array]]:
    """Low-resolution logits, score and click of the masks whose score passes; clicks in the crop's pixels."""
    filtered = pred_iou_thresh > 0
    answer = model.runtime.decode(
        embedding.features,
        _click_batch(embedding.frame.points_to_input(clicks)),
        tokens=AMBIGUITY_MASKS,
        min_score=pred_iou_thresh if filtered else None,
    )
    for masks, number in zip(answer.logits, answer.index, strict=True):
        for logits, score in zip(masks, answer.scores[number], strict=True):
            if not filtered or score > np.float32(pred_iou_thresh):
                yield logits, float(score), clicks[number]


def _click_batch(points_xy: Float32Array) -> PromptBatch:
    """One prompt per click: the click and the token that says there is no box."""
    padded = np.stack([points_xy, np.zeros_like(points_xy)], axis=1)
    return PromptBatch(padded, np.tile(np.array([INCLUDE, NOT_A_POINT], np.int32), (len(padded), 1)))


def _best(candidates: Sequence[Candidate], scores: Sequence[float], iou_threshold: float) -> list[Candidate]:
    boxes = np.array([candidate.box for candidate in candidates], np.float32).reshape(-1, 4)
    return [candidates[i] for i in suppress_overlaps(boxes, scores, iou_threshold)]


def _record(candidate: Candidate, embedding: ImageEmbedding) -> MaskRecord:
    return MaskRecord(
        rle=candidate.rle,
        box_xywh=candidate.rle.box_xywh,
        area=candidate.rle.area,
        score=candidate.score,
        stability=candidate.stability,
        point_xy=candidate.point_xy,
        crop_box=candidate.crop.box_xywh,
        provenance=provenance(embedding, Prompt.click(*candidate.point_xy)),
    )
