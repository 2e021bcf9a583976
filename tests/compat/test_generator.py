"""`SamAutomaticMaskGenerator` gives the published one's dictionaries on the same weights."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from anymask.compat import SamAutomaticMaskGenerator
from anymask.core.errors import ImageError, InputError
from tests.automatic.sam_runtime import photo
from tests.automatic.test_generate import FILTERS
from tests.compat.conftest import Twins
from tests.fake_runtime import fake_model


@pytest.mark.parametrize("output_mode", ["binary_mask", "uncompressed_rle", "coco_rle"])
def test_dictionaries(output_mode: str, spot_twins: Twins, segment_anything: ModuleType) -> None:
    settings = FILTERS | {"output_mode": output_mode, "points_per_side": 6}
    theirs = segment_anything.SamAutomaticMaskGenerator(spot_twins[0], **settings).generate(photo())
    ours = SamAutomaticMaskGenerator(spot_twins[1], **settings).generate(photo())
    assert len(ours) == len(theirs) >= 3
    for mine, published in zip(ours, theirs, strict=True):
        assert list(mine) == list(published)
        assert {key: kind(value) for key, value in mine.items()} == {
            key: kind(value) for key, value in published.items()
        }
        np.testing.assert_equal(mine.pop("segmentation"), published.pop("segmentation"))
        for key, value in mine.items():
            assert np.allclose(value, published[key], rtol=0, atol=1e-5), key


def kind(value: Any) -> Any:
    """Types all the way down."""
    if isinstance(value, dict):
        return {key: kind(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [kind(inner) for inner in value[:4]]
    return (type(value), value.dtype) if isinstance(value, np.ndarray) else type(value)


def test_the_predictor_is_there_and_settings_are_kept() -> None:
    generator = SamAutomaticMaskGenerator(fake_model(), 4, 8, min_mask_region_area=100)
    assert generator.predictor.transform.target_length == 256
    assert generator.settings.points_per_side == 4
    assert generator.settings.min_mask_region_area == 100


def test_what_cannot_be_meant_is_refused(spot_twins: Twins, segment_anything: ModuleType) -> None:
    for wrong, words in (
        ({"output_mode": "png"}, "output_mode is 'png'; give one of binary_mask, uncompressed_rle, coco_rle"),
        ({"points_per_side": None}, "exactly one"),
        ({"points_per_side": 4, "point_grids": [np.zeros((1, 2))]}, "exactly one"),
    ):
        with pytest.raises(AssertionError):
            segment_anything.SamAutomaticMaskGenerator(spot_twins[0], **wrong)
        with pytest.raises(InputError, match=words):
            SamAutomaticMaskGenerator(spot_twins[1], **wrong)
    with pytest.raises(ImageError, match=r"give uint8 \(height, width, 3\)"):
        SamAutomaticMaskGenerator(spot_twins[1]).generate(np.zeros((5, 5)))
