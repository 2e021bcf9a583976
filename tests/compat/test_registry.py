"""`sam_model_registry` opens a published `.pth` file directly, without torch."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from anymask.compat import SamPredictor, sam_model_registry
from anymask.core.errors import ModelError
from anymask.models.registry import Registry
from tests.automatic.sam_runtime import photo
from tests.modeling.twins import randomise
from tests.stubs import import_peer
from tests.test_imports import loaded_after


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the tests of this file: a checkpoint is converted once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYMASK_HOME", str(home))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """MobileSAM's own network with random weights, and the file they were saved to."""
    theirs = import_peer("mobile_sam").sam_model_registry["vit_t"]()
    randomise(theirs)
    path = tmp_path_factory.mktemp("published") / "mobile sam.pt"
    torch.save(theirs.state_dict(), path)
    return theirs.eval(), path


def test_a_checkpoint_answers_as_in_its_own_package(
    published: tuple[Any, Path], mobile_sam: ModuleType
) -> None:
    theirs = mobile_sam.SamPredictor(published[0])
    ours = SamPredictor(sam_model_registry["mobile"](checkpoint=str(published[1]), threads=1))
    for predictor in (theirs, ours):
        predictor.set_image(photo(150, 200))
    for prompt in (
        {"point_coords": np.array([[60, 70]]), "point_labels": np.array([1])},
        {"box": np.array([20, 30, 150, 120])},
    ):
        expected, found = (predictor.predict(**prompt, return_logits=True) for predictor in (theirs, ours))
        assert expected[2].std() > 0.1
        for mine, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, other, rtol=0, atol=1e-4)
        masks = [predictor.predict(**prompt)[0] for predictor in (ours, theirs)]
        assert np.logical_xor(*masks).sum() <= np.count_nonzero(np.abs(expected[0]) < 1e-4)


def test_a_checkpoint_is_converted_once(published: tuple[Any, Path], tmp_path: Path) -> None:
    first = sam_model_registry["vit_t"](published[1])
    models = Registry().cache.installed()
    copy = tmp_path / "renamed.pth"
    copy.write_bytes(published[1].read_bytes())
    second = sam_model_registry["mobile"](copy)
    assert Registry().cache.installed() == models
    assert first.model.sha256 == second.model.sha256
    by_name = sam_model_registry["mobile"](models[0].name)
    by_folder = sam_model_registry["mobile"](models[0].path)
    assert by_name.model.sha256 == by_folder.model.sha256 == first.model.sha256


def test_the_wrong_network_is_named(published: tuple[Any, Path]) -> None:
    with pytest.raises(ModelError, match=r"a sam_tiny_vit, no sam_vit_b; use sam_model_registry\['mobile'\]"):
        sam_model_registry["vit_b"](published[1])


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"Cannot read .*sam_vit_b\.pth: No such file"):
        sam_model_registry["vit_b"](checkpoint=tmp_path / "sam_vit_b.pth")
    with pytest.raises(ModelError, match="anymask models pull vit_h"):
        sam_model_registry["default"]()
    with pytest.raises(ModelError, match="Did you mean 'vit_b'"):
        sam_model_registry["vit_b"]("vit-b")
    (tmp_path / "notes.pth").write_text("not a checkpoint")
    with pytest.raises(ModelError):
        sam_model_registry["vit_b"](tmp_path / "notes.pth")


def test_no_torch_is_loaded(published: tuple[Any, Path]) -> None:
    code = (
        "from anymask.compat import *\nimport numpy as np\n"
        f"predictor = SamPredictor(sam_model_registry['mobile']({str(published[1])!r}, threads=1))\n"
        "predictor.set_image(np.zeros((40, 60, 3), np.uint8))\n"
        "predictor.predict(np.array([[5, 5]]), np.array([1]))"
    )
    assert loaded_after(code) & {"torch", "openvino"} == {"openvino"}
