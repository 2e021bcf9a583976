"""Many annotators at once, as fast as they can: every answer is right, and nothing acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

from bench.annotators import CLICKS, simulate

from tests.studio.running import pictures, running_studio

ANNOTATORS, PROMPTS = 12, 9


def test_nothing_is_lost(tmp_path: Path) -> None:
    with running_studio(pictures(tmp_path / "workspace", 3)) as studio:
        url = studio.client.base_url
        assert url.port is not None
        images = studio.images()
        noted = simulate((url.host, url.port), images, ANNOTATORS, PROMPTS, 0.0)
        studio.services.recorder.flush()
        store = studio.services.store
        recorded = {prompt.id for image in images for prompt in store.prompts.list(image["id"])}
        saved = {mask.id: mask.counts for image in images for mask in store.masks.heads(image["id"])}
    assert len(noted.prompts) == ANNOTATORS * PROMPTS
    assert recorded == set(noted.prompts)
    assert len(noted.masks) == ANNOTATORS * PROMPTS // CLICKS
    assert saved == noted.masks


def test_a_queue_that_is_full_says_so_and_still_loses_nothing(tmp_path: Path) -> None:
    with running_studio(pictures(tmp_path / "workspace", 1), waiting=1) as studio:
        url = studio.client.base_url
        assert url.port is not None
        noted = simulate((url.host, url.port), studio.images(), 8, CLICKS, 0.0)
        saved = {mask.id: mask.counts for mask in studio.services.store.masks.heads(studio.image)}
    assert noted.refusals > 0
    assert saved == noted.masks
    assert len(saved) == 8
