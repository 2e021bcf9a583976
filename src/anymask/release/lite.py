"""A trained `lite` as a model folder: `python -m anymask.release.lite RUN/model.pt FOLDER --version V`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from anymask.core.errors import AnymaskError, ModelError
from anymask.modeling.lite import Lite, LiteConfig
from anymask.modeling.lite.config import PIXEL_MEAN, PIXEL_STD
from anymask.models.folder import file_sha256
from anymask.models.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from anymask.models.spec import ModelSpec
from anymask.models.weights import write_weights
from anymask.release.export import Graph, export_graphs, state_layout

FEATURES = ("s16", "s8", "s4")


class Encoder(nn.Module):
    """The image side under its state-dict names."""

    def __init__(self, lite: Lite) -> None:
        super().__init__()
        self.encoder = lite.encoder

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        s16, s8, s4 = self.encoder(pixels)
        return s16, s8, s4


class Decoder(nn.Module):
    """The prompt side under its state-dict names."""

    def __init__(self, lite: Lite) -> None:
        super().__init__()
        self.decoder = lite.decoder

    def forward(
        self,
        s16: Tensor,
        s8: Tensor,
        s4: Tensor,
        points_xy: Tensor,
        labels: Tensor,
        mask_logits: Tensor,
        has_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        logits, scores = self.decoder(s16, s8, s4, points_xy, labels, mask_logits, has_mask)
        return logits, scores


def lite_graphs(lite: Lite, input_size: int) -> list[Graph]:
    """encoder and decoder for one square input size; number of prompts and tokens dynamic."""
    side, config = input_size // 4, lite.config
    features = {
        "s16": torch.zeros(1, config.width16, side // 4, side // 4),
        "s8": torch.zeros(1, config.width8, side // 2, side // 2),
        "s4": torch.zeros(1, config.width4, side, side),
    }
    prompts = {
        "points_xy": torch.zeros(3, 2, 2),
        "labels": torch.zeros(3, 2, dtype=torch.int32),
        "mask_logits": torch.zeros(3, 1, side, side),
        "has_mask": torch.zeros(3),
    }
    tokens, batch = {0: "prompts", 1: "tokens"}, {0: "prompts"}
    dynamic = {"points_xy": tokens, "labels": tokens, "mask_logits": batch, "has_mask": batch}
    pixels = torch.zeros(1, 3, input_size, input_size)
    return [
        Graph("encoder", Encoder(lite), {"pixels": pixels}, list(FEATURES)),
        Graph("decoder", Decoder(lite), {**features, **prompts}, ["logits", "scores"], dynamic),
    ]


def read_average(path: Path) -> Lite:
    """The averaged weights of a training run as a folded model. Raises ModelError if the file is none."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        lite = Lite(LiteConfig.from_dict(saved["config"]))
        lite.load_state_dict(saved["model"])
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise ModelError(f"{path} is no model of a training run ({error})") from error
    lite.eval()
    lite.fold()
    return lite


def write_folder(
    lite: Lite, folder: Path, *, name: str, version: str, input_size: int, about: Mapping[str, Any]
) -> Manifest:
    """Write graphs, float16 weights and manifest, which comes last: a folder that has one is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: value.detach().numpy() for key, value in lite.state_dict().items()}
    layout = state_layout(lite, half=lambda key: state[key].ndim > 1 and not key.endswith("frequencies"))
    write_weights(folder / WEIGHTS, state, layout)
    paths = [*export_graphs(lite_graphs(lite, input_size), layout, folder), folder / WEIGHTS]
    spec = ModelSpec(
        name,
        "lite",
        input_size=input_size,
        mask_size=input_size // 4,
        pixel_mean=(PIXEL_MEAN,) * 3,
        pixel_std=(PIXEL_STD,) * 3,
        pad_value=(PIXEL_MEAN,) * 3,
        features=FEATURES,
        version=version,
        licence="Apache-2.0",
        config=lite.config.to_dict(),
    )
    files = {path.name: FileEntry(file_sha256(path), path.stat().st_size) for path in paths}
    manifest = Manifest(spec=spec, files=files, **about)
    manifest.write(folder / MANIFEST)
    return manifest


def main() -> int:
    """Write a model folder from a training run's `model.pt`."""
    parser = argparse.ArgumentParser(prog="python -m anymask.release.lite", description=main.__doc__)
    parser.add_argument("model", type=Path, help="model.pt of a training run")
    parser.add_argument("folder", type=Path, help="where to write the model folder")
    parser.add_argument("--name", default="lite")
    parser.add_argument("--version", required=True)
    parser.add_argument("--input-size", type=int, default=512)
    parser.add_argument("--about", type=Path, help="JSON with source, training and metrics for the manifest")
    options = parser.parse_args()
    try:
        about = json.loads(options.about.read_text(encoding="utf-8")) if options.about else {}
        lite = read_average(options.model)
        manifest = write_folder(
            lite, options.folder, name=options.name, version=options.version,
            input_size=options.input_size, about=about,
        )  # fmt: skip
    except AnymaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    total = sum(entry.bytes for entry in manifest.files.values())
    print(f"{options.folder}: {manifest.spec.full_name}, {total / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
