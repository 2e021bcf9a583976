"""Files of masks over HTTP: what is written is read again, and what is wrong is told without a path."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from typing import Any

import httpx
import pytest

import anymask
from anymask.formats import FORMATS, read_images
from anymask.formats.kinds import FolderFormat
from anymask.formats.registry import known
from tests.server.running import running


@pytest.fixture
def masks(client: httpx.Client, image: str) -> dict[str, Any]:
    body = {"points": [[55, 45]], "label": "square"}
    records = client.post(f"/v1/images/{image}/prompt", json=body).json()["candidates"]
    return {"name": "photo.png", "width": 160, "height": 120, "records": records}


def test_formats_are_those_of_python(client: httpx.Client) -> None:
    found = client.get("/v1/formats").json()["formats"]
    assert [one["name"] for one in found] == list(FORMATS)
    assert {one["name"] for one in found if one["is_folder"]} == {
        name for name in FORMATS if isinstance(known(name), FolderFormat)
    }


@pytest.mark.parametrize("format", FORMATS)
def test_what_a_prompt_gives_can_be_exported(
    client: httpx.Client, masks: dict[str, Any], format: str, tmp_path: Any
) -> None:
    answer = client.post("/v1/export", json={"format": format, "images": [masks]})
    assert answer.status_code == 200, answer.text
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment; filename=")
    path = tmp_path / disposition.partition('"')[2].rstrip('"')
    path.write_bytes(answer.content)
    (contents,) = read_images(path, format, pictures=_pictures(tmp_path))
    assert sum(record.area > 0 for record in contents.records) >= 1
    again = client.post("/v1/import", params={"format": format}, files={"file": ("x", answer.content)})
    if format in ("json", "coco", "cvat", "label-studio", "labelme", "panoptic", "sa1b"):
        assert again.status_code == 200, again.text
        areas = [record["area"] for record in again.json()["images"][0]["records"]]
        assert sorted(areas) == sorted(record.area for record in contents.records)


def _pictures(folder: Any) -> Any:
    """Where YOLO finds the sizes of the images."""
    from PIL import Image

    (folder / "pictures").mkdir()
    Image.new("RGB", (160, 120)).save(folder / "pictures" / "photo.png")
    return folder / "pictures"


def test_json_comes_back_as_it_went(client: httpx.Client, masks: dict[str, Any]) -> None:
    file = client.post("/v1/export", json={"format": "json", "images": [masks]})
    again = client.post(
        "/v1/import", content=file.content, headers={"Content-Type": "application/octet-stream"}
    ).json()
    assert again == {"images": [masks], "left_out": []}


def test_a_file_becomes_another_format(client: httpx.Client, masks: dict[str, Any]) -> None:
    file = client.post("/v1/export", json={"format": "json", "images": [masks]}).content
    answer = client.post("/v1/convert", params={"to": "coco"}, files={"file": ("masks.json", file)})
    assert answer.headers["content-type"] == "application/json"
    assert [one["category_id"] for one in answer.json()["annotations"]] == [1, 1, 1]
    assert (
        "provenance"
        in client.post("/v1/convert", params={"to": "png"}, files={"file": ("masks.json", file)}).headers[
            "anymask-not-kept"
        ]
    )


def test_several_images_become_an_archive(client: httpx.Client, masks: dict[str, Any]) -> None:
    body = {"format": "labelme", "images": [masks, {**masks, "name": "other.png"}]}
    answer = client.post("/v1/export", json=body)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert sorted(archive.namelist()) == ["other.json", "photo.json"]
    again = client.post("/v1/import", files={"file": ("a.zip", answer.content)}).json()
    assert [image["name"] for image in again["images"]] == ["other.png", "photo.png"]


WRONG_FILES = {
    "text": b"hello",
    "half JSON": b'{"image": {',
    "deep JSON": b"[" * 50_000,
    "a zip that is none": b"PK\x03\x04" + b"x" * 100,
    "XML that grows": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "cc">]><annotations>&b;</annotations>',
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("data", WRONG_FILES.values(), ids=WRONG_FILES)
@pytest.mark.parametrize("format", [None, "coco", "cvat", "yolo", "png"])
def test_wrong_files_are_told_without_a_path(client: httpx.Client, data: bytes, format: str | None) -> None:
    params = {} if format is None else {"format": format}
    answer = client.post("/v1/import", params=params, files={"file": ("a.json", data)})
    assert answer.status_code == 422, answer.text
    detail = answer.json()["detail"]
    assert tempfile.gettempdir() not in detail
    assert "anymask-" not in detail
    assert "\n" not in detail


@pytest.mark.parametrize(
    "name", ["../x.png", "/etc/passwd", "..\\x.png", "C:\\x.png", "a/../../b.png", "%2e%2e/\x00.png"]
)
def test_names_stay_inside(client: httpx.Client, masks: dict[str, Any], name: str) -> None:
    answer = client.post("/v1/export", json={"format": "labelme", "images": [{**masks, "name": name}]})
    assert answer.status_code == 422
    slip = io.BytesIO()
    with zipfile.ZipFile(slip, "w") as archive:
        archive.writestr(name.replace("\x00", "0") if "%" not in name else "../y.json", json.dumps({}))
    assert client.post("/v1/import", files={"file": ("a.zip", slip.getvalue())}).status_code == 422


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b" " * 9_000_000)
    with running(max_upload_bytes=1_000_000) as client:
        answer = client.post("/v1/import", files={"file": ("a.zip", bomb.getvalue())})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_record_that_lies_is_named(client: httpx.Client, masks: dict[str, Any]) -> None:
    masks["records"][1]["area"] += 1
    answer = client.post("/v1/export", json={"format": "json", "images": [masks]})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("record 2 of 'photo.png': 'area' is")


def test_unknown_formats_are_told(client: httpx.Client, masks: dict[str, Any]) -> None:
    for answer in (
        client.post("/v1/export", json={"format": "docx", "images": [masks]}),
        client.post("/v1/convert", params={"to": "docx"}, files={"file": ("a", b"{}")}),
        client.post("/v1/import", params={"format": "docx"}, files={"file": ("a", b"{}")}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_format")


def test_the_reader_of_python_agrees(client: httpx.Client, masks: dict[str, Any], tmp_path: Any) -> None:
    path = tmp_path / "masks.json"
    path.write_bytes(client.post("/v1/export", json={"format": "json", "images": [masks]}).content)
    assert [record.label for record in anymask.read(path)] == ["square"] * 3
