"""Prompts to a real studio: candidates, refinement, previews, what is written down."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from anymask.core.masks import iou
from anymask.core.record import MaskRecord
from anymask.core.rle import encode
from tests.fake_runtime import scene
from tests.studio.running import BAR, SQUARE, RunningStudio, block, pictures, placed, row, running_studio
from tests.studio.served import new_id


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(pictures(tmp_path_factory.mktemp("workspace"))) as studio:
        yield studio


@pytest.fixture(scope="module")
def image(studio: RunningStudio) -> str:
    return studio.image


SQUARE_MASK = block(slice(20, 70), slice(30, 80))


def test_a_click_is_answered_with_three_windows(studio: RunningStudio, image: str) -> None:
    answer = studio.post(f"/images/{image}/prompt", {"points": [[*SQUARE, 1]]})
    assert [round(one["predicted_iou"], 2) for one in answer["candidates"]] == [0.9, 0.8, 0.7]
    best = answer["candidates"][0]
    assert iou(placed(best), SQUARE_MASK & ~block(slice(35, 55), slice(45, 65)) | placed(best)) > 0.9
    x, y, width, height = best["bbox"]
    assert best["offset"] == [x, y]
    assert best["size"] == [height, width]
    assert placed(best).sum() == best["area"] > 0
    assert all(0 <= one["stability_score"] <= 1 for one in answer["candidates"])
    assert answer["worse"] is False
    assert answer["milliseconds"] > 0


def test_an_answer_can_be_refined(studio: RunningStudio, image: str) -> None:
    first = studio.post(f"/images/{image}/prompt", {"points": [[*SQUARE, 1]]})
    again = studio.post(
        f"/images/{image}/prompt",
        {
            "points": [[*SQUARE, 1], [*BAR, 1]],
            "previous": {"prediction": first["prediction"], "candidate": 0},
        },
    )
    (candidate,) = again["candidates"]
    both = placed(candidate)
    assert both[int(BAR[1]), int(BAR[0])]
    assert both[int(SQUARE[1]), int(SQUARE[0])]


@pytest.mark.parametrize(
    "prompt",
    [
        {"box": [28, 18, 82, 72]},
        {"boxes": [[28, 18, 82, 72], [30, 20, 80, 70]]},
        {"scribble": [[[40, 25], [45, 30], [50, 25]]]},
        {"polygon": [[28, 18], [82, 18], [82, 72], [28, 72]]},
        {"mask": {**encode(SQUARE_MASK).to_coco()}},
        {"mask": {**encode(SQUARE_MASK[20:70, 30:80]).to_coco(), "offset": [30, 20]}, "points": [[*SQUARE]]},
    ],
)
def test_every_kind_of_prompt(studio: RunningStudio, image: str, prompt: dict[str, Any]) -> None:
    answer = studio.post(f"/images/{image}/prompt", prompt)
    assert iou(placed(answer["candidates"][0]), SQUARE_MASK) > 0.7


def test_many_boxes_are_many_objects(studio: RunningStudio, image: str) -> None:
    boxes = [[28, 18, 82, 72], [98, 38, 152, 112]]
    answer = studio.post(f"/images/{image}/boxes", {"boxes": boxes})
    square, bar = answer["candidates"]
    assert iou(placed(square), SQUARE_MASK) > 0.7
    assert iou(placed(bar), block(slice(40, 110), slice(100, 150))) > 0.7
    refined = studio.post(
        f"/images/{image}/prompt",
        {"points": [[*SQUARE, 1]], "previous": {"prediction": answer["predictions"][1]}},
    )
    assert iou(placed(refined["candidates"][0]), placed(square) | placed(bar)) > 0.7


def test_more_boxes_than_are_decoded_at_a_time(studio: RunningStudio, image: str) -> None:
    boxes = [[28 + n % 3, 18, 82, 72] if n % 2 else [98, 38 + n % 3, 152, 112] for n in range(37)]
    answer = studio.post(f"/images/{image}/boxes", {"boxes": boxes})
    assert len(answer["candidates"]) == len(set(answer["predictions"])) == 37
    for box, candidate in zip(boxes, answer["candidates"], strict=True):
        x, y, width, height = candidate["bbox"]
        assert iou_of_boxes(box, [x, y, x + width, y + height]) > 0.8


def iou_of_boxes(one: list[float], other: list[float]) -> float:
    width, height = (min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return max(width, 0) * max(height, 0) / (areas - max(width, 0) * max(height, 0))


def test_a_preview_is_small_and_not_kept(studio: RunningStudio, image: str) -> None:
    recorded = len(studio.services.store.prompts.list(image))
    answer = studio.post(
        f"/images/{image}/prompt", {"points": [[*SQUARE, 1]], "hover": {"client": "page", "sequence": 1}}
    )
    assert len(answer["candidates"]) == 1
    assert answer["candidates"][0]["stability_score"] is None
    assert answer["prediction"] is None
    studio.services.recorder.flush()
    assert len(studio.services.store.prompts.list(image)) == recorded
    late = studio.client.post(
        f"/api/v1/images/{image}/prompt",
        json={"points": [[*SQUARE, 1]], "hover": {"client": "page", "sequence": 1}},
    )
    assert late.status_code == 409
    assert late.json()["code"] == "superseded"


def test_prompts_are_written_down_as_they_were_sent(studio: RunningStudio, image: str) -> None:
    subject = new_id()
    first = studio.post(
        f"/images/{image}/prompt", {"points": [[*SQUARE, 1]], "object": subject, "seconds": 2.5}
    )
    again = studio.post(
        f"/images/{image}/prompt",
        {
            "points": [[*SQUARE, 1], [60, 60, 0]],
            "previous": {"prediction": first["prediction"], "candidate": 1},
            "object": subject,
            "seconds": 0.75,
        },
    )
    studio.services.recorder.flush()
    one, other = studio.services.store.prompts.list(image, subject)
    assert one.prompt == {"points": [[*SQUARE, 1]]}
    assert other.prompt == {
        "points": [[*SQUARE, 1], [60, 60, 0]],
        "previous": {"prediction": one.id, "candidate": 1},
    }
    assert (one.id, other.id) == (first["prediction"], again["prediction"])
    assert (one.seconds_since_last, other.seconds_since_last, other.chosen) == (2.5, 0.75, 1)
    assert one.milliseconds is not None
    assert one.milliseconds > 0
    assert one.user_id == studio.get("/me")["user"]["id"]


def test_what_the_browser_answered_is_written_down_too(studio: RunningStudio, image: str) -> None:
    subject, answer = new_id(), new_id()
    record = {
        "id": answer,
        "model_sha256": "a" * 64,
        "milliseconds": 81.5,
        "points": [[*SQUARE, 1]],
        "object": subject,
        "seconds": 1.5,
    }
    for _ in range(2):  # sent again after a broken line
        sent = studio.client.post(f"/api/v1/images/{image}/prompts", json=record)
        assert sent.status_code == 204, sent.text
    studio.services.recorder.flush()
    (kept,) = studio.services.store.prompts.list(image, subject)
    assert (kept.id, kept.model_sha256, kept.milliseconds) == (answer, "a" * 64, 81.5)
    assert kept.prompt == {"points": [[*SQUARE, 1]]}
    assert kept.seconds_since_last == 1.5


@pytest.mark.parametrize(
    ("prompt", "status", "says"),
    [
        ({}, 422, "empty"),
        ({"points": [[1000, 1, 1]]}, 422, "outside the image"),
        ({"points": [[1, 1, 2]]}, 422, "label"),
        ({"points": [["1", 1, 1]]}, 422, "points"),
        ({"box": [10, 10, 5, 5]}, 422, "box"),
        ({"points": [[1, 1]], "unknown": 1}, 422, "unknown"),
        ({"points": [[1, 1]], "previous": {"prediction": "0" * 32}}, 404, "no such prediction"),
        ({"mask": {"size": [2, 2], "counts": "04", "offset": [159, 0]}}, 422, "leaves the image"),
    ],
)
def test_prompts_that_cannot_be_meant(
    studio: RunningStudio, image: str, prompt: dict[str, Any], status: int, says: str
) -> None:
    problem = studio.post(f"/images/{image}/prompt", prompt, status)
    assert says in problem["detail"]


def test_an_answer_of_another_image_cannot_be_refined(studio: RunningStudio) -> None:
    one, other = (image["id"] for image in studio.images())
    answer = studio.post(f"/images/{one}/prompt", {"points": [[*SQUARE, 1]]})
    body = {"points": [[*SQUARE, 1]], "previous": {"prediction": answer["prediction"]}}
    assert studio.post(f"/images/{other}/prompt", body, 404)["code"] == "unknown_prediction"
    body["previous"]["candidate"] = 3  # type: ignore[index]
    assert "no candidate 3" in studio.post(f"/images/{one}/prompt", body, 422)["detail"]


def test_an_unknown_image_is_not_found(studio: RunningStudio) -> None:
    assert studio.post(f"/images/{'0' * 32}/prompt", {"points": [[1, 1]]}, 404)["code"] == "unknown"


def test_everything_is_found_and_filtered_without_decoding(studio: RunningStudio, image: str) -> None:
    run = studio.post(f"/images/{image}/everything", {"settings": {"points_per_side": 8}})
    assert run["decoded"] > 0
    runtime = next(iter(studio.services.served.shelf)).runtime
    decoded = len(runtime.batches)  # type: ignore[attr-defined]
    strict = studio.post(f"/everything/{run['run']}/records", {"pred_iou_thresh": 0.92})
    loose = studio.post(f"/everything/{run['run']}/records", {"pred_iou_thresh": 0.0, "box_nms_thresh": 1.0})
    assert len(strict["records"]) < len(loose["records"])
    assert len(runtime.batches) == decoded  # type: ignore[attr-defined]
    assert studio.post(f"/everything/{'0' * 64}/records", {}, 404)["code"] == "unknown"


def test_edits_polygons_and_cutouts(studio: RunningStudio, image: str) -> None:
    mask = encode(SQUARE_MASK).to_coco()
    union = studio.post(f"/images/{image}/edit", {"operation": "union", "masks": [mask, mask]})
    assert union["rle"] == mask
    outlines = studio.post(f"/images/{image}/polygons", {"mask": mask, "tolerance": 1})
    assert outlines["vertices"] == 4
    answer = studio.client.post(f"/api/v1/images/{image}/cutout", json={"masks": [mask], "feather": 0})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    cut = read_png(answer)
    assert cut.shape == (50, 50, 4)
    assert (cut[..., 3] == 255).all()
    assert (cut[..., :3] == scene()[20:70, 30:80]).all()
    soft = read_png(
        studio.client.post(f"/api/v1/images/{image}/cutout", json={"masks": [mask], "feather": 2})
    )
    assert len(np.unique(soft[..., 3])) > 5


def test_masks_of_the_picture_before_are_found_again(studio: RunningStudio) -> None:
    source, target = (image["id"] for image in studio.images())
    label = studio.post(f"/projects/{studio.project}/labels", {"name": "bar"}, 201)["id"]
    bar = block(slice(40, 110), slice(100, 150))
    square, other = row(SQUARE_MASK), row(bar, position=1, label_id=label, attributes={"blue": True})
    studio.save(source, square, other)
    answer = studio.post(f"/images/{target}/propagate", {"source": source})
    assert [one["object_id"] for one in answer["items"]] == [square["object_id"], other["object_id"]]
    for one, mask in zip(answer["items"], (SQUARE_MASK, bar), strict=True):
        assert one["kept"]
        assert iou(placed(one["candidate"]), mask) > 0.9
        assert one["appearance"] > 0.9
    assert (answer["items"][1]["label_id"], answer["items"][1]["attributes"]) == (label, {"blue": True})
    body = {"source": source, "objects": [other["object_id"]]}
    assert len(studio.post(f"/images/{target}/propagate", body)["items"]) == 1
    assert studio.get(f"/images/{target}/masks")["items"] == []
    studio.post(f"/images/{target}/propagate", {"source": "0" * 32}, 404)


def test_finding_by_words_says_what_is_missing(
    studio: RunningStudio, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "anymask.text", None)  # as if it were not installed
    problem = studio.post(f"/images/{image}/find", {"texts": ["a square"]}, 501)
    assert "pip install" in problem["detail"]


def test_things_are_found_by_words(
    studio: RunningStudio, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(model: Any, picture: Any, texts: list[str], **options: Any) -> list[MaskRecord]:
        assert picture.sha256 == options["embedding"].image_sha256
        assert (options["threshold"], options["most"]) == (0.25, 3)
        return [MaskRecord.of_mask(SQUARE_MASK, label=texts[0], attributes={"label_score": 0.5})]

    monkeypatch.setattr("anymask.text.find", find)
    body = {"texts": ["a square", "a bar"], "threshold": 0.25, "most": 3}
    (record,) = studio.post(f"/images/{image}/find", body)["records"]
    assert record["category"] == "a square"
    assert record["segmentation"] == encode(SQUARE_MASK).to_coco()


def test_prompts_at_the_same_time_do_not_mix(studio: RunningStudio, image: str) -> None:
    def ask(number: int) -> bool:
        x, y = SQUARE if number % 2 else BAR
        body = {"points": [[x, y, 1]], "multimask": False}
        answer = studio.post(f"/images/{image}/prompt", body)
        return bool(placed(answer["candidates"][0])[int(y), int(x)])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(40)))


def read_png(answer: httpx.Response) -> np.ndarray:
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(answer.content)))
