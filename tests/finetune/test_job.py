"""Whole runs on tiny networks: better and said so, not better and said so, killed and taken up again."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import anymask
from anymask.cli.main import run as command
from anymask.core.errors import InputError, ModelError, OutputError
from anymask.finetune import fit
from anymask.finetune.job import Job, Listener, finetune
from anymask.models.checkpoint import read_checkpoint
from anymask.models.folder import ModelFolder
from anymask.models.manifest import Manifest
from anymask.train.saved import load_checkpoint
from tests.finetune.conftest import QUICK, quick
from tests.train.toys import drawing, toy_shard


def job(data: Path, model: ModelFolder, out: Path, **changes: object) -> Job:
    settings = quick(**{"held_out": 0.5, **changes})
    return Job((data,), out, str(model.path), settings=settings, backend="torch", threads=1)


def weights(folder: Path) -> dict[str, np.ndarray]:
    return {name: np.array(value) for name, value in read_checkpoint(folder / "weights.safetensors").items()}


def test_a_model_that_learns_is_called_better(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    result = finetune(
        job(toys, lite_model, out, steps=80, measure_every=20, patience=9, train="all", encoder_lr=1.0)
    )
    assert result.verdict.better, result.verdict.sentence()
    assert result.verdict.interval_95[0] > 0
    assert "**better.**" in (out / "report.md").read_text()
    assert "tiny-lite" in (out / "comparison.html").read_text()
    manifest = Manifest.read(out / "manifest.json")
    assert manifest.spec.full_name == "mine@1"
    assert manifest.training["base_sha256"] == lite_model.sha256
    assert manifest.training["data"]["sources"] == {"toys": 12}
    assert manifest.metrics["verdict"]["word"] == "better"
    assert json.loads((out / "result.json").read_text())["verdict"]["word"] == "better"
    ModelFolder.open(out).verify()
    assert not (out / ".work" / "pictures").exists()

    model = anymask.load(out, backend="torch")
    pixels, (disk, _) = drawing(50)
    y, x = np.argwhere(disk).mean(0)
    found = model.predict(model.embed(pixels), points=[(x, y)])
    assert found.best.mask.shape == (60, 90)
    again = finetune(
        job(toys, lite_model, out, steps=80, measure_every=20, patience=9, train="all", encoder_lr=1.0)
    )
    assert again.verdict == result.verdict


def test_a_model_that_learned_nothing_is_not(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    result = finetune(job(toys, lite_model, out, steps=2, lr=1e-9))
    assert result.verdict.word == "not shown to be better"
    assert "Keep the old one" in (out / "report.md").read_text()
    assert Manifest.read(out / "manifest.json").metrics["verdict"]["word"] == "not shown to be better"


def test_the_command_says_so_by_its_exit_code(
    lite_model: ModelFolder, toys: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["finetune", str(toys), "--model", str(lite_model.path), "--backend", "torch"]
    words += ["--steps", "2", "--lr", "1e-9", "--views", "1"]
    out = tmp_path / "mine"
    assert command([*words, "-o", str(out), "--guard", str(toys), "--json"]) == 1
    printed = capfd.readouterr()
    assert json.loads(printed.out)["verdict"]["word"] == "not shown to be better"
    assert json.loads(printed.out)["guard"]["masks"] == 14, "only the 7 pictures that were not trained on"
    assert "Guard: toys.tar" in (out / "report.md").read_text()
    assert "7 pictures, 14 masks; [guard.html]" in (out / "report.md").read_text()
    assert command([*words, "-o", str(out)]) == 1
    assert "not shown to be better: mean IoU of click1, click3, click5, box" in capfd.readouterr().err
    assert command([*words, "-o", str(out), "--seed", "4"]) == 2
    assert "holds a run with other settings (held_out_pictures, seed)" in capfd.readouterr().err
    assert command([*words, "-o", str(tmp_path)]) == 2
    assert "is not empty; give another folder with -o, or --fresh" in capfd.readouterr().err


@pytest.fixture
def always_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every measurement on the validation part is better than the last, so that what was trained is kept."""
    scores = itertools.count()
    monkeypatch.setattr(fit.Fit, "_score", lambda self: float(next(scores)))


