"""Decoders for browsers: each graph one file, which any ONNX Runtime opens alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

import anymask
from anymask.core.errors import FormatError
from anymask.models.registry import resolve
from anymask.studio.graph_files import self_contained
from tests.model_folders import random_sam, sam_folder
from tests.studio.served import Running, running

API = "/api/v1"
LITE = resolve("lite").path


def tensors(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """All initializers, also those of branches."""
    found = {}
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        found |= {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        graphs += [part.g for node in graph.node for part in node.attribute if part.HasField("g")]
    return found


def graphs_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.onnx"))


@pytest.mark.parametrize("kind", ["lite", "Segment Anything"])
def test_a_graph_has_the_weights_that_it_named(kind: str, tmp_path: Path) -> None:
    """Against the `onnx` package, which reads both: the same graph, the same numbers."""
    folder = LITE if kind == "lite" else sam_folder(random_sam(), tmp_path / "model").path
    weights = (folder / "weights.safetensors").read_bytes()
    assert len(graphs_of(folder)) >= 5
    for path in graphs_of(folder):
        alone = onnx.load_model_from_string(self_contained(path.read_bytes(), weights))
        beside = onnx.load(str(path))
        onnx.checker.check_model(alone)
        ours, theirs = tensors(alone), tensors(beside)
        assert set(ours) == set(theirs)
        assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
        assert alone.graph.node == beside.graph.node
        assert [port.name for port in alone.graph.input] == [port.name for port in beside.graph.input]


@pytest.mark.parametrize("model", [b"\x3a\xff\xff\xff", b"\x3a\x05\x01", b"\xff" * 40, b"\x07"])
def test_what_is_no_graph_is_refused(model: bytes) -> None:
    with pytest.raises(FormatError):
        self_contained(model, b"")


def test_weights_that_are_too_short_are_told() -> None:
    with pytest.raises(FormatError, match="shorter"):
        self_contained((LITE / "decoder.onnx").read_bytes(), bytes(1000))


def test_the_served_decoder_opens_alone(folder: Path) -> None:
    model = anymask.load(threads=1)
    with running(folder, models=[model], model_folders=(LITE,)) as studio:
        known = studio.client.get(f"{API}/models/{model.sha256}").json()
        assert (known["graphs"], known["features"]) == (["decoder"], ["s16", "s8", "s4"])
        answer = studio.client.get(f"{API}/models/{model.sha256}/decoder.onnx")
        assert "immutable" in answer.headers["cache-control"]
        session = onnxruntime.InferenceSession(answer.content)
        assert {port.name for port in session.get_inputs()} >= set(known["features"])
        for graph in ("encoder", "click_decoder", "weights", "nothing"):
            assert studio.client.get(f"{API}/models/{model.sha256}/{graph}.onnx").status_code == 404
        assert studio.client.get(f"{API}/models/{'0' * 64}").status_code == 404


def test_a_model_without_a_folder_has_no_graphs(studio: Running) -> None:
    model = studio.services.served.shelf.default
    assert studio.client.get(f"{API}/models/{model.sha256}").json()["graphs"] == []


def test_a_model_that_a_project_switched_to_is_decoded_in_browsers_too(tmp_path: Path) -> None:
    other = tmp_path / "other-model"
    shutil.copytree(LITE, other)
    with running(tmp_path, ahead=0) as studio:
        opened = studio.services.models.open(str(other))
        known = studio.client.get(f"{API}/models/{opened.sha256}").json()
        assert known["graphs"] == ["decoder"]
