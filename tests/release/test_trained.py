"""From a training run to a model folder that answers as the trained network does."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import anymask
from anymask.core.errors import ModelError
from anymask.core.prompt import Prompt
from anymask.modeling.lite import Lite, build_lite
from anymask.release.trained import main, read_trained, stored_as_half
from tests.train.toys import TINY, drawing


@pytest.fixture
def run_model(tmp_path: Path) -> Path:
    """`model.pt` as a training run leaves it: normalisation not folded."""
    torch.manual_seed(3)
    model = build_lite(TINY).train()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
        for _ in range(3):
            model.encoder(torch.randn(2, 3, 64, 64))
    path = tmp_path / "model.pt"
    torch.save({"model": model.state_dict(), "config": TINY.to_dict()}, path)
    return path


def rounded(model: Lite) -> Lite:
    """The same network with the weights that are stored as float16 rounded so."""
    half = stored_as_half(model)
    model.load_state_dict({k: v.half().float() if k in half else v for k, v in model.state_dict().items()})
    return model


@pytest.mark.parametrize("backend", ["openvino", "onnx", "torch"])
def test_the_folder_answers_as_the_trained_network(
    run_model: Path, tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    monkeypatch.setattr(
        sys, "argv", ["trained", str(run_model), str(folder), "--version", "9.1", "--input-size", "64"]
    )
    assert main() == 0
    model = anymask.load(folder, precision="exact", backend=backend)
    assert model.spec.full_name == "lite@9.1"
    pixels, _ = drawing(0, 64, 64)
    found = model.predict_many(model.embed(pixels), [Prompt.click(20, 30), Prompt.click(55, 10)])
    network = rounded(read_trained(run_model))
    with torch.no_grad():
        normal = (torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32)) - 127) / 128
        points = torch.tensor([[[20.0, 30.0], [0, 0]], [[55.0, 10.0], [0, 0]]])
        labels = torch.tensor([[1, -1], [1, -1]])
        logits, scores = network.decoder(
            *network.encoder(normal), points, labels, torch.zeros(2, 1, 16, 16), torch.zeros(2)
        )
    for i, prediction in enumerate(found):
        order = scores[i, 1:].argsort(descending=True) + 1
        got = np.stack([candidate.low_res_logits for candidate in prediction])
        np.testing.assert_allclose(got, logits[i, order].numpy(), atol=1e-4)
        np.testing.assert_allclose(prediction.scores, scores[i, order].numpy(), atol=1e-5)


def test_a_file_that_is_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.pt"
    torch.save({"weights": torch.zeros(2)}, path)
    with pytest.raises(ModelError, match="is no model of a training run"):
        read_trained(path)
    monkeypatch.setattr(sys, "argv", ["trained", str(path), str(tmp_path / "folder"), "--version", "1"])
    assert main() == 1
    assert "is no model of a training run" in capsys.readouterr().err
    assert not (tmp_path / "folder").exists()