@pytest.mark.usefixtures("always_better")
def test_segment_anything_with_low_rank_changes(sam_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    """The folder is the base with the adapter, and the adapter alone opens to the same model."""
    out, changes = tmp_path / "mine", {"lora": 2, "steps": 2, "images": 1, "shots": 4, "lr": 1e-2}
    finetune(job(toys, sam_model, out, **changes))
    before, after = weights(sam_model.path), weights(out)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert any(name.startswith("image_encoder.blocks.0.attn.qkv.weight") for name in changed)
    assert any(name.startswith("mask_decoder.") for name in changed)
    assert not any(name.startswith(("prompt_encoder.", "image_encoder.neck")) for name in changed)
    adapted = anymask.load(out / "adapter", backend="torch")
    assert adapted.spec.name == "mine"
    assert adapted.sha256 == ModelFolder.open(out).sha256


@pytest.mark.usefixtures("always_better")
def test_decoder_only_leaves_the_encoder_alone(sam_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    finetune(job(toys, sam_model, out, steps=2, images=1, shots=4, views=1, lr=1e-2))
    before, after = weights(sam_model.path), weights(out)
    changed = {name.split(".")[0] for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"mask_decoder"}


class Stop(Listener):
    """Ends a run as a signal would, after so many measurements."""

    def __init__(self, after: int) -> None:
        self.left = after

    def measured(self, values: object) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_resumed_equals_undisturbed(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    whole, parts = (job(toys, lite_model, tmp_path / n / "mine", steps=8) for n in ("whole", "parts"))
    finetune(whole)
    with pytest.raises(KeyboardInterrupt):
        finetune(parts, Stop(2))
    state = load_checkpoint(parts.out / ".work" / "fit")
    assert state is not None
    assert 0 < state["course"]["step"] < 8
    finetune(parts)
    for name, value in weights(whole.out).items():
        np.testing.assert_array_equal(value, weights(parts.out)[name], err_msg=name)


@pytest.mark.slow
def test_killed_runs_go_on(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    options = {**QUICK, "steps": 60}
    words = [
        str(toys),
        "-o",
        str(out),
        "--model",
        str(lite_model.path),
        "--held-out",
        "0.5",
        "--threads",
        "1",
    ]
    words += ["--backend", "torch", "--fresh"]
    for name in ("steps", "images", "masks", "views", "lr"):
        words += [f"--{name}", str(options[name])]
    child = subprocess.Popen([sys.executable, "-m", "anymask", "finetune", *words], stderr=subprocess.DEVNULL)
    progress = out / ".work" / "fit" / "progress.jsonl"
    while child.poll() is None and not (progress.is_file() and progress.read_text().count("\n") >= 2):
        time.sleep(0.01)
    assert child.poll() is None, "it ended before it could be killed"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not (out / "manifest.json").exists()
    code = command(["finetune", *[word for word in words if word != "--fresh"], "--quiet"])
    assert code in (0, 1)
    lines = [json.loads(line) for line in progress.read_text().splitlines()] if progress.is_file() else []
    assert not lines, "the work folder is cleared at the end"
    training = Manifest.read(out / "manifest.json").training
    assert training["steps"] == 60
    ModelFolder.open(out).verify()


def test_a_loss_that_is_no_number_stops_and_keeps_the_state(
    lite_model: ModelFolder, toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, calls = fit.turn_losses, []

    def poisoned(*given: object) -> torch.Tensor:
        calls.append(1)
        found: torch.Tensor = plain(*given)  # type: ignore[arg-type]
        return found * float("nan") if len(calls) > 7 else found

    monkeypatch.setattr(fit, "turn_losses", poisoned)
    with pytest.raises(ModelError, match=r"loss of step 4 is nan.*--fresh\) with a smaller --lr than 0.003"):
        finetune(job(toys, lite_model, tmp_path / "mine", steps=9))
    state = load_checkpoint(tmp_path / "mine" / ".work" / "fit")
    assert state is not None
    assert state["course"]["step"] == 3
    assert all(torch.isfinite(value).all() for part in ("own", "best") for value in state[part].values())
    assert not (tmp_path / "mine" / "manifest.json").exists()


def test_it_stops_when_nothing_is_gained(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    finetune(job(toys, lite_model, out, steps=500, measure_every=1, patience=3, lr=1e-12))
    training = Manifest.read(out / "manifest.json").training
    assert training["steps"] == 3
    assert training["ended"] == "no gain in 3 measurements"


def test_a_full_disk_is_one_line(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from anymask.cli.main import run\n"
        "import anymask.finetune.job\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        f"sys.exit(run(['finetune', {str(toys)!r}, '-o', {str(tmp_path / 'mine')!r}, '--model',"
        f" {str(lite_model.path)!r}, '--steps', '2', '--backend', 'torch']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=500)
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    assert done.returncode == 1
    assert len(errors) == 1
    assert "cannot write" in errors[0]
    assert "Traceback" not in done.stderr


def test_one_picture_is_too_few(lite_model: ModelFolder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 picture: too few"):
        finetune(job(toy_shard(tmp_path / "one.tar", 1), lite_model, tmp_path / "mine"))


def test_two_runs_in_one_folder_are_refused(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"

    class Second(Listener):
        def measured(self, values: object) -> None:
            with pytest.raises(InputError, match="another run is at work"):
                finetune(job(toys, lite_model, out))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(job(toys, lite_model, out), Second())


def test_data_that_changed_is_another_run(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    first = job(toys, lite_model, tmp_path / "mine")
    with pytest.raises(KeyboardInterrupt):
        finetune(first, Stop(0))
    os.utime(toys, ns=(1, 1))
    with pytest.raises(InputError, match=r"run with other settings \(data\)"):
        finetune(first)


def test_the_base_is_never_overwritten(lite_model: ModelFolder, toys: Path) -> None:
    with pytest.raises(InputError, match="is the model to start from"):
        finetune(job(toys, lite_model, lite_model.path))
    names = {path.name for path in lite_model.path.iterdir()}
    assert names == {"manifest.json", *lite_model.manifest.files}


def test_an_output_that_cannot_be(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot create"):
        finetune(job(toys, lite_model, tmp_path / "file" / "mine"))
