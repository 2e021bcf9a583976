"""`--set NAME=VALUE`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import InputError
from anymask.core.settings import read_settings

DEFAULTS = {"steps": 3, "lr": 0.1, "blend": "ratio", "compile": False, "objects": (1, 6), "seed": None}


@given(
    st.integers(), st.floats(allow_nan=False), st.booleans(), st.lists(st.integers()), st.none() | st.text()
)
def test_json_comes_back(steps: int, lr: float, compile_: bool, objects: list[int], seed: str | None) -> None:
    values = {"steps": steps, "lr": lr, "compile": compile_, "objects": objects, "seed": seed}
    assert (
        read_settings([f"{name}={json.dumps(value)}" for name, value in values.items()], DEFAULTS) == values
    )


def test_words_equal_signs_and_repetition() -> None:
    assert read_settings(["blend=ratio", "seed=a=b", "blend=poisson"], DEFAULTS) == {
        "blend": "poisson",
        "seed": "a=b",
    }
    assert read_settings(["lr=1"], DEFAULTS) == {"lr": 1}


@pytest.mark.parametrize("entry", ["steps", "=3", "", "stops=3"])
def test_what_is_no_setting(entry: str) -> None:
    with pytest.raises(InputError, match="give NAME=VALUE, NAME one of blend, compile"):
        read_settings(["steps=1", entry], DEFAULTS)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("steps=many", "a whole number"),
        ("steps=1.5", "a whole number"),
        ("steps=true", "a whole number"),
        ("lr=[1]", "a number"),
        ("lr=false", "a number"),
        ("blend=3", "a word"),
        ("compile=1", "true or false"),
    ],
)
def test_values_of_another_kind(entry: str, expected: str) -> None:
    with pytest.raises(InputError, match=f"the value must be {expected}"):
        read_settings([entry], DEFAULTS)
