"""The comparisons. Each notes how much the answers differ: a ratio of different answers says nothing."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from anymask.core.arrays import sealed
from anymask.core.images import Picture
from anymask.evaluate.timing import interleave
from anymask.predict.load import load
from anymask.predict.model import AMBIGUITY_MASKS
from anymask.predict.runtime import INCLUDE, NOT_A_POINT, PromptBatch
from bench.report import Part, Row, rows_of
from bench.subjects import MOBILE, OURS, VIT_B, Network, Subject, Subjects, clicks, differences, photo

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = ("segment_anything", "anymask", "anymask.compat", "anymask, openvino")


@dataclass(frozen=True)
class Setup:
    """subjects: networks with random weights. rounds: samples per contender."""

    subjects: Subjects
    rounds: int


def encoder(name: str, setup: Setup, network: Network) -> Part:
    """Embedding an image, from pixels on."""
    predictors = setup.subjects.subject(network).predictors
    image = photo()
    embeddings = {key: predictor.get_image_embedding().numpy() for key, predictor in predictors.items()}
    calls = {key: _with(predictor.set_image, image) for key, predictor in predictors.items()}
    timings = interleave(calls, setup.rounds)
    title = f"{network.key}: embed an image of 1024 x 768 pixels"
    return Part(name, title, rows_of(timings, differences(embeddings)))


def click(name: str, setup: Setup) -> Part:
    """One click on an embedded image, up to three masks of its size."""
    predictors = setup.subjects.subject(VIT_B).predictors
    prompt = {"point_coords": clicks(1), "point_labels": np.array([1])}
    logits = {key: predictor.predict(**prompt)[2] for key, predictor in predictors.items()}
    calls: dict[str, Callable[[], object]] = {
        key: _with(predictor.predict, **prompt) for key, predictor in predictors.items()
    }
    fast = predictors[OURS["fast"]]
    embedding = fast.get_image_embedding()

    def first_click() -> object:
        fast.features = embedding  # a copy: nothing is remembered about it
        return fast.predict(**prompt)

    calls[f"{OURS['fast']}, first on its image"] = first_click
    timings = interleave(calls, setup.rounds)
    return Part(name, "vit_b: one click to three masks", rows_of(timings, differences(logits)))


def prompts(name: str, setup: Setup, count: int) -> Part:
    """Many clicks on an embedded image, up to their low-resolution logits."""
    subject = setup.subjects.subject(VIT_B)
    points = subject.predictors[VIT_B.title].transform.apply_coords(clicks(count), photo().shape[:2])
    calls = decoders(subject, points.astype(np.float32))
    logits = {key: call() for key, call in calls.items()}
    timings = interleave(calls, setup.rounds)
    return Part(name, f"vit_b: decode {count} clicks", rows_of(timings, differences(logits)))


def decoders(subject: Subject, points: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Per contender, from (N, 2) clicks in the input frame to logits (N, 3, h, w), all on one embedding."""
    theirs, *ours = subject.predictors.values()
    features = {"image_embedding": sealed(theirs.features.numpy().copy())}
    tensors = torch.from_numpy(points)[:, None], torch.ones(len(points), 1, dtype=torch.int)

    @torch.no_grad()
    def published() -> np.ndarray:
        sam = theirs.model
        sparse, dense = sam.prompt_encoder(points=tensors, boxes=None, masks=None)
        logits: torch.Tensor = sam.mask_decoder(
            image_embeddings=theirs.features,
            image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )[0]
        return logits.numpy()

    return {subject.network.title: published} | {
        name: _decode(predictor.model.runtime, features, points)
        for name, predictor in zip(OURS.values(), ours, strict=True)
    }


def lite(name: str, setup: Setup) -> Part:
    """The model in the package, in milliseconds; there is no other to compare with."""
    picture = Picture(photo())
    calls: dict[str, Callable[[], object]] = {}
    for precision in ("fast", "exact"):
        model = load("lite", precision=precision)
        features, frame = model.runtime.encode(picture), model.embed(picture).frame
        calls[f"embed, {precision}"] = _with(model.runtime.encode, picture)
        for count in (1, 16, 64):
            points = frame.points_to_input(clicks(count))
            calls[f"decode {count}, {precision}"] = _decode(model.runtime, features, points)
    return Part(name, "lite: the model in the package", rows_of(interleave(calls, setup.rounds)))


def start(name: str, setup: Setup) -> Part:
    """A new interpreter that imports a package and ends."""
    calls = {f"import {module}": _with(_python, "-c", f"import {module}") for module in IMPORTS}
    return Part(name, "start-up: the interpreter and an import", rows_of(interleave(calls, setup.rounds)))


