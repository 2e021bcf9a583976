"""The shipped graph templates: complete, without weights, and what the network gives today."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from anymask.core.errors import ModelError
from anymask.core.images import Picture
from anymask.modeling.config import sam_config
from anymask.modeling.sam import Sam
from anymask.models.folder import ModelFolder, file_sha256
from anymask.models.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from anymask.models.spec import ModelSpec
from anymask.models.templates import Template, fill_model_folder
from anymask.predict.backends import make_runtime
from anymask.predict.preprocess import network_input
from anymask.predict.runtime import PromptBatch
from anymask.release.export import LARGEST_CONSTANT, state_layout
from anymask.release.templates import ARCHITECTURES, main
from tests.model_folders import assert_near, random_sam

# These biases add one number to all inputs of a softmax (`modeling/fast_decoder.py`).
CANCELLED = {
    "mask_decoder.transformer.layers.1.cross_attn_token_to_image.k_proj.bias",
    "mask_decoder.transformer.final_attn_token_to_image.k_proj.bias",
}
GRAPHS = {"encoder", "prompt", "prepare", "decoder", "decoder_masked", "upscale"}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_layout_is_the_networks_state(architecture: str) -> None:
    with torch.device("meta"):
        sam = Sam(sam_config(architecture))
    assert Template.load(architecture).layout == state_layout(sam)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_graphs_refer_to_all_weights_and_hold_none(architecture: str) -> None:
    template = Template.load(architecture)
    assert {name.removesuffix(".onnx") for name in template.graphs} == GRAPHS
    used = set()
    for content in template.graphs.values():
        graph = onnx.load_model_from_string(content).graph
        for tensor in graph.initializer:
            if tensor.data_location != onnx.TensorProto.EXTERNAL:
                assert tensor.ByteSize() < LARGEST_CONSTANT
                continue
            place = template.layout.places[tensor.name]
            where = {entry.key: entry.value for entry in tensor.external_data}
            assert where == {"location": WEIGHTS, "offset": str(place.offset), "length": str(place.length)}
            assert tuple(tensor.dims) == place.shape
            used.add(tensor.name)
    assert template.layout.places.keys() - used == CANCELLED


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_graphs_tell_nothing_about_the_machine(architecture: str) -> None:
    for content in Template.load(architecture).graphs.values():
        for word in (b"site-packages", b".py", b"torch", os.fsencode(Path.cwd())):
            assert word not in content


@pytest.mark.slow
def test_making_them_again_changes_nothing(tmp_path: Path) -> None:
    main(["sam_vit_b", "--out", str(tmp_path)])
    made = Template.load("sam_vit_b", tmp_path)
    shipped = Template.load("sam_vit_b")
    assert made.layout == shipped.layout
    assert made.graphs.keys() == shipped.graphs.keys()
    for name, content in made.graphs.items():
        assert content == shipped.graphs[name], name


def test_unknown_architecture() -> None:
    with pytest.raises(ModelError, match=r"No graphs for architecture 'sam_vit_x'; .* for: sam_tiny"):
        Template.load("sam_vit_x")


def test_broken_template(tmp_path: Path) -> None:
    template = Template.load("sam_vit_b")
    template.save(tmp_path / "mine")
    assert Template.load("mine", tmp_path) == template
    path = tmp_path / "mine" / "upscale.onnx.gz"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ModelError, match=r"upscale\.onnx\.gz is broken"):
        Template.load("mine", tmp_path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Weights do not fit the network: missing"):
        fill_model_folder("sam_vit_b", {"image_encoder.pos_embed": np.zeros((1, 64, 64, 768))}, tmp_path)
    assert not (tmp_path / WEIGHTS).exists()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["sam_vit_b", "sam_tiny_vit"])
def test_full_networks_run_from_their_templates(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "home"))
    folder, spec = tmp_path / "model", ModelSpec("full", architecture)
    folder.mkdir()
    picture = Picture(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))
    prompts = PromptBatch(np.array([[[500, 300], [0, 0]]]), np.array([[1, -1]]))
    sam = random_sam(sam_config(architecture))
    state = {name: value.numpy() for name, value in sam.state_dict().items()}
    names = Template.load(architecture).layout.places
    fill_model_folder(architecture, {name: state[name] for name in names}, folder)
    with torch.inference_mode():
        embedding = sam.encode(torch.from_numpy(network_input(picture, spec)))
        points, labels = torch.tensor(prompts.points_xy), torch.tensor(prompts.labels)
        logits, scores = sam.decode(embedding, points, labels)
    del sam, state  # 375 MB twice
    files = {p.name: FileEntry(file_sha256(p), p.stat().st_size) for p in folder.iterdir()}
    Manifest(spec, files).write(folder / MANIFEST)
    runtime = make_runtime(ModelFolder.open(folder), "openvino", "exact")
    features = runtime.encode(picture)
    found = runtime.decode(features, prompts)
    assert embedding.std() > 0.1
    assert_near(features["image_embedding"], embedding.numpy(), 5e-4)
    assert_near(found.scores, scores.numpy(), 1e-3)
    assert_near(found.logits, logits.numpy(), 1e-3)
