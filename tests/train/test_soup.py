"""Weights of several runs in one model."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from anymask.core.errors import InputError
from anymask.modeling.lite import Lite, LiteConfig
from anymask.train.saved import read_run_model, save_model
from anymask.train.soup import soup
from tests.train.toys import TINY


def test_every_weight_is_the_mean():
    torch.manual_seed(0)
    models = [Lite(TINY) for _ in range(3)]
    mixed = soup(models)
    assert set(mixed) == set(models[0].state_dict())
    for name, value in mixed.items():
        if value.is_floating_point():
            expected = sum(model.state_dict()[name].double() for model in models) / 3
            torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-6)


def test_the_mean_of_equal_models_is_that_model():
    model = Lite(TINY)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in soup([model, model]).items())


def test_other_architectures_are_refused():
    with pytest.raises(InputError, match="different architectures"):
        soup([Lite(TINY), Lite(LiteConfig.from_dict({**TINY.to_dict(), "width8": 16}))])


def test_the_command_writes_a_model_that_runs_read(tmp_path: Path):
    for i in range(2):
        torch.manual_seed(i)
        save_model(tmp_path / f"{i}.pt", Lite(TINY).state_dict(), TINY)
    command = [
        sys.executable,
        "-m",
        "anymask.train.soup",
        *(str(tmp_path / n) for n in ("out.pt", "0.pt", "1.pt")),
    ]
    assert subprocess.run(command, check=False).returncode == 0
    one, other, out = (read_run_model(tmp_path / n).state_dict() for n in ("0.pt", "1.pt", "out.pt"))
    for name, value in out.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, (one[name] + other[name]) / 2, rtol=2e-3, atol=2e-4)
