"""What happens around a prompt: refinement, hovering, one embedding for many, queues that are full."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.predict.runtime import ALL_TOKENS, LowResMasks, PromptBatch
from tests.fake_runtime import FakeRuntime, fake_model, scene
from tests.server.running import png, running, upload, wait_until


class HeldRuntime(FakeRuntime):
    """Waits inside every encode and decode until it is let go; counts who has come in."""

    def __init__(self) -> None:
        super().__init__()
        self.encoding, self.decoding = threading.Semaphore(0), threading.Semaphore(0)
        self.entered = 0

    def encode(self, picture: Picture) -> dict[str, np.ndarray]:
        self.entered += 1
        assert self.encoding.acquire(timeout=30)
        return super().encode(picture)

    def decode(
        self,
        features: Mapping[str, np.ndarray],
        prompts: PromptBatch,
        *,
        tokens: slice = ALL_TOKENS,
        min_score: float | None = None,
    ) -> LowResMasks:
        self.entered += 1
        assert self.decoding.acquire(timeout=30)
        return super().decode(features, prompts, tokens=tokens, min_score=min_score)


def click(client: httpx.Client, image: str, x: float = 55, **more: Any) -> httpx.Response:
    return client.post(f"/v1/images/{image}/prompt", json={"points": [[x, 45]], **more})


def test_an_answer_can_be_refined(client: httpx.Client, image: str) -> None:
    first = click(client, image).json()
    again = client.post(
        f"/v1/images/{image}/prompt",
        json={
            "points": [[55, 45, 1], [35, 25, 0]],
            "previous": {"prediction": first["prediction"], "candidate": 1},
        },
    ).json()
    model = fake_model()
    embedding = model.embed(scene())
    previous = model.predict(embedding, points=[(55, 45)])[1]
    expected = model.predict(embedding, points=[(55, 45, 1), (35, 25, 0)], previous=previous)
    record = MaskRecord.from_json(again["candidates"][0])
    assert np.array_equal(record.mask, expected.best.mask)
    assert record.provenance["prompt"]["mask"] == "previous"


def test_what_was_not_kept_cannot_be_refined(client: httpx.Client, image: str) -> None:
    assert click(client, image, keep=False).json()["prediction"] is None
    kept = click(client, image).json()["prediction"]
    other_model = click(client, image, model="other", previous={"prediction": kept})
    assert (other_model.status_code, other_model.json()["code"]) == (404, "unknown_prediction")
    too_far = click(client, image, previous={"prediction": kept, "candidate": 3})
    assert too_far.status_code == 422


def test_a_mask_of_the_image_is_a_prompt(client: httpx.Client, image: str) -> None:
    drawn = click(client, image).json()["candidates"][0]["segmentation"]
    found = client.post(f"/v1/images/{image}/prompt", json={"mask": drawn})
    assert found.status_code == 200, found.text
    assert found.json()["candidates"][0]["provenance"]["prompt"]["mask"] == "drawn"


def test_many_prompts_at_once_embed_once() -> None:
    runtime = HeldRuntime()
    with running(runtime) as client, ThreadPoolExecutor(8) as pool:
        image = upload(client)
        runtime.decoding.release(8)
        answers = [pool.submit(click, client, image) for _ in range(8)]
        wait_until(lambda: runtime.entered == 1)
        runtime.encoding.release()
        assert {answer.result().status_code for answer in answers} == {200}
        assert runtime.encoded == 1


def test_of_hovering_only_the_latest_is_answered() -> None:
    """Four requests of one client, one being decoded: those that wait are never decoded at all."""
    runtime = HeldRuntime()
    with running(runtime) as client, ThreadPoolExecutor(8) as pool:
        image = upload(client)
        runtime.encoding.release()
        client.post(f"/v1/images/{image}/embedding")
        entered = runtime.entered

        def hover(sequence: int) -> httpx.Response:
            return click(client, image, hover={"client": "a", "sequence": sequence}, keep=False)

        blocker = pool.submit(click, client, image)
        wait_until(lambda: runtime.entered == entered + 1)
        answers = []
        for sequence in range(4):
            answers.append(pool.submit(hover, sequence))
            if sequence:  # the one before is answered at once, while the model is still busy
                late = answers[-2].result(timeout=30)
                assert (late.status_code, late.json()["code"]) == (409, "superseded")
        other = pool.submit(click, client, image, hover={"client": "b", "sequence": 0})
        runtime.decoding.release(8)
        assert [blocker.result().status_code, answers[-1].result().status_code] == [200, 200]
        assert other.result().status_code == 200
        assert runtime.entered == entered + 3
        assert hover(3).status_code == hover(2).status_code == 409
        assert hover(4).status_code == 200


def test_hovering_on_an_image_that_is_being_embedded_supersedes() -> None:
    runtime = HeldRuntime()
    with running(runtime) as client, ThreadPoolExecutor(4) as pool:
        image = upload(client)
        first = pool.submit(click, client, image, hover={"client": "a", "sequence": 1})
        wait_until(lambda: runtime.entered == 1)
        second = pool.submit(click, client, image, hover={"client": "a", "sequence": 2})
        assert first.result(timeout=30).status_code == 409
        runtime.encoding.release()
        runtime.decoding.release()
        assert second.result().status_code == 200
        assert runtime.encoded == 1


def test_a_full_queue_says_come_again() -> None:
    runtime = HeldRuntime()
    with running(runtime, waiting=2) as client, ThreadPoolExecutor(8) as pool:
        image = upload(client)
        runtime.encoding.release()
        client.post(f"/v1/images/{image}/embedding")
        entered = runtime.entered
        first = pool.submit(click, client, image)
        wait_until(lambda: runtime.entered == entered + 1)
        answers = [pool.submit(click, client, image) for _ in range(4)]
        refused = []
        wait_until(lambda: len([answer for answer in answers if answer.done()]) == 2)
        refused = [answer.result() for answer in answers if answer.done()]
        assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(503, "busy")] * 2
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        runtime.decoding.release(3)
        assert sorted(answer.result().status_code for answer in (first, *answers)) == [200] * 3 + [503] * 2


def test_the_event_loop_never_waits_for_a_model() -> None:
    runtime = HeldRuntime()
    with running(runtime) as client, ThreadPoolExecutor(4) as pool:
        image = upload(client)
        waiting = pool.submit(client.post, f"/v1/images/{image}/embedding")
        wait_until(lambda: runtime.entered == 1)
        assert client.get("/v1/health").status_code == 200
        assert client.get("/v1/models").status_code == 200
        assert not waiting.done()
        runtime.encoding.release()
        assert waiting.result().status_code == 200


def test_an_answer_that_takes_too_long_is_given_up_and_found_later() -> None:
    runtime = HeldRuntime()
    with running(runtime, request_seconds=0.2) as client:
        image = upload(client)
        answer = client.post(f"/v1/images/{image}/embedding")
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        runtime.encoding.release()
        wait_until(lambda: client.get(f"/v1/images/{image}").json()["embedded"] == ["fake"])
        assert runtime.encoded == 1


def test_embeddings_are_kept_within_their_budget() -> None:
    runtime = FakeRuntime()
    one = fake_model().embed(scene()).nbytes
    with running(runtime, memory_bytes=4 * one) as client:
        images = [upload(client, png(np.roll(scene(), shift, axis=1))) for shift in range(3)]
        for image in images:
            assert click(client, image).status_code == 200
        embedded = [bool(client.get(f"/v1/images/{image}").json()["embedded"]) for image in images]
        assert embedded == [False, True, True]
        assert click(client, images[0]).status_code == 200
        assert runtime.encoded == 4


WRONG = {
    "nothing": ({}, "the prompt is empty"),
    "outside": ({"points": [[500, 10]]}, "outside the image"),
    "swapped": ({"points": [[45, 155]]}, "x comes first"),
    "a label of 7": ({"points": [[5, 5, 7]]}, "label"),
    "text": ({"points": [["5", 5]]}, "points.0.0"),
    "true": ({"points": [[True, 5]]}, "points.0.0"),
    "one number": ({"points": [[5]]}, "points.0"),
    "a box inside out": ({"box": [50, 50, 10, 10]}, "box"),
    "a field too many": ({"points": [[5, 5]], "path": "/etc/passwd"}, "path"),
    "a mask of another size": ({"mask": {"size": [2, 2], "counts": "04"}}, "160 x 120"),
    "a mask that lies": ({"mask": {"size": [120, 160], "counts": "04"}}, "RLE"),
    "a line as lasso": ({"polygon": [[1, 1], [5, 5]]}, "polygon"),
}


@pytest.mark.parametrize(("body", "words"), WRONG.values(), ids=WRONG)
def test_a_prompt_that_cannot_be_meant(
    client: httpx.Client, image: str, body: dict[str, Any], words: str
) -> None:
    answer = client.post(f"/v1/images/{image}/prompt", json=body)
    assert answer.status_code == 422
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) == {"title", "status", "code", "detail"}
    assert words in problem["detail"]
    assert "\n" not in problem["detail"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-1", "1e30"])
def test_numbers_that_are_none(client: httpx.Client, image: str, number: str) -> None:
    answer = client.post(
        f"/v1/images/{image}/prompt",
        content=f'{{"points": [[{number}, 5]]}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422)


def test_an_unknown_model_is_not_looked_for(client: httpx.Client, image: str) -> None:
    for name in ("../lite", "/etc", "vit_h", "fake@9.9"):
        answer = click(client, image, model=name)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_model")
        assert name not in answer.json()["detail"]
