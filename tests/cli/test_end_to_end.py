"""The whole way with nothing faked: import a checkpoint, segment in another process, look at the files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anymask
from tests.models.samples import save_mobile_sam

ROOT = Path(__file__).parents[2]
FLOWER = ROOT / "examples" / "flower.jpg"


def run(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "ANYMASK_HOME": str(home),
        "ANYMASK_OFFLINE": "1",
    }
    command = [sys.executable, "-m", "anymask.cli.main", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds one imported model, MobileSAM's network with random weights."""
    folder = tmp_path_factory.mktemp("home")
    done = run(folder, "models", "import", save_mobile_sam(folder), "--name", "random")
    assert done.returncode == 0, done.stderr
    return folder


def mask_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image) > 0


@pytest.mark.slow
def test_the_command_gives_what_another_runtime_gives(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO in the command against torch in Python: exact arithmetic differs by rounding only."""
    out = tmp_path / "mask.png"
    prompt = ("--point", "305,215", "--box", "168,84,446,360", "--min-region", 0)
    settings = ("--model", "random", "--precision", "exact", "--backend", "openvino", "--threads", 1)
    done = run(home, "segment", FLOWER, *prompt, *settings, "-o", out, "--json")
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("ANYMASK_HOME", str(home))
    model = anymask.load("random", backend="torch", precision="exact", threads=1)
    found = model.predict(model.embed(FLOWER), points=[(305, 215)], box=(168, 84, 446, 360))
    record = json.loads(done.stdout)["annotations"][0]
    assert record["predicted_iou"] == pytest.approx(found.best.score, abs=1e-4)
    mask = mask_of(out)
    assert mask.any()
    assert np.count_nonzero(mask != found.best.mask) <= 1e-4 * mask.size


@pytest.mark.slow
def test_a_damaged_weights_file_is_one_line(home: Path, tmp_path: Path) -> None:
    folder = next((home / "models").iterdir())
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in folder.iterdir():
        data = file.read_bytes()
        (broken / file.name).write_bytes(data[: len(data) // 2] if file.suffix == ".safetensors" else data)
    done = run(home, "segment", FLOWER, "--point", "9,9", "--model", broken, "-o", tmp_path / "m.png")
    assert done.returncode == 1
    assert done.stderr.startswith("anymask: error: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "m.png").exists()