def memory(name: str, setup: Setup, network: Network = VIT_B) -> Part:
    """The largest memory of a process that makes one mask from a checkpoint."""
    subject = setup.subjects.subject(network)
    command = ("-m", "bench.one_mask")
    runs = {network.title: (*command, network.package, network.key, str(subject.checkpoint))} | {
        title: (*command, "anymask.compat", network.key, str(subject.checkpoint), f"precision={precision}")
        for precision, title in OURS.items()
    }
    for arguments in list(runs.values())[1:]:
        _python(*arguments)  # the checkpoint is converted, the networks compiled into the cache
    seen: dict[str, list[float]] = {key: [] for key in runs}
    for _ in range(setup.rounds):
        for key, arguments in runs.items():
            seen[key].append(float(_python(*arguments)))
    rows = [Row(key, statistics.median(peaks), "MB", min(peaks)) for key, peaks in seen.items()]
    return Part(name, f"{network.key}: peak memory of a process that makes one mask", rows)


def everything_vit_b(name: str, setup: Setup) -> Part:
    """All masks of a photo, 1,024 clicks, ViT-B; answers replaced by a scene's (`bench.everything`)."""
    checkpoint = str(setup.subjects.subject(VIT_B).checkpoint)
    contenders = {VIT_B.title: "published"} | {title: precision for precision, title in OURS.items()}
    runs = {title: (contender, checkpoint) for title, contender in contenders.items()}
    return _everything(name, "vit_b: all masks of 1800 x 1200 pixels, 1,024 clicks", runs, setup.rounds)


def everything_lite(name: str, setup: Setup) -> Part:
    """The same with the model in the package; there is no other to compare with."""
    runs = {"every click": ("lite",), "coarse-to-fine": ("lite-coarse",)}
    return _everything(name, "lite: all masks of 1800 x 1200 pixels", runs, setup.rounds)


def _everything(name: str, title: str, runs: Mapping[str, tuple[str, ...]], rounds: int) -> Part:
    """Rows of time, of every stage, and of memory; each run is a process of its own."""
    seen: dict[str, list[dict[str, Any]]] = {contender: [] for contender in runs}
    for _ in range(rounds):
        for contender, arguments in runs.items():
            seen[contender].append(json.loads(_python("-m", "bench.everything", *arguments)))
    rows = [_median(contender, [run["seconds"] for run in found], "s") for contender, found in seen.items()]
    for contender, found in seen.items():
        rows += [
            _median(f"{contender}: {stage}", [run["stages"][stage] for run in found], "s")
            for stage in found[0]["stages"]
        ]
        rows.append(_median(f"{contender}: CPU", [run["cpu"] for run in found], "s"))
        rows.append(_median(f"{contender}: peak memory", [run["peak_mb"] for run in found], "MB"))
        rows.append(_median(f"{contender}: masks", [run["masks"] for run in found], ""))
    return Part(name, title, rows)


def _median(title: str, figures: list[float], unit: str) -> Row:
    return Row(title, statistics.median(figures), unit, min(figures))


PARTS: Mapping[str, Callable[[str, Setup], Part]] = {
    "start": start,
    "encoder": lambda name, setup: encoder(name, setup, VIT_B),
    "click": click,
    "prompts-16": lambda name, setup: prompts(name, setup, 16),
    "prompts-64": lambda name, setup: prompts(name, setup, 64),
    "memory": memory,
    "mobile": lambda name, setup: encoder(name, setup, MOBILE),
    "lite": lite,
    "everything-vit-b": everything_vit_b,
    "everything-lite": everything_lite,
}
"""Name -> what measures it, in the order of the report."""


def _with(call: Callable[..., Any], *arguments: Any, **named: Any) -> Callable[[], Any]:
    return lambda: call(*arguments, **named)


def _decode(runtime: Any, features: Mapping[str, np.ndarray], points: np.ndarray) -> Callable[[], np.ndarray]:
    padded = np.stack([points, np.zeros_like(points)], axis=1)
    batch = PromptBatch(padded, np.tile(np.array([INCLUDE, NOT_A_POINT], np.int32), (len(points), 1)))
    return lambda: runtime.decode(features, batch, tokens=AMBIGUITY_MASKS).logits


def _python(*arguments: str) -> str:
    """What a new interpreter prints; the published packages find their stubs, anymask its sources."""
    paths = [str(ROOT), str(ROOT / "src"), str(ROOT / "tests" / "stubs")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-W", "ignore", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout
