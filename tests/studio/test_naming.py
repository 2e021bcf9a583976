"""Names in files lead to the images that are meant, and to no other."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from anymask.studio.exchange.naming import Finder, export_names


@dataclass(frozen=True)
class Named:
    path: str
    name: str


IMAGES = [
    Named("a/dog.jpg", "dog.jpg"),
    Named("b/dog.jpg", "dog.jpg"),
    Named("b/cat.png", "cat.png"),
    Named(".anymask/uploads/0123.jpg", "Holiday Photo.jpg"),
    Named("c/Upper.JPG", "Upper.JPG"),
]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/dog.jpg", "a/dog.jpg"),
        ("b\\dog.jpg", "b/dog.jpg"),
        ("cat.png", "b/cat.png"),
        ("elsewhere/cat.png", "b/cat.png"),
        ("cat.tif", "b/cat.png"),
        ("cat", "b/cat.png"),
        ("Holiday Photo.jpg", ".anymask/uploads/0123.jpg"),
        ("upper.jpg", "c/Upper.JPG"),
        ("/data/upload/3/1a2b3c4d-cat.png", "b/cat.png"),
        ("http://host:8080/data/local-files/?d=a/dog.jpg", "a/dog.jpg"),
        ("s3://bucket/b/cat.png", "b/cat.png"),
        ("http://host/upload/Holiday%20Photo.jpg", ".anymask/uploads/0123.jpg"),
    ],
)
def test_found(name: str, path: str) -> None:
    found = Finder(IMAGES).find(name)
    assert found is not None
    assert found.path == path


@pytest.mark.parametrize("name", ["dog.jpg", "dog", "", "nothing.jpg", "../../etc/passwd", "http://[bad"])
def test_not_found_or_not_sure(name: str) -> None:
    assert Finder(IMAGES).find(name) is None


def test_exported_names_are_short_unless_two_are_the_same() -> None:
    names = export_names(IMAGES)
    assert names["a/dog.jpg"] == "a/dog.jpg"
    assert names["b/dog.jpg"] == "b/dog.jpg"
    assert names["b/cat.png"] == "cat.png"
    assert names[".anymask/uploads/0123.jpg"] == "Holiday Photo.jpg"
    assert len(set(names.values())) == len(IMAGES)
