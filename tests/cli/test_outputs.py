"""Which file a result goes to: never an input, never another result, never two images into one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.cli.outputs import check_distinct, expand_images, numbered, output_names, plan
from anymask.core.errors import ImageError, InputError


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (["a.jpg"], ["a"]),
        (["a.jpg", "b.jpg"], ["a", "b"]),
        (["a.jpg", "a.png"], ["a_jpg", "a_png"]),
        (["x/a.jpg", "y/a.jpg"], ["a_jpg", "a_jpg-2"]),
        (["a.jpg", "A.JPG"], ["a_jpg", "A_JPG-2"]),
        (["-", "b.png"], ["stdin", "b"]),
        (["a", "a.png"], ["a", "a_png"]),
        (["a.jpg", "a.png", "a_jpg.png"], ["a_jpg", "a_png", "a_jpg-2"]),
        (["my photo é.jpg"], ["my photo é"]),
    ],
)
def test_names(images: list[str], names: list[str]) -> None:
    assert output_names(images) == names


@given(st.lists(st.from_regex(r"\A([xy]/)?[aAb](_jpg|-2)?(\.jpg|\.png)?\Z"), min_size=1, max_size=12))
def test_names_never_collide_even_without_case(images: list[str]) -> None:
    names = output_names(images)
    assert len({name.casefold() for name in names}) == len(images)


def test_globs_are_expanded_in_order(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.jpg", "c.png"):
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    assert expand_images([str(tmp_path / "*.jpg")]) == [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")]


def test_a_file_with_glob_characters_in_its_name_is_itself(tmp_path: Path) -> None:
    (tmp_path / "a[1].jpg").touch()
    (tmp_path / "a1.jpg").touch()
    assert expand_images([str(tmp_path / "a[1].jpg")]) == [str(tmp_path / "a[1].jpg")]


def test_a_pattern_without_match_is_named() -> None:
    with pytest.raises(ImageError, match=r"no file matches '.*\*\.webp'"):
        expand_images(["nowhere/*.webp"])


def test_stdin_only_once() -> None:
    with pytest.raises(InputError, match="more than once"):
        expand_images(["-", "-"])


def test_one_image_one_file(tmp_path: Path) -> None:
    assert plan("-o", str(tmp_path / "m.png"), ["a.jpg"], suffix=".png").paths == (tmp_path / "m.png",)


def test_folder_by_slash_by_existing_and_by_several_images(tmp_path: Path) -> None:
    assert plan("-o", f"{tmp_path}/new/", ["a.jpg"], suffix=".png").paths == (tmp_path / "new" / "a.png",)
    assert plan("-o", str(tmp_path), ["a.jpg"], suffix=".svg").paths == (tmp_path / "a.svg",)
    several = plan("-o", str(tmp_path / "masks"), ["a.jpg", "b.jpg"], suffix=".json").paths
    assert several == (tmp_path / "masks" / "a.json", tmp_path / "masks" / "b.json")


def test_pattern() -> None:
    paths = plan("-o", "out/{name}.mask.png", ["x/a.jpg", "b.jpg"], suffix=".png").paths
    assert paths == (Path("out/a.mask.png"), Path("out/b.mask.png"))


def test_several_images_into_one_file_is_refused() -> None:
    with pytest.raises(InputError, match="one file for 2 images"):
        plan("-o", "m.png", ["a.jpg", "b.jpg"], suffix=".png")


def test_a_result_never_replaces_an_image(tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.touch()
    link = tmp_path / "link.png"
    link.symlink_to(image)
    for out in (image, link, tmp_path / "x" / ".." / "a.png"):
        with pytest.raises(InputError, match="would replace the image"):
            plan("-o", str(out), [str(image)], suffix=".png")
    with pytest.raises(InputError, match="would replace the image"):
        plan("-o", str(tmp_path), [str(image)], suffix=".png")


def test_two_results_never_share_a_file(tmp_path: Path) -> None:
    mask = plan("-o", str(tmp_path / "m.png"), ["a.jpg"], suffix=".png")
    cutout = plan("--cutout", str(tmp_path / "M.png"), ["a.jpg"], suffix=".png")
    with pytest.raises(InputError, match="-o and --cutout"):
        check_distinct([mask, cutout])
    with pytest.raises(InputError, match="-o would write"):
        check_distinct([plan("-o", "{name}/../m.png", ["a.jpg", "b.jpg"], suffix=".png")])


def test_numbered() -> None:
    assert numbered(Path("x/mask.v1.png"), 2) == Path("x/mask.v1-2.png")
