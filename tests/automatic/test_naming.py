"""Names for masks: the file of names, and the seam for what scores them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from anymask.automatic import generate_masks
from anymask.automatic.naming import LONGEST_NAME, MOST_NAMES, read_names, with_names
from anymask.core.errors import FormatError, InputError
from anymask.core.images import Picture, load_image
from anymask.core.record import MaskRecord
from tests.fake_runtime import fake_model, scene

COLOURS = {"orange": (230, 120, 30), "blue": (30, 60, 220)}


def by_colour(picture: Picture, records: Sequence[MaskRecord], names: Sequence[str]) -> np.ndarray:
    """Minus the distance of a mask's mean colour from the name's."""
    means = np.array([picture.pixels[record.mask].mean(axis=0) for record in records])
    wanted = np.array([COLOURS[name] for name in names])
    return -np.abs(means[:, None] - wanted[None]).max(axis=2)


def test_the_best_name_is_the_label() -> None:
    picture = load_image(scene())
    records = generate_masks(fake_model(), picture, points_per_side=8)
    named = with_names(picture, records, ["blue", "orange"], by_colour)
    bar = [record for record in named if record.mask[50, 120] and not record.mask[45, 55]]
    square = [record for record in named if record.mask[45, 55] and not record.mask[50, 120]]
    assert {record.label for record in bar} == {"blue"}
    assert {record.label for record in square} == {"orange"}
    assert [record.rle for record in named] == [record.rle for record in records]
    assert all(record.attributes["label_score"] <= 0 for record in named)
    assert with_names(picture, records, ["blue"], by_colour, at_least=1) == records
    assert with_names(picture, [], ["blue"], lambda *_: np.zeros((0, 1))) == []


def test_a_scorer_that_gives_something_else_is_refused() -> None:
    picture = load_image(scene())
    records = [MaskRecord.of_mask(scene()[..., 0] > 200)]
    for wrong in (np.zeros((1, 3)), np.full((1, 2), np.nan), np.zeros(2)):
        with pytest.raises(InputError, match="a row per mask"):
            with_names(picture, records, ["a", "b"], lambda *_, wrong=wrong: wrong)
    with pytest.raises(InputError, match="no names"):
        with_names(picture, records, [], by_colour)


def test_files_of_names(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("\ufeffcat\r\n# animals\n\n  big dog  \nKüche\n", encoding="utf-8")
    assert read_names(path) == ("cat", "big dog", "Küche")


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"", "holds 0 names; give 1 to"),
        (b"# nothing\n", "holds 0 names"),
        (b"cat\ndog\ncat\n", "line 3: 'cat' stands in line 1 too"),
        (b"cat\n\xff\n", "no text in UTF-8"),
        (b"a\x07b\n", "line 1: a name has up to"),
        (b"x" * (LONGEST_NAME + 1), "line 1: a name has up to"),
        ("\n".join(map(str, range(MOST_NAMES + 1))).encode(), f"holds {MOST_NAMES + 1} names"),
    ],
)
def test_bad_files_of_names(tmp_path: Path, data: bytes, hint: str) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=hint) as caught:
        read_names(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(FormatError, match="cannot read"):
        read_names(tmp_path / "nowhere.txt")
