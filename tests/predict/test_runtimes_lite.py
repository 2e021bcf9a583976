"""`lite` in every runtime: a decoder in one graph, three features, weights partly float16."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import openvino
import pytest

from anymask.core.images import Picture
from anymask.models.folder import ModelFolder
from anymask.predict.backends import make_runtime
from anymask.predict.graph_stages import PROMPT_INPUTS
from anymask.predict.openvino_split import split_model
from anymask.predict.runtime import PromptBatch
from anymask.predict.staged_runtime import whole_prompt
from tests.model_folders import assert_near, lite_folder, random_lite


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANYMASK_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def picture() -> Picture:
    small = np.random.default_rng(0).integers(0, 256, (13, 20, 3), dtype=np.uint8)
    return Picture(small.repeat(17, axis=0).repeat(19, axis=1))


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return lite_folder(random_lite(), tmp_path_factory.mktemp("lite"))


@pytest.fixture(scope="module")
def prompts() -> list[PromptBatch]:
    points = np.array([[[100.4, 31.7], [90, 5]], [[3, 2], [80.2, 60.1]], [[64, 64], [0, 0]]], np.float32)
    labels = np.array([[1, 0], [2, 3], [1, -1]])
    masks = np.random.default_rng(0).normal(0, 5, (3, 1, 32, 32)).astype(np.float32)
    mask_alone = PromptBatch(np.zeros((3, 0, 2)), np.zeros((3, 0)), masks)
    several = [PromptBatch(points, labels), PromptBatch(points, labels, masks), mask_alone]
    return [*several, several[0][2:], several[1][2:]]  # a single click takes a way of its own in OpenVINO


def test_all_backends_agree(lite: ModelFolder, prompts: list[PromptBatch], picture: Picture) -> None:
    reference = make_runtime(lite, "torch", "exact", threads=1)
    features = reference.encode(picture)
    for backend in ("openvino", "onnx"):
        runtime = make_runtime(lite, backend, "exact", threads=1)
        for name, feature in runtime.encode(picture).items():
            assert_near(feature, features[name])
        for batch in prompts:
            ours, theirs = runtime.decode(features, batch), reference.decode(features, batch)
            assert ours.logits.std() > 0.01
            assert_near(ours.logits, theirs.logits)
            assert_near(ours.scores, theirs.scores)
            single = runtime.decode(features, batch, tokens=slice(0, 1), min_score=-1)
            assert_near(single.logits, ours.logits[:, :1])


def test_fast_places_prompts_exactly(lite: ModelFolder, prompts: list[PromptBatch], picture: Picture) -> None:
    exact, fast = (make_runtime(lite, "openvino", p, threads=1) for p in ("exact", "fast"))
    features = exact.encode(picture)
    for batch in prompts:
        difference = fast.decode(features, batch).logits - exact.decode(features, batch).logits
        # Box and disks enter the logits with weights 2 to 6: a misplaced one would differ by more.
        assert np.abs(difference).max() < 0.25


def test_split_keeps_the_function(lite: ModelFolder, prompts: list[PromptBatch]) -> None:
    core = openvino.Core()
    path = lite.path / "decoder.onnx"
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    whole = core.compile_model(path, "CPU", exact)
    front, rest = split_model(core.read_model(path), PROMPT_INPUTS)
    assert rest is not None
    assert {port.get_any_name() for port in front.inputs} == set(PROMPT_INPUTS)
    inputs = {port.get_any_name(): port.get_partial_shape() for port in whole.inputs}
    rng = np.random.default_rng(0)
    features = {
        name: rng.standard_normal(shape.to_shape()).astype(np.float32)
        for name, shape in inputs.items()
        if name not in PROMPT_INPUTS
    }
    prompt = whole_prompt(prompts[1], 32)
    between = core.compile_model(front, "CPU", exact)(prompt)
    parts = {port.get_any_name(): value for port, value in between.items()}
    found = core.compile_model(rest, "CPU", exact)(features | parts)
    expected = whole(features | prompt)
    for name in ("logits", "scores"):
        assert_near(found[name], expected[name])
