"""Everything mode end to end: time per stage and peak memory, each run in a process of its own.

`python -m bench.everything CONTENDER [CHECKPOINT]` prints one JSON object. CONTENDER: published, exact, fast,
lite, lite-coarse.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from anymask.automatic import generate_masks
from anymask.core.images import Picture
from anymask.evaluate.memory import peak_mb
from anymask.predict.load import load
from anymask.predict.model import Model

SIZE_HW = (1200, 1800)
COFFEE = Path(__file__).resolve().parents[1] / "examples" / "coffee.jpg"


class Clock:
    """Wall seconds by stage."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}

    def timed(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, its time counted."""

        def run(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                self.wall[stage] = self.wall.get(stage, 0.0) + time.perf_counter() - start

        return run


def picture() -> np.ndarray:
    """The coffee cup at 1800 x 1200 pixels, (H, W, 3) uint8."""
    height, width = SIZE_HW
    return np.array(Image.open(COFFEE).convert("RGB").resize((width, height), Image.Resampling.BICUBIC))


def run_published(checkpoint: str) -> dict[str, Any]:
    """segment_anything on ViT-B, its answers replaced by a scene's."""
    from segment_anything import SamAutomaticMaskGenerator, sam_model_registry

    from bench.scene import Scene, answer_with

    network = sam_model_registry["vit_b"](checkpoint=checkpoint).eval()
    answer_with(Scene(SIZE_HW), network)
    generator, clock, image = SamAutomaticMaskGenerator(network), Clock(), picture()
    predictor = generator.predictor
    predictor.set_image = clock.timed("encode", predictor.set_image)
    predictor.model.mask_decoder.forward = clock.timed("decode", predictor.model.mask_decoder.forward)
    return _measured(clock, lambda: [mask for mask in generator.generate(image) if mask["area"]])


def run_ours(checkpoint: str, precision: Any) -> dict[str, Any]:
    """anymask on the same weights and the same scene."""
    from anymask.compat.build_sam import sam_model_registry
    from bench.scene import Scene, SceneRuntime

    model = sam_model_registry["vit_b"](checkpoint=checkpoint, precision=precision).model
    scene = SceneRuntime(model.runtime, Scene(SIZE_HW))
    model = Model(scene, sha256=model.sha256, threads=model.threads)
    return _run(model)


def run_lite(**settings: Any) -> dict[str, Any]:
    """The model in the package, with its own thresholds; its answers are its own."""
    return _run(load("lite"), **settings)


def _run(model: Model, **settings: Any) -> dict[str, Any]:
    clock, image = Clock(), Picture(picture())
    few = {"points_per_side": 4, **settings}
    generate_masks(model, image, **few)  # compiles what is compiled on first use
    runtime: Any = model.runtime
    runtime.encode, runtime.decode = (
        clock.timed("encode", runtime.encode),
        clock.timed("decode", runtime.decode),
    )
    return _measured(clock, lambda: generate_masks(model, image, **settings))


def _measured(clock: Clock, work: Callable[[], list[Any]]) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    masks = work()
    total = time.perf_counter() - wall
    stages = {**clock.wall, "rest": total - sum(clock.wall.values())}
    cpu = time.process_time() - cpu
    return {"seconds": total, "cpu": cpu, "stages": stages, "masks": len(masks), "peak_mb": peak_mb()}


CONTENDERS: dict[str, Callable[..., dict[str, Any]]] = {
    "published": run_published,
    "exact": lambda checkpoint: run_ours(checkpoint, "exact"),
    "fast": lambda checkpoint: run_ours(checkpoint, "fast"),
    "lite": lambda: run_lite(),
    "lite-coarse": lambda: run_lite(sampling="coarse-to-fine"),
}

if __name__ == "__main__":
    print(json.dumps(CONTENDERS[sys.argv[1]](*sys.argv[2:])))
