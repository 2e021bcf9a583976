"""Simulated prompts, losses, a step, a run: resumed, killed, measured."""

from __future__ import annotations

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
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anymask.core.errors import InputError, ModelError
from anymask.modeling.lite import build_lite
from anymask.train.__main__ import apply_settings, main
from anymask.train.config import TrainConfig
from anymask.train.loop import Run
from anymask.train.losses import dice_loss, focal_loss, true_iou
from anymask.train.measure import measure
from anymask.train.procedure import Procedure
from anymask.train.prompts import PromptStates, bounding_box, correct, first_prompts, noisy_box
from anymask.train.saved import load_checkpoint
from anymask.train.shards import ShardCache
from anymask.train.views import ViewStream
from tests.train.toys import TINY, tiny_config, toy_shard

masks = arrays(bool, (16, 16)).filter(np.any)


@given(masks, st.integers(0, 1000))
def test_first_prompts_mean_their_mask(mask: np.ndarray, seed: int) -> None:
    states, rng = PromptStates(1, 6), np.random.default_rng(seed)
    single = first_prompts(states, mask[None], rng, box=0.5, centre=0.5, many=0.3)
    labels, points = states.labels[0], states.points_xy[0]
    if labels[0] == 2:
        assert not single[0]
        assert labels[1] == 3
        assert (points[1] > points[0]).all()
        return
    assert labels[0] == 1
    assert single[0] == (states.used[0] == 1)
    for (x, y), label in zip(points[: states.used[0]], labels, strict=False):
        assert mask[int((y + 0.5) / 4), int((x + 0.5) / 4)] == bool(label)


@given(masks, st.integers(0, 1000))
def test_boxes_move_by_at_most_20_pixels(mask: np.ndarray, seed: int) -> None:
    box = noisy_box(mask, 64, np.random.default_rng(seed))
    assert np.abs(box - bounding_box(mask) * 4).max() <= 20
    assert (box >= 0).all()
    assert (box <= 64).all()


@given(masks, masks, st.integers(0, 1000), st.floats(0, 1))
def test_corrections_lie_in_the_error(mask: np.ndarray, guess: np.ndarray, seed: int, centre: float) -> None:
    states = PromptStates(1, 6)
    correct(states, mask[None], guess[None], np.random.default_rng(seed), centre=centre, still=0.0)
    if (mask == guess).all():
        assert states.used[0] == 0
        return
    x, y = ((states.points_xy[0, 0] + 0.5) / 4).astype(int)
    assert mask[y, x] != guess[y, x]
    assert states.labels[0, 0] == mask[y, x]


def test_no_room_for_more_points() -> None:
    states = PromptStates(1, 4)
    assert [states.click(0, (1.0, 1.0), True) for _ in range(5)] == [True] * 4 + [False]


def test_losses_are_least_at_the_truth() -> None:
    torch.manual_seed(0)
    target = (torch.rand(3, 1, 8, 8) > 0.5).float()
    right, wrong = (target * 2 - 1) * 12, (1 - target * 2) * 12
    for loss in (focal_loss, dice_loss):
        assert (loss(right, target) < 0.02).all()
        assert (loss(wrong, target) > 0.9).all()
    assert true_iou(right, target).eq(1).all()
    assert true_iou(wrong, target).eq(0).all()


