"""Groups of pictures, and the split that never divides one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import InputError
from anymask.finetune.groups import group_key, split

KEY = "site-3/patient7/scan_0012.png"
ABOUT = {"source": "clinic", "video_id": 4, "kind": None}


@pytest.mark.parametrize(
    ("given_group", "expected"),
    [
        ("", KEY),
        ("folder", "site-3/patient7"),
        ("part:0", "site-3"),
        ("part:-2", "patient7"),
        (r"regex:patient(\d+)", "7"),
        (r"regex:patient\d+", "patient7"),
        ("attribute:video_id", "4"),
        ("attribute:source", "clinic"),
    ],
)
def test_group_of_a_picture(given_group: str, expected: str) -> None:
    assert group_key(given_group)(KEY, ABOUT) == expected


@pytest.mark.parametrize(
    ("given_group", "said"),
    [
        ("scene", "'scene' is not known; give folder, part:N"),
        ("part:two", "is not known"),
        ("regex:(", "no regular expression"),
        ("part:9", "has 3 parts"),
        ("regex:frame", "finds nothing in 'site-3"),
        ("attribute:kind", "no such attribute; it has source, video_id"),
    ],
)
def test_a_group_that_cannot_be(given_group: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        group_key(given_group)(KEY, ABOUT)


grouped = st.dictionaries(
    st.text("abcdef", min_size=3, max_size=5), st.sampled_from("uvwxyz"), min_size=6
).filter(lambda groups: len(set(groups.values())) >= 3)
shares = st.floats(0.05, 0.9)


@given(grouped, shares, shares, st.integers(0, 5), st.booleans())
def test_no_group_is_on_two_sides(
    groups: dict[str, str], held_out: float, validation: float, seed: int, hold_out: bool
) -> None:
    found = split(groups, held_out=held_out * hold_out, validation=validation, seed=seed)
    sides = (found.train, found.validation, found.held_out)
    assert sorted(key for side in sides for key in side) == sorted(groups)
    of_side = [{groups[key] for key in side} for side in sides]
    assert of_side[0]
    assert of_side[1]
    assert bool(of_side[2]) == hold_out
    assert len(set.union(*of_side)) == sum(map(len, of_side))
    again = split(
        dict(reversed(groups.items())), held_out=held_out * hold_out, validation=validation, seed=seed
    )
    assert {frozenset(s) for s in (again.train, again.validation, again.held_out)} == set(
        map(frozenset, sides)
    )


@given(grouped, st.integers(2, 12), st.integers(0, 5))
def test_shots_are_what_is_learned_from(groups: dict[str, str], shots: int, seed: int) -> None:
    whole = split(groups, held_out=0.3, validation=0.3, seed=seed)
    few = split(groups, held_out=0.3, validation=0.3, seed=seed, shots=shots)
    assert few.held_out == whole.held_out
    rest = len(groups) - len(whole.held_out)
    assert len(few.train) + len(few.validation) == min(shots, rest)
    assert few.train
    assert few.validation


def test_seeds_differ_and_shares_are_kept() -> None:
    groups = {f"p{i:03d}": f"p{i:03d}" for i in range(100)}
    found = split(groups, held_out=0.3, validation=0.2)
    assert [len(side) for side in (found.train, found.validation, found.held_out)] == [56, 14, 30]
    assert split(groups, held_out=0.3, validation=0.2, seed=1).held_out != found.held_out


@pytest.mark.parametrize(
    ("groups", "held_out", "said"),
    [
        ({"a": "a"}, 0.3, "1 picture: too few to train on one, validate on another and hold out a third"),
        ({"a": "a"}, 0.0, "1 picture: too few to train on one and validate"),
        ({"a": "g", "b": "g", "c": "h"}, 0.3, "3 pictures in 2 groups: too few"),
    ],
)
def test_too_few_pictures(groups: dict[str, Any], held_out: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        split(groups, held_out=held_out, validation=0.2)
