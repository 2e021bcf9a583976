"""The exported ONNX files answer as segment_anything's predictor does, through its own export's names."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from anymask.core.errors import ModelError, OutputError
from anymask.models.folder import ModelFolder, file_sha256
from anymask.models.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from anymask.models.spec import ModelSpec
from anymask.models.weights import write_weights
from anymask.release import export_onnx, onnx_files
from anymask.release.export import state_layout
from tests.model_folders import TINY_SAM, assert_near, random_sam
from tests.modeling.twins import published_sam

IMAGE_HW = (221, 380)


def weights_only(folder: Path, **spec: Any) -> ModelFolder:
    """A model folder without graphs: exporting needs the weights alone."""
    sam = random_sam()
    state = {name: value.numpy() for name, value in sam.state_dict().items()}
    write_weights(folder / WEIGHTS, state, state_layout(sam))
    entry = FileEntry(file_sha256(folder / WEIGHTS), (folder / WEIGHTS).stat().st_size)
    given = {"architecture": "sam_vit_b", "input_size": 256, "mask_size": 64, **spec}
    Manifest(ModelSpec("tiny", **given), {WEIGHTS: entry}).write(folder / MANIFEST)
    return ModelFolder.open(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return weights_only(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def exported(folder: ModelFolder, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return export_onnx(folder, tmp_path_factory.mktemp("out") / "new", 18)


@pytest.fixture(scope="module")
def predictor(segment_anything: ModuleType) -> Any:
    theirs = published_sam(segment_anything, TINY_SAM)
    theirs.load_state_dict(random_sam().state_dict())
    predictor = segment_anything.SamPredictor(theirs)
    small = np.random.default_rng(0).integers(0, 256, (13, 20, 3), dtype=np.uint8)
    predictor.set_image(small.repeat(17, axis=0).repeat(19, axis=1))
    return predictor


def test_encoder(exported: list[Path], predictor: Any, segment_anything: ModuleType) -> None:
    small = np.random.default_rng(0).integers(0, 256, (13, 20, 3), dtype=np.uint8)
    transform = segment_anything.utils.transforms.ResizeLongestSide(256)
    resized = transform.apply_image(small.repeat(17, axis=0).repeat(19, axis=1))
    image = resized.transpose(2, 0, 1)[None].astype(np.float32)
    (embedding,) = onnxruntime.InferenceSession(exported[0]).run(["image_embeddings"], {"input_image": image})
    assert_near(embedding, predictor.get_image_embedding().numpy())


@pytest.mark.parametrize("with_mask", [False, True])
@pytest.mark.parametrize("with_box", [False, True])
def test_decoder(with_mask: bool, with_box: bool, exported: list[Path], predictor: Any) -> None:
    points, labels = np.array([[100, 50], [310.5, 200.25]]), np.array([1, 0])
    box = np.array([20, 30, 300, 180])
    mask = np.random.default_rng(1).normal(0, 8, (1, 64, 64)).astype(np.float32)
    masks, scores, low = predictor.predict(
        points,
        labels,
        box if with_box else None,
        mask if with_mask else None,
        multimask_output=True,
        return_logits=True,
    )
    extra = (box.reshape(2, 2), [2, 3]) if with_box else (np.zeros((1, 2)), [-1])
    coordinates = predictor.transform.apply_coords(np.concatenate([points, extra[0]]), IMAGE_HW)
    inputs = {
        "image_embeddings": predictor.get_image_embedding().numpy(),
        "point_coords": coordinates[None].astype(np.float32),
        "point_labels": np.concatenate([labels, extra[1]])[None].astype(np.float32),
        "mask_input": mask[None] if with_mask else np.zeros((1, 1, 64, 64), np.float32),
        "has_mask_input": np.array([with_mask], np.float32),
        "orig_im_size": np.array(IMAGE_HW, np.float32),
    }
    names = ["masks", "iou_predictions", "low_res_masks"]
    outputs = onnxruntime.InferenceSession(exported[1]).run(names, inputs)
    for ours, theirs in zip(outputs, (masks, scores, low), strict=True):
        assert_near(ours[0, 1:], theirs)
    assert outputs[0].shape[2:] == IMAGE_HW


def test_names_and_order_are_those_of_the_published_export(exported: list[Path]) -> None:
    graph = onnx.load(exported[1]).graph
    weights = {tensor.name for tensor in graph.initializer}
    assert [value.name for value in graph.input if value.name not in weights] == [
        "image_embeddings",
        "point_coords",
        "point_labels",
        "mask_input",
        "has_mask_input",
        "orig_im_size",
    ]
    assert [value.name for value in graph.output] == ["masks", "iou_predictions", "low_res_masks"]
    for path in exported:
        onnx.checker.check_model(onnx.load(path), full_check=True)


def test_large_weights_stay_beside_the_files(
    folder: ModelFolder, exported: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_files, "LARGEST_FILE", 1000)
    written = export_onnx(folder, tmp_path)
    assert {path.name for path in written} == {"encoder.onnx", "decoder.onnx", WEIGHTS}
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in written}
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 256, 100)).astype(np.float32)
    ours, theirs = (
        onnxruntime.InferenceSession(path).run(None, {"input_image": image})[0]
        for path in (tmp_path / "encoder.onnx", exported[0])
    )
    assert_near(ours, theirs)


def test_what_cannot_be_exported(folder: ModelFolder, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="opset is 16; give one from 18 to 23"):
        export_onnx(folder, tmp_path, 16)
    (tmp_path / "lite").mkdir()
    lite = weights_only(tmp_path / "lite", architecture="lite")
    with pytest.raises(ModelError, match="is no Segment Anything network; its ONNX files are in"):
        export_onnx(lite, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot make the folder"):
        export_onnx(folder, tmp_path / "file" / "out")
