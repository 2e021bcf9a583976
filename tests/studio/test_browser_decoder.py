"""The browser's decoder (TypeScript, onnxruntime-web) gives what the Python model gives."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import save

from anymask.core.embedding import ImageEmbedding
from anymask.core.upscale import Window
from anymask.models.folder import ModelFolder
from anymask.predict.load import load
from anymask.predict.model import Model
from anymask.server.schemas import Previous
from anymask.studio.decoders import Decoders
from anymask.studio.prompting.answering import Earlier, KeptAnswer, answer, points_of
from anymask.studio.prompting.schemas import StudioPrompt
from anymask.studio.prompting.windows import window_json
from tests.model_folders import random_sam, sam_folder

REPOSITORY = Path(__file__).parents[2]
STUDIO = REPOSITORY / "studio"
LITE = REPOSITORY / "src" / "anymask" / "models" / "lite"
Step = dict[str, Any]


def test_lite_answers_alike_in_the_browser(tmp_path: Path) -> None:
    picture = REPOSITORY / "examples" / "coffee.jpg"
    compare(tmp_path, load(LITE, backend="onnx"), LITE, picture)


def test_segment_anythings_decoder_in_steps_answers_alike(tmp_path: Path) -> None:
    folder: ModelFolder = sam_folder(random_sam(), tmp_path / "model")
    compare(tmp_path, load(folder.path, backend="onnx"), folder.path, portrait(tmp_path))


def portrait(folder: Path) -> Path:
    """A picture higher than wide, whose sides are no multiples of anything."""
    noise = np.random.default_rng(3).integers(0, 255, (43, 29, 3), dtype=np.uint8)
    path = folder / "portrait.png"
    Image.fromarray(noise).resize((347, 521), Image.Resampling.BICUBIC).save(path)
    return path


def compare(folder: Path, model: Model, model_folder: Path, picture: Path) -> None:
    """Writes the model's answers, has Node compare its own with them."""
    embedding = model.embed(picture)
    decoders = Decoders([model_folder])
    graphs = decoders.graphs(model.sha256)
    assert "decoder" in graphs
    for name in graphs:
        (folder / f"{name}.onnx").write_bytes(decoders.graph(model.sha256, name))
    (folder / "embedding.safetensors").write_bytes(save(dict(embedding.features)))
    fixture = {
        "model": {
            "sha256": model.sha256,
            "inputSize": model.spec.input_size,
            "maskSize": model.spec.mask_size,
            "localCorrections": model.spec.local_corrections,
        },
        "graphs": graphs,
        "size": embedding.image_hw,
        "works": works(model, embedding),
    }
    (folder / "fixture.json").write_text(json.dumps(fixture))
    ran = subprocess.run(
        ["npx", "vitest", "run", "--config", "vitest.parity.config.ts"],
        cwd=STUDIO,
        env={**os.environ, "PARITY": str(folder), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def works(model: Model, embedding: ImageEmbedding) -> list[dict[str, Any]]:
    """Prompts of every kind, each with what the server would answer."""
    height, width = embedding.image_hw

    def at(x: float, y: float) -> list[float]:
        return [round(x * width, 2), round(y * height, 2)]

    click, inside, outside = [*at(0.5, 0.5), 1], [*at(0.62, 0.4), 1], [*at(0.3, 0.7), 0]
    box = [*at(0.2, 0.2), *at(0.8, 0.75)]
    line = [at(0.3, 0.5), at(0.5, 0.55), at(0.7, 0.4)]
    lasso = [at(0.25, 0.3), at(0.5, 0.2), at(0.8, 0.45), at(0.6, 0.8), at(0.3, 0.7)]
    mask = window_json(rough(height, width))
    given: dict[str, list[Step]] = {
        "a click": [{"prompt": {"points": [click]}}],
        "a preview": [{"prompt": {"points": [inside]}, "preview": True}],
        "a click at the corner": [{"prompt": {"points": [[width, height, 1]]}}],
        "clicks that correct": [
            {"prompt": {"points": [click]}},
            {"prompt": {"points": [click, outside]}, "refines": 1},
            {"prompt": {"points": [click, outside, inside]}, "refines": 0},
        ],
        "three candidates asked for": [{"prompt": {"points": [click, inside], "multimask": True}}],
        "a box, corrected": [
            {"prompt": {"box": box}},
            {"prompt": {"box": box, "points": [outside]}, "refines": 0},
        ],
        "a box over the border": [{"prompt": {"box": [-20, -30, *at(0.5, 0.6)]}}],
        "a scribble": [{"prompt": {"scribble": [line, [at(0.4, 0.6)]]}}],
        "a lasso": [{"prompt": {"polygon": lasso}}],
        "a rough mask": [{"prompt": {"mask": {key: mask[key] for key in ("counts", "size", "offset")}}}],
        "a mask, corrected": [
            {
                "prompt": {
                    "mask": {key: mask[key] for key in ("counts", "size", "offset")},
                    "points": [outside],
                }
            },
            {"prompt": {"points": [outside, inside]}, "refines": 0},
        ],
    }
    return [{"name": name, "steps": answered(model, embedding, steps)} for name, steps in given.items()]


def rough(height: int, width: int) -> tuple[Window, np.ndarray]:
    """An ellipse in its window."""
    h, w = height // 2, width // 3
    y, x = np.mgrid[:h, :w]
    part = ((x + 0.5) / w - 0.5) ** 2 + ((y + 0.5) / h - 0.5) ** 2 < 0.25
    return Window(height // 5, height // 5 + h, width // 4, width // 4 + w), part


def answered(model: Model, embedding: ImageEmbedding, steps: list[Step]) -> list[Step]:
    """The steps of work on one object with the server's answers."""
    kept: KeptAnswer | None = None
    done = []
    for step in steps:
        asked = StudioPrompt.model_validate(
            step["prompt"] | ({"hover": {"client": "c", "sequence": 1}} if step.get("preview") else {})
        )
        earlier = None
        if kept is not None:
            drawn = kept.drawn if step["refines"] == 0 else None
            earlier = Earlier(kept.prediction[step["refines"]], kept.points, drawn)
            asked = asked.model_copy(update={"previous": Previous(prediction="0" * 32)})
        found = answer(model, embedding, asked, earlier)
        kept = KeptAnswer("", model.sha256, found.prediction, points_of(asked.points), found.drawn)
        done.append({**step, "candidates": found.candidates, "worse": found.worse})
    return done
