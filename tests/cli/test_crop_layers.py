"""`--crop-n-layers` as people type it."""

from __future__ import annotations

import pytest

from anymask.cli.crop_layers import read_crop_layers
from anymask.core.errors import InputError


def test_as_people_type_it() -> None:
    assert [read_crop_layers(given) for given in ("auto", "2", None)] == ["auto", 2, None]
    for wrong in ("", "-1", "Auto", "1.5", "²"):
        with pytest.raises(InputError, match="whole number from 0, or auto"):
            read_crop_layers(wrong)
