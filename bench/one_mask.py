"""One mask in a process of its own, from checkpoint to answer: `python -m bench.one_mask PACKAGE KEY FILE`.

PACKAGE: segment_anything, mobile_sam or anymask.compat. Prints the largest memory of the process in MB.
"""

from __future__ import annotations

import importlib
import sys

from anymask.evaluate.memory import peak_mb


def main(package: str, key: str, checkpoint: str, *options: str) -> None:
    """Set an image, click on it. options: NAME=VALUE for the function that builds the model."""
    module = importlib.import_module(package)

    import numpy as np

    build = module.sam_model_registry[key]
    settings = dict(option.split("=", 1) for option in options)
    predictor = module.SamPredictor(build(checkpoint=checkpoint, **settings))
    image = np.random.default_rng(0).integers(0, 256, (768, 1024, 3), dtype=np.uint8)
    predictor.set_image(image)
    masks = predictor.predict(np.array([[500, 300]]), np.array([1]))[0]
    assert masks.shape == (3, 768, 1024)
    print(peak_mb())


if __name__ == "__main__":
    main(*sys.argv[1:])
