"""Prompts written as text: what is understood, and one clear line for everything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.cli.prompts import PromptOptions, parse_box, parse_line, parse_point, parse_prompts
from anymask.core.errors import PromptError

NUMBERS = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "click"),
    [
        ("120,84", (120, 84, 1)),
        ("120,84:1", (120, 84, 1)),
        ("120,84:0", (120, 84, 0)),
        (" 1.5 , 2 : 0 ", (1.5, 2, 0)),
        ("-3,1e2", (-3, 100, 1)),
    ],
)
def test_point(text: str, click: tuple[float, float, int]) -> None:
    assert parse_point(text) == click


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "120",
        "120;84",
        "120,84,3",
        "120,84:2",
        "120,84:",
        "120,84:-1",
        "x,y",
        "nan,1",
        "1,inf",
        "1e999,2",
        "1,2:0:0",
    ],
)
def test_bad_point_names_the_option_and_an_example(text: str) -> None:
    with pytest.raises(PromptError, match=r"--point .*as in --point 120,84") as error:
        parse_point(text)
    assert repr(text) in str(error.value)


@given(NUMBERS, NUMBERS, st.sampled_from([0, 1]))
def test_every_point_reads_back(x: float, y: float, label: int) -> None:
    assert parse_point(f"{x!r},{y!r}:{label}") == (x, y, label)


@given(st.lists(NUMBERS, min_size=4, max_size=4))
def test_every_box_reads_back(box: list[float]) -> None:
    assert list(parse_box(",".join(map(repr, box)))) == box


@given(st.text(max_size=30))
def test_any_text_is_a_prompt_or_a_prompt_error(text: str) -> None:
    for parse in (
        parse_point,
        parse_box,
        lambda t: parse_line(t, option="--polygon", least=3),
        lambda t: parse_line(t, option="--scribble", least=2),
    ):
        try:
            numbers = parse(text)
        except PromptError:
            continue
        else:
            assert len(numbers) >= 2


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "1 2 3 4", "a,b,c,d", "1,2,3,nan"])
def test_bad_box(text: str) -> None:
    with pytest.raises(PromptError, match="left, top, right, bottom"):
        parse_box(text)


def test_line() -> None:
    assert parse_line("1,2  3,4\t5,6", option="--polygon", least=3) == ((1, 2), (3, 4), (5, 6))


@pytest.mark.parametrize(
    ("text", "least"), [("", 2), ("1,2", 2), ("1,2 3,4", 3), ("1,2 3", 2), ("1,2 3,4,5", 2)]
)
def test_bad_line(text: str, least: int) -> None:
    with pytest.raises(PromptError, match=f"--scribble .*at least {least} points"):
        parse_line(text, option="--scribble", least=least)


def test_no_prompt_at_all() -> None:
    with pytest.raises(PromptError, match="no prompt given"):
        parse_prompts()


def test_one_box_goes_with_points_but_several_boxes_stand_alone() -> None:
    assert parse_prompts(points=["1,2"], boxes=["0,0,9,9"]).boxes == ((0, 0, 9, 9),)
    assert len(parse_prompts(boxes=["0,0,9,9", "1,1,5,5"]).boxes) == 2
    with pytest.raises(PromptError, match="2 boxes mean 2 objects"):
        parse_prompts(points=["1,2"], boxes=["0,0,9,9", "1,1,5,5"])


def test_two_masks_are_refused() -> None:
    with pytest.raises(PromptError, match="both give a mask"):
        PromptOptions(mask=Path("m.png"), polygon=((0, 0), (1, 0), (0, 1)))
