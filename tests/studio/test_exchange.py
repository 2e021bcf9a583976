"""Masks leave a studio and come back as files of every format."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anymask.core.rle import Rle, decode
from anymask.formats import FORMATS
from tests.studio.running import RunningStudio, block, pictures, row, running_studio
from tests.studio.served import new_id

ONE = block(slice(20, 70), slice(30, 80))
OTHER = block(slice(40, 110), slice(100, 150))
PROJECTS = ("label-studio", "cvat", "coco", "labelme")
"""Formats of other tools' projects."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("workspace"), 3)


@pytest.fixture(scope="module")
def studio(folder: Path) -> Iterator[RunningStudio]:
    """Three images: two masks with labels, one without a label, none."""
    with running_studio(folder) as studio:
        cat = studio.post(f"/projects/{studio.project}/labels", {"name": "cat"}, 201)["id"]
        evil = studio.post(f"/projects/{studio.project}/labels", {"name": "=cmd|' /C calc'!A0"}, 201)["id"]
        one, other, _ = (image["id"] for image in studio.images())
        studio.save(one, row(ONE, label_id=cat, score=0.9), row(OTHER, label_id=evil))
        studio.save(other, row(OTHER))
        yield studio


def export(studio: RunningStudio, status: int = 200, **asked: Any) -> httpx.Response:
    answer = studio.client.post(f"/api/v1/projects/{studio.project}/export", json=asked)
    assert answer.status_code == status, answer.text
    return answer


def import_file(
    studio: RunningStudio, data: bytes, status: int = 200, project: str | None = None, **params: Any
) -> Any:
    answer = studio.client.post(
        f"/api/v1/projects/{project or studio.project}/import",
        files={"file": ("masks", data, "application/octet-stream")},
        params=params,
    )
    assert answer.status_code == status, answer.text
    return answer.json()


def masks_of(studio: RunningStudio) -> dict[str, list[tuple[str | None, bytes]]]:
    """Label and pixels of all present masks, by image name."""
    labels = {one["id"]: one["name"] for one in studio.get(f"/projects/{studio.project}/labels")["items"]}
    return {
        image["name"]: sorted(
            (labels.get(mask["label_id"]) or "", decode(Rle.from_coco(mask["rle"])).tobytes())
            for mask in studio.get(f"/images/{image['id']}/masks")["items"]
        )
        for image in studio.images()
    }


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_can_be_written(studio: RunningStudio, format: str) -> None:
    answer = export(studio, format=format)
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = export(studio, format=format)
    assert again.content == answer.content


@pytest.mark.parametrize("format", [*PROJECTS, "csv", "json", "coco-polygons", "sa1b"])
def test_a_project_goes_into_another_studio(studio: RunningStudio, tmp_path: Path, format: str) -> None:
    data = export(studio, format=format).content
    with running_studio(pictures(tmp_path / "other", 3)) as there:
        done = import_file(there, data)
        assert (done["images"], done["masks"], done["unmatched"], done["wrong_size"]) == (2, 3, [], [])
        expected = masks_of(studio)
        if format == "sa1b":  # this one knows no labels
            expected = {name: sorted(("", mask) for _, mask in masks) for name, masks in expected.items()}
        assert masks_of(there) == expected
        again = import_file(there, data)
        assert (again["masks"], again["known"]) == (0, 3)
        history = there.get(f"/images/{there.image}/masks")["items"]
        assert {mask["source"] for mask in history} == {"import"}


def test_export_by_image_state_and_emptiness(studio: RunningStudio) -> None:
    one, other, third = studio.images()
    names = coco_names(export(studio, format="coco", images=[other["id"], third["id"]]))
    assert names == [other["name"]]
    assert coco_names(export(studio, format="coco", empty=True)) == [
        one["name"],
        other["name"],
        third["name"],
    ]
    states = {image["state"] for image in studio.images() if image["masks"]}
    assert coco_names(export(studio, format="coco", states=sorted(states))) == [one["name"], other["name"]]
    assert "no masks to export" in export(studio, 422, format="coco", states=["accepted"]).json()["detail"]
    assert export(studio, 422, format="nonsense").json()["code"] == "unknown_format"


