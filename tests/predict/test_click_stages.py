"""Many clicks on `lite` take a way of their own through the runtimes; the answers are the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from anymask.core.images import Picture
from anymask.models.folder import ModelFolder
from anymask.models.manifest import MANIFEST, Manifest
from anymask.predict.backends import make_runtime
from anymask.predict.click_stages import CLICK_DECODER, CLICK_IMAGE, CLICK_UPSCALE, are_clicks
from anymask.predict.graph_stages import WholeStages
from anymask.predict.runtime import PromptBatch
from tests.model_folders import assert_near, lite_folder, random_lite

GRAPHS = (CLICK_IMAGE, CLICK_DECODER, CLICK_UPSCALE)


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANYMASK_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return lite_folder(random_lite(), tmp_path_factory.mktemp("lite"))


@pytest.fixture(scope="module")
def older(lite: ModelFolder, tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """A folder from before there were graphs for clicks."""
    folder: Path = tmp_path_factory.mktemp("older")
    manifest = Manifest.read(lite.path / MANIFEST)
    files = {name: entry for name, entry in manifest.files.items() if Path(name).stem not in GRAPHS}
    for name in files:
        shutil.copy(lite.path / name, folder / name)
    Manifest(manifest.spec, files).write(folder / MANIFEST)
    return ModelFolder.open(folder)


@pytest.fixture(scope="module")
def picture() -> Picture:
    small = np.random.default_rng(0).integers(0, 256, (13, 20, 3), dtype=np.uint8)
    return Picture(small.repeat(17, axis=0).repeat(19, axis=1))


def clicks(count: int, labels: tuple[int, int] = (1, -1)) -> PromptBatch:
    points = np.random.default_rng(1).uniform(0, 120, (count, 2)).astype(np.float32)
    padded = np.stack([points, np.zeros_like(points)], axis=1)
    return PromptBatch(padded, np.tile(np.array(labels, np.int32), (count, 1)))


@pytest.mark.parametrize("backend", ["openvino", "onnx"])
@pytest.mark.parametrize("count", [8, 16, 37])
def test_many_clicks_get_the_answers_of_the_whole_decoder(
    backend: str, count: int, lite: ModelFolder, older: ModelFolder, picture: Picture
) -> None:
    ours = make_runtime(lite, backend, "exact", threads=1)
    whole = make_runtime(older, backend, "exact", threads=1)
    features = whole.encode(picture)
    expected = whole.decode(features, clicks(count))
    found = ours.decode(features, clicks(count))
    assert expected.logits.std() > 0.01
    assert_near(found.logits, expected.logits)
    assert_near(found.scores, expected.scores)
    middle = float(np.median(expected.scores[:, 1:4].max(axis=1)))
    some = ours.decode(features, clicks(count), tokens=slice(1, 4), min_score=middle)
    assert 0 < len(some.index) < count
    assert_near(some.logits, expected.logits[some.index, 1:4])
    assert_near(some.scores, expected.scores[:, 1:4])


def test_images_do_not_mix(lite: ModelFolder, older: ModelFolder, picture: Picture) -> None:
    """What an image's clicks share is kept per image, and not in memory that the next image takes over."""
    runtime, whole = (make_runtime(folder, "openvino", "exact", threads=1) for folder in (lite, older))
    other = Picture(picture.pixels[::-1].copy())
    features = [runtime.encode(one) for one in (picture, other)]
    for index in (0, 1, 0):
        found = runtime.decode(features[index], clicks(8)).logits
        assert_near(found, whole.decode(features[index], clicks(8)).logits)


def test_fast_is_near(lite: ModelFolder, picture: Picture) -> None:
    exact, fast = (make_runtime(lite, "openvino", precision, threads=1) for precision in ("exact", "fast"))
    features = exact.encode(picture)
    difference = fast.decode(features, clicks(16)).logits - exact.decode(features, clicks(16)).logits
    # Disks enter the logits with weight 2: a misplaced one would differ by more.
    assert np.abs(difference).max() < 0.25


def test_which_prompts_are_clicks() -> None:
    assert are_clicks(clicks(3))
    assert not are_clicks(clicks(3, labels=(1, 1)))
    assert not are_clicks(clicks(3, labels=(2, 3)))
    assert not are_clicks(clicks(3, labels=(0, -1)))
    alone = PromptBatch(np.zeros((2, 1, 2), np.float32), np.ones((2, 1), np.int32))
    assert not are_clicks(alone)
    masks = np.zeros((3, 1, 32, 32), np.float32)
    assert not are_clicks(PromptBatch(clicks(3).points_xy, clicks(3).labels, masks))


def test_an_older_folder_has_one_decoder(older: ModelFolder) -> None:
    runtime = make_runtime(older, "openvino", "exact", threads=1)
    assert type(runtime._stages) is WholeStages  # type: ignore[attr-defined]
