"""Masks and labels over HTTP: what is saved comes back, and nobody overwrites anybody."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from anymask.core.rle import Rle, decode
from tests.studio.running import RunningStudio, block, pictures, row, running_studio
from tests.studio.served import new_id

ONE = block(slice(20, 70), slice(30, 80))
OTHER = block(slice(40, 110), slice(100, 150))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(pictures(tmp_path_factory.mktemp("workspace"), 12)) as studio:
        yield studio


@pytest.fixture
def image(studio: RunningStudio) -> str:
    """An image without masks."""
    found: str = next(one["id"] for one in studio.images() if one["masks"] == 0)
    return found


def test_what_is_saved_comes_back(studio: RunningStudio, image: str) -> None:
    label = studio.post(f"/projects/{studio.project}/labels", {"name": "Bär <b>"}, 201)
    sent = row(
        ONE,
        score=0.9,
        stability=0.8,
        label_id=label["id"],
        attributes={"truncated": True, "count": 2.0, "note": "=1+1"},
        position=3,
        source="lasso",
        model_sha256="ab" * 32,
        prompts=[{"points": [[1, 2, 1]]}],
        seconds=4.5,
        locked=True,
    )
    (saved,) = studio.save(image, sent)["items"]
    for name, value in sent.items():
        assert saved[name] == value
    assert saved["area"] == ONE.sum()
    assert saved["bbox"] == [30, 20, 50, 50]
    assert saved["author_id"] == studio.get("/me")["user"]["id"]
    assert studio.get(f"/images/{image}/masks")["items"] == [saved]
    assert (decode(Rle.from_coco(saved["rle"])) == ONE).all()


def test_the_same_row_again_is_no_error(studio: RunningStudio, image: str) -> None:
    sent = row(ONE)
    assert studio.save(image, sent) == studio.save(image, sent)
    assert len(studio.get(f"/images/{image}/masks")["items"]) == 1
    assert studio.save(image, {**sent, "rle": row(OTHER)["rle"]}, status=409)["code"] == "conflict"


def test_a_correction_is_a_new_row_and_the_old_one_stays(studio: RunningStudio, image: str) -> None:
    first = row(ONE)
    studio.save(image, first)
    second = row(OTHER, object_id=first["object_id"], parent_id=first["id"])
    third = row(OTHER, object_id=first["object_id"], parent_id=second["id"], deleted=True)
    studio.save(image, second)
    assert [mask["id"] for mask in studio.get(f"/images/{image}/masks")["items"]] == [second["id"]]
    studio.save(image, third)
    assert studio.get(f"/images/{image}/masks")["items"] == []
    assert len(studio.get(f"/images/{image}/masks", deleted=True)["items"]) == 1
    history = studio.get(f"/objects/{first['object_id']}/history")["items"]
    assert [mask["id"] for mask in history] == [first["id"], second["id"], third["id"]]
    assert (decode(Rle.from_coco(history[0]["rle"])) == ONE).all()


def test_a_stale_parent_is_a_conflict_with_the_present_head(studio: RunningStudio, image: str) -> None:
    first = row(ONE)
    studio.save(image, first)
    winner = row(OTHER, object_id=first["object_id"], parent_id=first["id"])
    studio.save(image, winner)
    loser = row(ONE, object_id=first["object_id"], parent_id=first["id"])
    fresh = row(ONE)
    problem = studio.save(image, fresh, loser, status=409)
    assert problem["code"] == "conflict"
    assert problem["head"]["id"] == winner["id"]
    heads = {mask["id"] for mask in studio.get(f"/images/{image}/masks")["items"]}
    assert heads == {winner["id"]}  # all or none: the fresh row was not saved either


def test_of_many_corrections_at_once_one_wins(studio: RunningStudio, image: str) -> None:
    first = row(ONE)
    studio.save(image, first)
    rows = [row(OTHER, object_id=first["object_id"], parent_id=first["id"]) for _ in range(8)]

    def send(mask: dict[str, Any]) -> int:
        return studio.client.post(f"/api/v1/images/{image}/masks", json={"masks": [mask]}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, rows))
    assert sorted(answers) == [201] + [409] * 7
    (head,) = studio.get(f"/images/{image}/masks")["items"]
    assert head["id"] == rows[answers.index(201)]["id"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"rle": {"size": [119, 160], "counts": "04"}}, 422),
        ({"rle": row(block(slice(0, 1), slice(0, 1), (10, 10)))["rle"]}, 422),
        ({"label_id": "0" * 32}, 404),
        ({"parent_id": "0" * 32}, 409),
        ({"source": "guess"}, 422),
        ({"id": "not an id"}, 422),
        ({"author_id": "0" * 32}, 422),
        ({"seconds": -1}, 422),
        ({"attributes": {"deep": {"er": 1}}}, 422),
        ({"score": "0.5"}, 422),
    ],
)
def test_rows_that_cannot_be(studio: RunningStudio, image: str, change: dict[str, Any], status: int) -> None:
    studio.save(image, {**row(ONE), **change}, status=status)
    assert studio.get(f"/images/{image}/masks")["items"] == []


def test_a_label_of_another_project_is_unknown(studio: RunningStudio, image: str) -> None:
    other = studio.post("/projects", {"id": new_id(), "name": "other"}, 201)["id"]
    label = studio.post(f"/projects/{other}/labels", {"name": "elsewhere"}, 201)
    studio.save(image, row(ONE, label_id=label["id"]), status=404)
    here = studio.post(f"/projects/{studio.project}/labels", {"name": "here"}, 201)
    studio.post(f"/labels/{here['id']}/merge", {"into": label["id"]}, 404)


def test_labels_have_a_life(studio: RunningStudio, image: str) -> None:
    labels = f"/projects/{studio.project}/labels"
    fields = [{"name": "age", "kind": "select", "choices": ["young", "old"]}]
    cat = studio.post(labels, {"name": "cat", "hotkey": "7", "attributes": fields}, 201)
    tomcat = studio.post(labels, {"name": "tomcat", "colour": "#123456"}, 201)
    assert cat["attributes"] == fields
    assert cat["colour"] != tomcat["colour"] == "#123456"
    assert studio.post(labels, {"name": "cat"}, 409)["code"] == "conflict"
    renamed = studio.patch(f"/labels/{tomcat['id']}", {"name": "tom", "hotkey": "8", "position": 0})
    assert (renamed["name"], renamed["hotkey"], renamed["colour"]) == ("tom", "8", "#123456")
    assert studio.patch(f"/labels/{tomcat['id']}", {"hotkey": ""})["hotkey"] is None
    assert studio.patch(f"/labels/{tomcat['id']}", {"archived": True})["archived"]
    assert not studio.patch(f"/labels/{tomcat['id']}", {"archived": False})["archived"]
    studio.save(image, row(ONE, label_id=tomcat["id"]))
    assert studio.post(f"/labels/{tomcat['id']}/merge", {"into": cat["id"]})["id"] == cat["id"]
    (head,) = studio.get(f"/images/{image}/masks")["items"]
    assert head["label_id"] == cat["id"]
    listed = {label["id"]: label for label in studio.get(labels)["items"]}
    assert listed[tomcat["id"]]["archived"]
    studio.patch(f"/labels/{'0' * 32}", {"name": "x"}, 404)
    studio.patch(f"/labels/{cat['id']}", {"colour": "red"}, 422)
