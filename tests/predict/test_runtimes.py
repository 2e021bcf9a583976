"""Every runtime gives what the published package gives, alone, in batches, in threads, across backends."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import openvino
import pytest
import torch

from anymask.core.errors import EmbeddingError, MissingExtraError, ModelError, PromptError
from anymask.core.images import Picture
from anymask.modeling.sam import Sam
from anymask.models.folder import ModelFolder
from anymask.models.manifest import WEIGHTS
from anymask.models.weights import read_layout, write_weights
from anymask.predict import backends
from anymask.predict.backends import make_runtime
from anymask.predict.graph_stages import PROMPT_INPUTS
from anymask.predict.openvino_split import split_model
from anymask.predict.runtime import PromptBatch, Runtime
from anymask.predict.staged_runtime import CHUNK
from tests.model_folders import TINY_SAM, assert_near, random_sam, sam_folder
from tests.modeling.twins import PROMPT_KINDS, PromptCase, published_sam

BACKENDS = ("openvino", "onnx", "torch")
HALF = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANYMASK_HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def sam() -> Sam:
    return random_sam()


@pytest.fixture(scope="module")
def folder(sam: Sam, tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return sam_folder(sam, tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def published(sam: Sam, segment_anything: ModuleType) -> Any:
    theirs = published_sam(segment_anything, TINY_SAM)
    theirs.load_state_dict(sam.state_dict())
    return theirs


@pytest.fixture(scope="module")
def runtimes(folder: ModelFolder) -> dict[str, Runtime]:
    return {backend: make_runtime(folder, backend, "exact", threads=1) for backend in BACKENDS}


@pytest.fixture(scope="module", params=BACKENDS)
def runtime(request: pytest.FixtureRequest, runtimes: dict[str, Runtime]) -> Runtime:
    return runtimes[request.param]


@pytest.fixture(scope="module")
def picture() -> Picture:
    small = np.random.default_rng(0).integers(0, 256, (13, 20, 3), dtype=np.uint8)
    return Picture(small.repeat(17, axis=0).repeat(19, axis=1))  # 221 x 380


@pytest.fixture(scope="module")
def features(runtimes: dict[str, Runtime], picture: Picture) -> dict[str, np.ndarray]:
    return runtimes["torch"].encode(picture)


def batch_of(kind: str, seed: int = 1) -> PromptBatch:
    points, labels, mask = PromptCase(TINY_SAM, **PROMPT_KINDS[kind], seed=seed).ours()
    return PromptBatch(points.numpy(), labels.numpy(), None if mask is None else mask.numpy())


def joined(batches: list[PromptBatch]) -> PromptBatch:
    masks = [b.mask_logits for b in batches if b.mask_logits is not None]
    return PromptBatch(
        np.concatenate([b.points_xy for b in batches]),
        np.concatenate([b.labels for b in batches]),
        np.concatenate(masks) if masks else None,
    )


@pytest.mark.parametrize("kind", PROMPT_KINDS)
def test_decoding_is_the_published_packages(
    kind: str, runtime: Runtime, features: dict[str, np.ndarray], published: Any
) -> None:
    case = PromptCase(TINY_SAM, **PROMPT_KINDS[kind])
    with torch.inference_mode():
        sparse, dense = published.prompt_encoder(*case.published())
        position = published.prompt_encoder.get_dense_pe()
        embedding = torch.tensor(features["image_embedding"])
        logits, scores = published.mask_decoder.predict_masks(embedding, position, sparse, dense)
    ours = runtime.decode(features, batch_of(kind))
    assert ours.logits.std() > 0.1
    assert_near(ours.logits, logits.numpy())
    assert_near(ours.scores, scores.numpy())
    np.testing.assert_array_equal(ours.index, np.arange(3))


def test_features_of_one_backend_work_in_all(
    runtimes: dict[str, Runtime], picture: Picture, features: dict[str, np.ndarray]
) -> None:
    expected = runtimes["torch"].decode(features, batch_of("box"))
    for maker in BACKENDS:
        foreign = runtimes[maker].encode(picture)
        for reader in BACKENDS:
            assert_near(runtimes[reader].decode(foreign, batch_of("box")).logits, expected.logits, 1e-3)


def test_chunks_equal_single_calls(runtime: Runtime, features: dict[str, np.ndarray]) -> None:
    for kind in ("points and box", "point and mask"):
        prompts = joined([batch_of(kind, seed) for seed in range(CHUNK // 3 + 2)])
        assert len(prompts) > CHUNK
        together = runtime.decode(features, prompts, tokens=slice(1, 4))
        for i in (0, 1, CHUNK - 1, CHUNK, len(prompts) - 1):
            alone = runtime.decode(features, prompts[i : i + 1], tokens=slice(1, 4))
            assert_near(together.logits[i], alone.logits[0])
            assert_near(together.scores[i], alone.scores[0])


@pytest.mark.parametrize("tokens", [slice(0, 1), slice(1, 4), slice(0, 4)])
def test_min_score_leaves_out_prompts_and_changes_nothing_else(
    tokens: slice, runtime: Runtime, features: dict[str, np.ndarray]
) -> None:
    prompts = joined([batch_of("point", seed) for seed in range(CHUNK // 3 + 2)])
    whole = runtime.decode(features, prompts, tokens=tokens)
    assert whole.logits.shape == (len(prompts), tokens.stop - tokens.start, 64, 64)
    limit = float(np.median(whole.scores.max(axis=1)))
    some = runtime.decode(features, prompts, tokens=tokens, min_score=limit)
    np.testing.assert_array_equal(some.index, np.flatnonzero(whole.scores.max(axis=1) >= limit))
    assert 0 < len(some.index) < len(prompts)
    assert_near(some.scores, whole.scores)
    assert_near(some.logits, whole.logits[some.index])
    none = runtime.decode(features, prompts, tokens=tokens, min_score=1e9)
    assert none.logits.shape[0] == len(none.index) == 0
    assert_near(none.scores, whole.scores)


def test_fast_stays_close_to_exact(
    folder: ModelFolder, runtimes: dict[str, Runtime], picture: Picture, features: dict[str, np.ndarray]
) -> None:
    fast = make_runtime(folder, "openvino", "fast", threads=1)
    exact = runtimes["openvino"]
    prompts = joined([batch_of("points and box", seed) for seed in range(8)])
    ours, theirs = fast.decode(fast.encode(picture), prompts), exact.decode(features, prompts)
    if not HALF:
        assert_near(ours.logits, theirs.logits, 1e-3)
        return
    assert np.abs(ours.logits - theirs.logits).max() > 1e-3  # it did compute in bfloat16
    first, second = ours.logits > 0, theirs.logits > 0
    iou = (first & second).sum(axis=(2, 3)) / np.maximum((first | second).sum(axis=(2, 3)), 1)
    assert iou.mean() > 0.95  # random weights: many logits lie near 0; trained ones agree better
    some = fast.decode(features, prompts, min_score=float(np.median(theirs.scores)))
    assert_near(some.logits, fast.decode(features, prompts).logits[some.index], 1e-6)


@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_a_compiled_model_from_the_cache_answers_alike(
    precision: str, folder: ModelFolder, picture: Picture, cache: Path, features: dict[str, np.ndarray]
) -> None:
    first = make_runtime(folder, "openvino", precision, threads=1)
    embedded = first.encode(picture)["image_embedding"]
    decoded = first.decode(features, batch_of("point")).logits
    blobs = {path: path.stat().st_mtime_ns for path in cache.rglob("*.blob")}
    assert blobs
    again = make_runtime(folder, "openvino", precision, threads=1)
    np.testing.assert_array_equal(again.encode(picture)["image_embedding"], embedded)
    np.testing.assert_array_equal(again.decode(features, batch_of("point")).logits, decoded)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.blob")} == blobs


def test_a_broken_cache_is_only_slower(
    folder: ModelFolder, picture: Picture, features: dict[str, np.ndarray], cache: Path
) -> None:
    make_runtime(folder, "openvino", "exact", threads=1).encode(picture)
    for path in cache.rglob("*.blob"):
        path.write_bytes(path.read_bytes()[:100])
    ours = make_runtime(folder, "openvino", "exact", threads=1).encode(picture)
    assert_near(ours["image_embedding"], features["image_embedding"])


def test_a_cache_that_cannot_be_written(
    folder: ModelFolder, picture: Picture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "file"))
    assert make_runtime(folder, "openvino", "exact", threads=1).encode(picture)


def test_two_threads_get_what_each_gets_alone(runtime: Runtime, picture: Picture) -> None:
    other = Picture(picture.pixels[::-1, ::-1])
    kinds = {"first": (picture, "points"), "second": (other, "point and mask")}
    alone = {}
    for name, (image, kind) in kinds.items():
        alone[name] = runtime.decode(runtime.encode(image), joined([batch_of(kind, s) for s in range(7)]))
    failures: list[str] = []

    def work(name: str) -> None:
        image, kind = kinds[name]
        for _ in range(3):
            found = runtime.decode(runtime.encode(image), joined([batch_of(kind, s) for s in range(7)]))
            if np.abs(found.logits - alone[name].logits).max() > 1e-5:
                failures.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in (*kinds, *kinds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_features_that_change_are_looked_at_again(runtime: Runtime, features: dict[str, np.ndarray]) -> None:
    mine = {"image_embedding": features["image_embedding"].copy()}
    before = runtime.decode(mine, batch_of("point")).logits
    mine["image_embedding"] *= -1
    after = runtime.decode(mine, batch_of("point")).logits
    assert np.abs(after - before).max() > 0.1
    negative = {"image_embedding": -features["image_embedding"]}
    assert_near(after, runtime.decode(negative, batch_of("point")).logits, 1e-5)


def test_many_images_by_turns(runtime: Runtime, features: dict[str, np.ndarray]) -> None:
    images = [{"image_embedding": features["image_embedding"] * scale} for scale in np.linspace(0.5, 2, 7)]
    for image in images:
        image["image_embedding"].flags.writeable = False
    expected = [runtime.decode(image, batch_of("box")).logits for image in images]
    for image, logits in [*zip(images, expected, strict=True)][::-1]:
        assert_near(runtime.decode(image, batch_of("box")).logits, logits, 1e-5)


def test_another_models_features(runtime: Runtime) -> None:
    with pytest.raises(EmbeddingError, match=r"'image_embedding' has shape \(1, 256, 64, 64\), tiny@1 needs"):
        runtime.decode({"image_embedding": np.zeros((1, 256, 64, 64), np.float32)}, batch_of("point"))
    with pytest.raises(EmbeddingError, match="has shape None"):
        runtime.decode({}, batch_of("point"))


def test_masks_of_another_size(runtime: Runtime, features: dict[str, np.ndarray]) -> None:
    prompt = PromptBatch(np.zeros((1, 0, 2)), np.zeros((1, 0)), np.zeros((1, 1, 256, 256)))
    with pytest.raises(PromptError, match=r"needs \(1, 1, 64, 64\)"):
        runtime.decode(features, prompt)


@pytest.fixture
def copy(folder: ModelFolder, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder.path, tmp_path / "copy"))


@pytest.mark.parametrize("backend", ["openvino", "onnx"])
@pytest.mark.parametrize("graph", ["encoder", "prepare"])
def test_a_broken_graph_is_one_clear_line(
    backend: str,
    graph: str,
    folder: ModelFolder,
    copy: Path,
    picture: Picture,
    features: dict[str, np.ndarray],
) -> None:
    (copy / f"{graph}.onnx").write_bytes(b"no graph at all")
    broken = make_runtime(ModelFolder(copy, folder.manifest), backend, "exact", threads=1)
    with pytest.raises(ModelError, match=f"{graph}.onnx .*pull or import it again") as caught:
        broken.encode(picture)
        broken.decode(features, batch_of("point"))
    assert "\n" not in str(caught.value)
    (copy / f"{graph}.onnx").unlink()
    missing = make_runtime(ModelFolder(copy, folder.manifest), backend, "exact", threads=1)
    with pytest.raises(ModelError, match=f"{graph}.onnx is missing"):
        missing.encode(picture)
        missing.decode(features, batch_of("point"))


@pytest.mark.parametrize("backend", ["openvino", "onnx", "torch"])
@pytest.mark.parametrize("damage", [lambda b: b[:-4], lambda b: b"x" * len(b)], ids=["short", "garbage"])
def test_broken_weights_are_one_clear_line(
    backend: str, damage: Any, folder: ModelFolder, copy: Path, picture: Picture
) -> None:
    (copy / WEIGHTS).write_bytes(damage((copy / WEIGHTS).read_bytes()))
    with pytest.raises(ModelError) as caught:
        make_runtime(ModelFolder(copy, folder.manifest), backend, "exact", threads=1).encode(picture)
    assert "\n" not in str(caught.value)
    assert "weights.safetensors" in str(caught.value)


def test_weights_that_are_not_numbers(folder: ModelFolder, copy: Path, picture: Picture, sam: Sam) -> None:
    layout = read_layout(copy / WEIGHTS)
    broken = {name: value.numpy().copy() for name, value in sam.state_dict().items()}
    broken["image_encoder.neck.3.bias"][:] = np.nan
    write_weights(copy / WEIGHTS, broken, layout)
    with pytest.raises(ModelError, match="NaN or infinity; its weights are damaged"):
        make_runtime(ModelFolder(copy, folder.manifest), "onnx", "exact", threads=1).encode(picture)


@pytest.mark.parametrize(
    ("backend", "module", "message"),
    [
        ("openvino", "openvino", "pip install openvino"),
        ("onnx", "onnxruntime", r"anymask\[onnx\]"),
        ("torch", "torch", r"anymask\[torch\]"),
    ],
)
def test_a_backend_that_is_not_installed(
    backend: str, module: str, message: str, folder: ModelFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtraError, match=message):
        make_runtime(folder, backend)


def test_auto_takes_what_is_there(folder: ModelFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"onnxruntime"}
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: name if name in there else None)
    assert "OnnxRuntime" in repr(vars(vars(make_runtime(folder))["_stages"]))
    there.clear()
    with pytest.raises(MissingExtraError, match="no runtime is installed"):
        make_runtime(folder)


@pytest.mark.parametrize(("backend", "precision"), [("tpu", "exact"), ("onnx", "best")])
def test_unknown_names(backend: str, precision: str, folder: ModelFolder) -> None:
    with pytest.raises(ModelError, match="give '"):
        make_runtime(folder, backend, precision)


@pytest.mark.parametrize(
    ("content", "cores"),
    [("max 100000", None), ("150000 100000", 2), ("50000 100000", 1), ("nonsense", None), ("1 0", None)],
)
def test_quota_of_a_container(content: str, cores: int | None, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(content + "\n")
    assert backends._quota(tmp_path / "cpu.max") == cores
    assert backends._quota(tmp_path / "none") is None


def test_split_of_a_model_without_other_inputs(folder: ModelFolder) -> None:
    model = openvino.Core().read_model(folder.path / "prompt.onnx")
    assert split_model(model, PROMPT_INPUTS) == (model, None)
