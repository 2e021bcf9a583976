"""Several runs' weights averaged into one: `python -m anymask.train.soup OUT.pt A/model.pt B/model.pt ...`

Runs that started from the same weights and went different ways (other seeds, other settings) mostly lie in
one basin, and the mean of their weights can measure better than each of them (arXiv 2203.05482).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from anymask.core.errors import AnymaskError, InputError
from anymask.modeling.lite import Lite
from anymask.train.saved import read_run_model, save_model


def soup(models: Sequence[Lite]) -> dict[str, torch.Tensor]:
    """The mean of the models' weights, float32; whole numbers are taken from the first.

    Raises InputError for no model, or models of different architectures.
    """
    if not models:
        raise InputError("no model to average; give at least one model.pt")
    if any(model.config != models[0].config for model in models):
        raise InputError("the models have different architectures; average runs of one architecture only")
    states = [model.state_dict() for model in models]
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }


def main() -> int:
    """Average the weights of several runs that started from the same weights."""
    parser = argparse.ArgumentParser(prog="python -m anymask.train.soup", description=main.__doc__)
    parser.add_argument("out", type=Path, help="the file to write, a model.pt like a run's")
    parser.add_argument("models", type=Path, nargs="+", help="model.pt of each run")
    options = parser.parse_args()
    try:
        models = [read_run_model(path) for path in options.models]
        save_model(options.out, soup(models), models[0].config)
    except AnymaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