def coco_names(answer: httpx.Response) -> list[str]:
    return [image["file_name"] for image in json.loads(answer.content)["images"]]


def test_cells_of_a_table_are_no_formulas(studio: RunningStudio) -> None:
    rows = list(csv.DictReader(io.StringIO(export(studio, format="csv").text)))
    assert any("cmd|" in one["label"] for one in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for one in rows for cell in one.values())


def test_images_that_are_not_here_are_named(studio: RunningStudio) -> None:
    document = json.loads(export(studio, format="coco").content)
    document["images"][0]["file_name"] = "../../strange.png"
    assert "expected a file name inside the folder" in import_file(studio, dump(document), 422)["detail"]
    document["images"][0]["file_name"] = "strange.png"
    done = import_file(studio, dump(document))
    assert done["unmatched"] == ["strange.png"]
    assert done["known"] == 1


def test_an_image_of_another_size_is_left_alone(studio: RunningStudio) -> None:
    name = studio.images()[2]["name"]
    mask = row(block(slice(0, 5), slice(0, 5), (50, 50)))["rle"]
    document = {
        "images": [{"id": 1, "file_name": name, "width": 50, "height": 50}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": mask, "iscrowd": 1}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    done = import_file(studio, dump(document))
    assert (done["wrong_size"], done["masks"]) == ([name], 0)


def test_a_file_about_one_image_says_which(studio: RunningStudio) -> None:
    third = studio.images()[2]["id"]
    png = zipfile.ZipFile(io.BytesIO(export(studio, format="png").content))
    data = png.read(png.namelist()[0])
    done = import_file(studio, data, image=third)
    assert (done["images"], done["known"] + done["masks"]) == (1, done["masks"])
    for mask in studio.get(f"/images/{third}/masks")["items"]:  # as it was before
        studio.save(
            third,
            {
                "id": new_id(),
                "object_id": mask["object_id"],
                "parent_id": mask["id"],
                "rle": mask["rle"],
                "deleted": True,
            },
        )
    problem = import_file(studio, export(studio, format="coco").content, 422, image=third)
    assert "2 images" in problem["detail"]


@pytest.mark.parametrize("name", ["../evil.json", "/evil.json", "a/../../evil.json", "C:\\evil.json"])
def test_an_archive_cannot_reach_out(studio: RunningStudio, folder: Path, name: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, export(studio, format="coco").content)
    before = sorted(folder.parent.rglob("*"))
    problem = import_file(studio, file.getvalue(), 422)
    assert "evil" in problem["detail"] or "file" in problem["detail"]
    made = set(folder.parent.rglob("*")) - set(before)
    assert [path for path in sorted(made) if "evil" in path.name] == []
    assert {path.name for path in before} >= {"picture-0.png"}


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04 broken", b"{", b"<html></html>", b"\x89PNG\r\n\x1a\nbroken", b"hello", b""]
)
def test_broken_files_are_refused_with_one_line(studio: RunningStudio, data: bytes) -> None:
    detail = import_file(studio, data, 422)["detail"]
    assert "\n" not in detail
    assert "/tmp" not in detail


def test_exports_and_imports_are_written_down(studio: RunningStudio) -> None:
    data = export(studio, format="coco").content
    import_file(studio, data)
    newest, before, *_ = studio.services.store.events.page(studio.project).items
    assert (newest.kind, before.kind) == ("import", "export")
    assert before.detail == {"format": "coco", "bytes": len(data)}
    assert newest.user_id == studio.get("/me")["user"]["id"]


def test_formats_are_listed(studio: RunningStudio) -> None:
    assert [one["name"] for one in studio.get("/formats")["formats"]] == list(FORMATS)


def dump(document: Any) -> bytes:
    return json.dumps(document).encode()
