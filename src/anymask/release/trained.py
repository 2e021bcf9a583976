"""A trained `lite` as a model folder: `python -m anymask.release.trained RUN/model.pt FOLDER --version V`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from anymask.core.errors import AnymaskError
from anymask.modeling.lite import Lite
from anymask.modeling.lite.config import PIXEL_MEAN, PIXEL_STD
from anymask.models.spec import ModelSpec
from anymask.release.folder import write_model_folder
from anymask.release.lite import FEATURES, lite_graphs
from anymask.train.saved import read_run_model


def read_trained(path: Path) -> Lite:
    """The averaged weights of a training run, normalisation folded. Raises ModelError if the file is none."""
    lite = read_run_model(path)
    lite.fold()
    return lite


def stored_as_half(lite: Lite) -> set[str]:
    """Matrices and kernels; biases, norms and the position frequencies stay float32, they weigh nothing."""
    state = lite.state_dict()
    return {name for name, value in state.items() if value.ndim > 1 and not name.endswith("frequencies")}


def lite_spec(lite: Lite, name: str, version: str, input_size: int) -> ModelSpec:
    """What the runtimes must know of a `lite`."""
    return ModelSpec(
        name,
        "lite",
        input_size=input_size,
        mask_size=input_size // 4,
        pixel_mean=(PIXEL_MEAN,) * 3,
        pixel_std=(PIXEL_STD,) * 3,
        pad_value=(PIXEL_MEAN,) * 3,
        features=FEATURES,
        version=version,
        local_corrections=True,
        licence="Apache-2.0",
        config=lite.config.to_dict(),
    )


def main() -> int:
    """Write a model folder from a training run's `model.pt`."""
    parser = argparse.ArgumentParser(prog="python -m anymask.release.trained", description=main.__doc__)
    parser.add_argument("model", type=Path, help="model.pt of a training run")
    parser.add_argument("folder", type=Path, help="where to write the model folder")
    parser.add_argument("--name", default="lite")
    parser.add_argument("--version", required=True)
    parser.add_argument("--input-size", type=int, default=512)
    parser.add_argument("--about", type=Path, help="JSON with source, training and metrics for the manifest")
    options = parser.parse_args()
    try:
        about = json.loads(options.about.read_text(encoding="utf-8")) if options.about else {}
        lite = read_trained(options.model)
        spec = lite_spec(lite, options.name, options.version, options.input_size)
        graphs, half = lite_graphs(lite, options.input_size), stored_as_half(lite)
        written = write_model_folder(lite, graphs, spec, options.folder, half=half.__contains__, **about)
    except AnymaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.folder}: {spec.full_name}, {written.bytes / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