def test_small_and_large_masks_count_alike() -> None:
    """The same relative mistake costs a small mask as much as a large one."""
    values = []
    for side in (4, 16):
        target = torch.zeros(1, 1, 64, 64)
        target[..., :side, :side] = 1
        logits = torch.where(target > 0, 8.0, -8.0)
        logits[..., : side // 2, :side] = -8  # half of it missed
        values.append(float(focal_loss(logits, target)))
    assert values[0] == pytest.approx(values[1], rel=0.05)


def test_a_step_teaches(cache: ShardCache) -> None:
    """On one batch shown again and again the loss falls and the masks become right."""
    torch.manual_seed(0)
    config = tiny_config(images=2, masks=2)
    model = build_lite(TINY)
    procedure = Procedure(model, config).train()
    procedure.backbone_frozen = False
    batch = ViewStream(cache, config).batch(np.random.default_rng(3))
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    losses = []
    for step in range(60):
        loss, _ = procedure(batch["pixels"], batch["masks"], batch["image"], step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_frozen_backbone_gets_no_gradient(cache: ShardCache) -> None:
    config = tiny_config()
    procedure = Procedure(build_lite(TINY), config).train()
    batch = ViewStream(cache, config).batch(np.random.default_rng(0))
    loss, metrics = procedure(batch["pixels"], batch["masks"], batch["image"], 0)
    loss.backward()
    backbone = procedure.model.encoder.backbone
    assert all(p.grad is None for p in backbone.parameters())
    assert any(p.grad is not None for p in procedure.model.encoder.pyramid.parameters())
    assert "iou_round2" in metrics


def test_resumed_equals_undisturbed(cache: ShardCache, tmp_path: Path) -> None:
    config = tiny_config(steps=6)
    Run(tmp_path / "whole", config, cache, None).fit()
    half = Run(tmp_path / "parts", config, cache, None)
    half.config = tiny_config(steps=6, save_every=1)
    stop_after(half, 3)
    Run(tmp_path / "parts", config, cache, None).fit()
    states = [torch.load(tmp_path / n / "model.pt", weights_only=True)["model"] for n in ("whole", "parts")]
    for name, value in states[0].items():
        torch.testing.assert_close(value, states[1][name], atol=1e-5, rtol=1e-4, msg=name)


def stop_after(run: Run, steps: int) -> None:
    advance = run.advance

    def until(batch: dict[str, torch.Tensor]) -> dict[str, float]:
        if run.step >= steps:
            raise KeyboardInterrupt
        return advance(batch)

    run.advance = until  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        run.fit()


def test_killed_run_resumes_where_it_saved(tmp_path: Path) -> None:
    shard = toy_shard(tmp_path / "toys.tar")
    config = tmp_path / "config.json"
    config.write_text(json.dumps(tiny_config(steps=10**6, save_every=1).to_dict()))
    command = [sys.executable, "-m", "anymask.train", "run", "--train", str(shard), "--config", str(config)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    saved = tmp_path / "run" / "model.pt"
    deadline = time.monotonic() + 240
    while not saved.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    state = load_checkpoint(tmp_path / "run")
    assert state is not None
    assert state["step"] >= 1
    run = Run(tmp_path / "run", tiny_config(steps=state["step"] + 2, save_every=1), ShardCache(
        next((tmp_path / "cache").iterdir())), None)  # fmt: skip
    assert run.step == state["step"]
    run.fit()
    again = load_checkpoint(tmp_path / "run")
    assert again is not None
    assert again["step"] == state["step"] + 2


def test_two_processes_train_one_model(tmp_path: Path) -> None:
    """Both draw their own pictures and end with the same weights; only the first writes."""
    shard, config = toy_shard(tmp_path / "toys.tar"), tmp_path / "config.json"
    config.write_text(json.dumps(tiny_config(steps=4, frozen_share=0.5).to_dict()))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*launch, "-m", "anymask.train", "run", "--train", str(shard), "--val", str(shard)]
    command += ["--config", str(config)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["measure"]
    assert lines[0]["step"] == 4
    alone = Run(tmp_path / "alone", tiny_config(steps=4, frozen_share=0.5), ShardCache(
        next((tmp_path / "cache").iterdir())), None)  # fmt: skip
    alone.fit()
    states = [torch.load(tmp_path / n / "model.pt", weights_only=True)["model"] for n in ("run", "alone")]
    assert any(not value.equal(states[1][name]) for name, value in states[0].items())


def test_a_step_that_is_not_finite_is_left_out(cache: ShardCache, tmp_path: Path) -> None:
    run = Run(tmp_path / "run", tiny_config(focal_weight=float("nan")), cache, None)
    batch = ViewStream(cache, run.config).batch(np.random.default_rng(0))
    before = {k: v.clone() for k, v in run.model.state_dict().items() if "norm." not in k}
    assert run.advance(batch) == {"skipped": 1.0}
    assert run.step == 1
    assert all(run.model.state_dict()[k].equal(v) for k, v in before.items())


def test_another_configuration_does_not_take_the_checkpoint(cache: ShardCache, tmp_path: Path) -> None:
    Run(tmp_path / "run", tiny_config(), cache, None).save()
    wider = tiny_config(model={**TINY.to_dict(), "width4": 16})
    with pytest.raises(ModelError, match="does not fit this configuration"):
        Run(tmp_path / "run", wider, cache, None)


def test_measuring(cache: ShardCache) -> None:
    found = measure(build_lite(TINY), cache, tiny_config(), images=3)
    assert set(found) == {"box", "oracle1", "worse", *(f"click{i}" for i in range(1, 6))}
    assert all(0 <= value <= 1 for value in found.values())
    assert found["oracle1"] >= found["click1"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image_size": 100}, "multiple of 32"),
        ({"points": 2}, "at least 4"),
        ({"images": 0}, "images 0"),
        ({"box_chance": 1.5}, "box_chance"),
        ({"lr": -1}, "positive"),
        ({"speed": 3}, "unknown training settings"),
    ],
)
def test_contradictions_are_refused(change: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        TrainConfig.from_dict(change)


def test_settings_on_the_command_line() -> None:
    config = apply_settings(TrainConfig(), ["steps=7", "model.width4=16", "model.backbone=plain_cnn"])
    assert (config.steps, config.model.width4, config.model.backbone) == (7, 16, "plain_cnn")


def test_evaluation_images_are_never_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.train.toys import describe, drawing, png, write_shard

    pixels, drawn = drawing(0)
    text = json.dumps(describe(drawn, zero_shot=True)).encode()
    shard = write_shard(tmp_path / "x.tar", [("a", png(pixels), text)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train", "run", "--train", str(shard)])
    assert main() == 2
    assert "evaluation only" in capsys.readouterr().err
