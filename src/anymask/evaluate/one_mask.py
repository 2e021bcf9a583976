"""`python -m anymask.evaluate.one_mask MODEL PRECISION BACKEND HEIGHT WIDTH`: one mask, from the model's file
to the answer, in a process of its own. Prints the largest memory of the process in MB of 2**20 bytes.
"""

from __future__ import annotations

import sys
from typing import Any

from anymask.evaluate.memory import peak_mb


def main(model: str, precision: Any, backend: Any, height: str, width: str) -> None:
    """Open the predictor, look at a drawn picture, click in its middle."""
    from anymask.evaluate.predictors import Request, open_predictor
    from anymask.evaluate.speed import drawn_picture

    picture = drawn_picture(int(height), int(width))
    scene = open_predictor(model, precision=precision, backend=backend).open(picture)
    scene.predict_many([Request(points=((int(width) / 2, int(height) / 2, 1),))])
    print(peak_mb())


if __name__ == "__main__":
    main(*sys.argv[1:])
