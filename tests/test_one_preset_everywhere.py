"""A preset means the same masks in Python, on the command line, over HTTP and in `anymask.compat`."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

import anymask.predict.load as loading
from anymask.automatic import PRESETS, generate_masks, preset_settings
from anymask.cli.main import run
from anymask.compat import SamAutomaticMaskGenerator
from anymask.predict.model import Model
from tests.fake_runtime import SHA256, FakeRuntime, fake_model, scene
from tests.server.running import png, running, upload

FEWER = {"points_per_side": 12}
OWN = {"default": {"pred_iou_thresh": 0.6}, "dense": {"pred_iou_thresh": 0.85, "tidy_share": 0.1}}


def busy() -> np.ndarray:
    """The fake model's scene with things in things, of many sizes and like colours."""
    random = np.random.default_rng(5)
    pixels = scene().astype(int)
    for _ in range(40):
        y, x = random.integers(0, (110, 150))
        height, width = random.integers(4, 30, 2)
        pixels[y : y + height, x : x + width] += random.integers(-60, 60, 3)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def digest(annotations: list[dict[str, Any]]) -> str:
    """Of the masks as COCO's RLE, in their order."""
    masks = [one["segmentation"] for one in annotations]
    return hashlib.sha256(json.dumps(masks, sort_keys=True).encode()).hexdigest()


def own_runtime() -> FakeRuntime:
    """A network that states thresholds of its own."""
    runtime = FakeRuntime()
    runtime.spec = replace(runtime.spec, automatic=OWN)
    return runtime


def in_python(preset: str | None) -> str:
    model = Model(own_runtime(), sha256=SHA256)
    return digest([record.to_json() for record in generate_masks(model, busy(), preset, **FEWER)])


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with running(own_runtime()) as client:
        yield client


@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_python_command_line_and_http(
    preset: str | None, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "load", lambda *_, **__: Model(own_runtime(), sha256=SHA256))
    photo, out = tmp_path / "photo.png", tmp_path / "m.json"
    Image.fromarray(busy()).save(photo)
    words = [] if preset is None else ["--preset", preset]
    assert run(["everything", str(photo), *words, "--points-per-side", "12", "-o", str(out), "-q"]) == 0
    command_line = digest(json.loads(out.read_bytes())["annotations"])
    body = {"preset": preset, "settings": FEWER} if preset else {"settings": FEWER}
    answer = client.post(f"/v1/images/{upload(client, png(busy()))}/everything", json=body)
    assert answer.status_code == 200
    assert digest(answer.json()["records"]) == command_line == in_python(preset)


def test_presets_differ() -> None:
    assert len({in_python(preset) for preset in (None, *PRESETS)}) >= 5


@pytest.mark.parametrize("preset", [None, "demo"])
def test_the_names_of_segment_anything(preset: str | None) -> None:
    """Presets that its generator can express."""
    settings = preset_settings(preset, **FEWER)
    names = inspect.signature(SamAutomaticMaskGenerator).parameters.keys() - {"model", "output_mode"}
    known = {name: getattr(settings, name) for name in names}
    assert str(preset_settings(**known)) == str(settings)
    generator = SamAutomaticMaskGenerator(fake_model(), **known, output_mode="coco_rle")
    ours = [record.to_json() for record in generate_masks(fake_model(), busy(), preset, **FEWER)]
    found = generator.generate(busy())
    assert len(found) > 0
    assert digest(found) == digest(ours)
