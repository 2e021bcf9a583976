"""CVAT's agent functions, against CVAT's own SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import pytest
from cvat_sdk.masks import decode_mask
from PIL import Image

import anymask.predict.load as loading
from anymask.automatic import AutomaticSettings
from anymask.core.errors import InputError, PromptError
from anymask.server import cvat
from tests.cli import fake_anymask
from tests.fake_runtime import FakeRuntime, fake_model, scene

ROOT = Path(__file__).parents[2]
COARSE = AutomaticSettings(points_per_side=6, stability_score_thresh=0.1)


@dataclass(frozen=True)
class Prompts(cvataa.InteractionPrompts):
    pos_points: tuple[tuple[float, float], ...] = ()
    neg_points: tuple[tuple[float, float], ...] = ()
    bounding_box: tuple[tuple[float, float], tuple[float, float]] | None = None


class Interaction(cvataa.InteractionFunctionContext):
    pass


@dataclass(frozen=True)
class Detection(cvataa.DetectionFunctionContext):
    frame_name: str = "photo.png"
    conf_threshold: float | None = None
    conv_mask_to_poly: bool = False


PROMPTS = {
    "click": (Prompts(((55, 45),)), {"points": [(55, 45)]}),
    "two clicks": (Prompts(((55, 45),), ((35, 25),)), {"points": [(55, 45, 1), (35, 25, 0)]}),
    "box": (Prompts(bounding_box=((25, 15), (85, 75))), {"box": (25, 15, 85, 75)}),
    "both": (
        Prompts(((55, 45),), bounding_box=((25, 15), (85, 75))),
        {"points": [(55, 45)], "box": (25, 15, 85, 75)},
    ),
}


@pytest.mark.parametrize(("prompts", "same"), PROMPTS.values(), ids=PROMPTS)
def test_a_mask_is_read_by_cvat_as_it_was_meant(prompts: Prompts, same: dict[str, Any]) -> None:
    model = fake_model()
    function = cvat.Interactor(model)
    image = function.preprocess_image(Interaction(), Image.fromarray(scene()))
    (shape,) = function.detect(Interaction(), image, prompts)
    sent = json.loads(json.dumps(attrs.asdict(shape), default=lambda value: value.to_dict()))
    expected = model.predict(model.embed(scene()), **same).best
    mask = decode_mask(sent["points"], image_width=160, image_height=120)
    assert np.array_equal(mask, expected.mask)
    assert sent["type"] == "mask"
    assert sent["attributes"] == [{"spec_id": 0, "value": f"{expected.score:.4f}"}]


def test_an_image_is_embedded_once_for_many_prompts() -> None:
    runtime = FakeRuntime()
    function = cvat.Interactor(cvat.Model(runtime, sha256="fa" * 32))
    image = function.preprocess_image(Interaction(), Image.fromarray(scene()))
    for x in (40, 55, 70):
        assert function.detect(Interaction(), image, Prompts(((x, 45),)))
    assert runtime.encoded == 1


def test_nothing_for_nothing() -> None:
    function = cvat.Interactor(fake_model())
    image = function.preprocess_image(Interaction(), Image.fromarray(scene()))
    assert function.detect(Interaction(), image, Prompts()) == []
    with pytest.raises(PromptError, match="outside the image"):
        function.detect(Interaction(), image, Prompts(((500, 500),)))


def test_everything_as_masks_or_polygons() -> None:
    model = fake_model()
    function = cvat.Detector(model, COARSE, "thing")
    assert [label.name for label in function.spec.labels] == ["thing"]
    image = Image.fromarray(scene())
    records = model.everything(scene(), points_per_side=6, stability_score_thresh=0.1).records()
    masks = function.detect(Detection(), image)
    assert [mask.type.value for mask in masks] == ["mask"] * len(records)
    for mask, record in zip(masks, records, strict=True):
        assert mask.label_id == 0
        assert np.array_equal(decode_mask(mask.points, image_width=160, image_height=120), record.mask)
    polygons = function.detect(Detection(conv_mask_to_poly=True), image)
    assert {polygon.type.value for polygon in polygons} == {"polygon"}
    assert len(polygons) >= len(masks) > 0
    assert function.detect(Detection(conf_threshold=0.99), image) == []


def test_the_module_is_a_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    """`cvat-cli` imports the module by name and calls `create` with the parameters of -p."""
    monkeypatch.setattr(cvat, "load", fake_anymask.load)
    assert isinstance(cvat.create().spec, cvataa.InteractionFunctionSpec)
    assert isinstance(cvat.create(kind="detector", preset="objects").spec, cvataa.DetectionFunctionSpec)
    with pytest.raises(InputError, match="interactor or detector"):
        cvat.create(kind="tracker")  # type: ignore[arg-type]
    assert loading.load is not fake_anymask.load


def test_without_the_sdk_the_install_line_is_told(tmp_path: Path) -> None:
    (tmp_path / "cvat_sdk.py").write_text("raise ModuleNotFoundError('no SDK')")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import anymask.server.cvat",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "pip install 'anymask[cvat]'" in done.stderr.splitlines()[-1]
