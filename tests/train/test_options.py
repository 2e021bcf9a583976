"""What a run can add to the plain procedure: pasted objects, unions, other losses, a teacher."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

import anymask
from anymask.core.errors import InputError, ModelError
from anymask.core.files import write_atomically
from anymask.modeling.lite import build_lite
from anymask.modeling.lite.efficientnet import EfficientNet
from anymask.modeling.load import load_lite
from anymask.models.registry import resolve
from anymask.release.trained import main as release_trained
from anymask.train import saved
from anymask.train.__main__ import main
from anymask.train.adversary import Discriminator, adversarial_loss
from anymask.train.compose import neighbour, paste
from anymask.train.loop import Run, make_optimiser
from anymask.train.losses import boundary_loss, hardest_mean, likeness_loss
from anymask.train.procedure import Procedure
from anymask.train.saved import load_checkpoint, read_run_model, save_checkpoint
from anymask.train.shards import ShardCache, build_cache
from anymask.train.views import ViewStream, drawn_masks, make_view
from tests.stubs import import_peer
from tests.train.toys import TINY, describe, png, tiny_config, toy_shard, write_shard

PHOTO = Path(__file__).parents[2] / "examples" / "coffee.jpg"


@given(st.integers(0, 10_000))
def test_a_pasted_object_hides_what_lies_below(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels, donor = np.full((48, 48, 3), 30, np.uint8), np.full((48, 48, 3), 220, np.uint8)
    masks, cut = np.zeros((2, 48, 48), np.uint8), np.zeros((48, 48), np.uint8)
    masks[0, 5:20, 5:20], masks[1, 25:45, 25:45], cut[15:30, 10:30] = 255, 255, 255
    mixed, found = paste(pixels, masks, donor, cut, rng)
    pasted = found[-1]
    assert (mixed[pasted == 255].min(initial=255)) > 120
    assert (mixed[pasted == 0].max(initial=0)) < 160
    for left in found[:-1]:
        assert not ((left > 0) & (pasted == 255)).any()
        assert any((left <= mask).all() for mask in masks)


def test_unions_join_regions_that_touch(tmp_path: Path) -> None:
    """Two touching halves and a far square: only the halves are neighbours."""
    masks = [np.zeros((40, 60), bool) for _ in range(3)]
    masks[0][5:25, 5:15], masks[1][5:25, 15:25], masks[2][5:15, 45:55] = True, True, True
    pixels = np.zeros((40, 60, 3), np.uint8)
    about = json.dumps(describe(masks, exhaustive=True)).encode()
    shard = write_shard(tmp_path / "s.tar", [("one", png(pixels), about)])
    cache = ShardCache(build_cache([shard], tmp_path / "cache"))
    rng = np.random.default_rng(0)
    assert neighbour(cache, 0, 0, rng) == 1
    assert neighbour(cache, 0, 1, rng) == 0
    assert neighbour(cache, 0, 2, rng) == -1
    config = tiny_config(masks=3, merge_chance=1.0)
    areas = {
        int(m.sum()) for seed in range(8) for m in drawn_masks(cache, 0, np.random.default_rng(seed), config)
    }
    assert 400 in areas  # the union of the halves
    assert 400 not in {
        int(m.sum()) for m in drawn_masks(cache, 0, np.random.default_rng(0), replace(config, merge_chance=0))
    }


def test_views_with_pasted_objects_stay_within_bounds(cache: ShardCache) -> None:
    config = tiny_config(paste_chance=1.0, merge_chance=1.0, masks=3)
    batch = ViewStream(cache, config).batch(np.random.default_rng(1))
    assert batch["masks"].shape == (config.images * config.masks, 1, 16, 16)
    assert float(batch["masks"].max()) <= 1
    counts = [
        len(view.masks)
        for seed in range(20)
        if (view := make_view(cache, seed % len(cache), np.random.default_rng(seed), config))
    ]
    assert max(counts) <= config.masks


def test_boundary_loss_sees_only_the_border() -> None:
    target = torch.zeros(1, 1, 32, 32)
    target[..., 8:24, 8:24] = 1
    right = (target * 2 - 1) * 9
    inside, edge = right.clone(), right.clone()
    inside[..., 14:18, 14:18] *= -1
    edge[..., 8:10, 8:24] *= -1
    assert float(boundary_loss(right, target)) < 0.01
    assert float(boundary_loss(inside, target)) == pytest.approx(float(boundary_loss(right, target)))
    assert float(boundary_loss(edge, target)) > 0.5
    assert float(boundary_loss(right, torch.ones_like(target))) == 0


def test_hardest_mean() -> None:
    losses = torch.tensor([1.0, 4.0, 2.0, 3.0])
    assert float(hardest_mean(losses, 1.0)) == 2.5
    assert float(hardest_mean(losses, 0.5)) == 3.5
    assert float(hardest_mean(losses, 0.01)) == 4.0
    with pytest.raises(InputError, match="hard_share 0"):
        tiny_config(hard_share=0)


def test_likeness_is_least_for_the_teachers_own_masks() -> None:
    teacher = torch.randn(2, 4, 8, 8) * 3
    own = likeness_loss(teacher, teacher)
    assert (likeness_loss(teacher + torch.randn_like(teacher), teacher) > own).all()


def test_the_discriminator_learns_and_masks_learn_from_it() -> None:
    """Trained on blurred against true disks it tells them apart, and pulls blurred logits apart."""
    torch.manual_seed(0)
    judge = Discriminator(8)
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    masks = torch.stack([((x - c) ** 2 + (y - 16) ** 2 < 60).float() for c in (10, 14, 18, 22)])[:, None]
    picture = torch.zeros(4, 3, 128, 128)
    blurred = ((masks * 2 - 1) * 0.3).requires_grad_()
    optimiser = torch.optim.Adam(judge.parameters(), 2e-3)
    for _ in range(60):
        loss: torch.Tensor = adversarial_loss(judge, picture, blurred, masks, 1.0)
        optimiser.zero_grad()
        blurred.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    small = torch.zeros(4, 3, 32, 32)
    assert float(judge(small, masks).detach().mean()) > 0.5
    assert float(judge(small, blurred.sigmoid()).detach().mean()) < -0.5
    assert blurred.grad is not None
    inside = masks > 0.5
    assert float(blurred.grad[inside].mean()) < float(blurred.grad[~inside].mean())


def test_everything_at_once_teaches_and_resumes(cache: ShardCache, tmp_path: Path) -> None:
    config = tiny_config(steps=4, boundary_weight=0.5, adversarial_weight=0.05, hard_share=0.75,
                         paste_chance=0.5, merge_chance=0.5)  # fmt: skip
    torch.manual_seed(3)
    teacher = build_lite(TINY)
    whole = Run(tmp_path / "whole", config, cache, None, teacher=teacher)
    whole.fit()
    first = Run(tmp_path / "parts", config, cache, None, teacher=teacher)
    for batch, _ in zip(ViewStream(cache, config), range(2), strict=False):
        first.procedure.train()
        first.advance(batch)
    first.save()
    Run(tmp_path / "parts", config, cache, None, teacher=teacher).fit()
    states = [load_checkpoint(tmp_path / n) for n in ("whole", "parts")]
    assert states[0] is not None
    assert states[1] is not None
    assert states[0]["judge"].keys() == states[1]["judge"].keys()
    for part in ("model", "judge"):
        for name, value in states[0][part].items():
            torch.testing.assert_close(value, states[1][part][name], atol=1e-5, rtol=1e-4, msg=name)


def test_a_teacher_is_followed_and_not_trained(cache: ShardCache) -> None:
    torch.manual_seed(1)
    config = tiny_config(likeness_weight=5.0, focal_weight=0.0, dice_weight=0.0, iou_weight=0.0, rounds=1)
    teacher, student = build_lite(TINY), build_lite(TINY)
    before = {k: v.clone() for k, v in teacher.state_dict().items()}
    procedure = Procedure(student, config, teacher).train()
    procedure.backbone_frozen = False
    optimiser = make_optimiser(procedure, config)
    for group in optimiser.param_groups:
        group["lr"] = 3e-3
    batch = ViewStream(cache, config).batch(np.random.default_rng(0))
    losses = []
    for _ in range(40):
        loss, _ = procedure(batch["pixels"], batch["masks"], batch["image"], 0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    assert not any(p.requires_grad for p in teacher.parameters())
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not any(name.startswith("teacher") for name, _ in procedure.named_parameters())


def test_frozen_blocks_need_a_backbone_with_blocks() -> None:
    with pytest.raises(InputError, match="frozen_blocks 3"):
        Procedure(build_lite(TINY), tiny_config(frozen_blocks=3))


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_b0"])
def test_frozen_blocks_get_no_gradient(cache: ShardCache, name: str) -> None:
    config = tiny_config(model=replace(TINY, backbone=name), frozen_blocks=4)
    procedure = Procedure(build_lite(config.model), config).train()
    procedure.backbone_frozen = False
    batch = ViewStream(cache, config).batch(np.random.default_rng(0))
    procedure(batch["pixels"], batch["masks"], batch["image"], 0)[0].backward()
    backbone = procedure.model.encoder.backbone
    assert isinstance(backbone, EfficientNet)
    trained = [any(p.grad is not None for p in block.parameters()) for block in backbone.blocks]
    assert trained == [False] * 4 + [True] * (len(trained) - 4)
    assert backbone.stem.conv.weight.grad is None


def test_a_users_backbone_is_trained_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights.safetensors"
    save_file(import_peer("timm").create_model("efficientnet_b0", features_only=True).state_dict(), weights)
    config = tiny_config(model=replace(TINY, backbone="efficientnet_b0"), steps=2, frozen_share=1.0)
    (tmp_path / "tiny.json").write_text(json.dumps(config.to_dict()))
    command = ["train", str(tmp_path / "run"), "--train", str(toy_shard(tmp_path / "toys.tar")), "--cache",
               str(tmp_path / "cache"), "--config", str(tmp_path / "tiny.json"),
               "--backbone", str(weights)]  # fmt: skip
    monkeypatch.setattr("sys.argv", command)
    assert main() == 0
    start = build_lite(config.model, imagenet=weights).encoder.backbone.state_dict()
    found = read_run_model(tmp_path / "run" / "model.pt").encoder.backbone.state_dict()
    assert found.keys() == start.keys()
    for name, value in start.items():  # kept as float16
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=1e-3, msg=name)
    command[1] = str(tmp_path / "other")
    monkeypatch.setattr("sys.argv", [*command, "--set", "model.backbone=efficientnet_b1"])
    capsys.readouterr()
    assert main() == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(
        f"error: {weights} does not hold the weights of efficientnet_b1: they are those of"
    )


def test_starts_from_an_earlier_runs_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ShardCache(build_cache([toy_shard(tmp_path / "toys.tar")], tmp_path / "cache"))
    Run(tmp_path / "a", tiny_config(), cache, None).fit()
    first = read_run_model(tmp_path / "a" / "model.pt")
    (tmp_path / "tiny.json").write_text(json.dumps(tiny_config(lr=1e-12).to_dict()))
    command = ["train", str(tmp_path / "b"), "--train", str(tmp_path / "toys.tar"), "--cache",
               str(tmp_path / "cache"), "--config", str(tmp_path / "tiny.json"),
               "--init", str(tmp_path / "a" / "model.pt"), "--teacher",
               str(tmp_path / "a" / "model.pt")]  # fmt: skip
    monkeypatch.setattr("sys.argv", command)
    assert main() == 0
    second = read_run_model(tmp_path / "b" / "model.pt")
    for name, value in first.encoder.pyramid.state_dict().items():
        if "norm" not in name and value.dtype.is_floating_point:
            torch.testing.assert_close(second.encoder.pyramid.state_dict()[name], value, msg=name)


def test_starts_from_the_model_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_shard(tmp_path / "toys.tar")
    command = ["train", str(tmp_path / "run"), "--train", str(tmp_path / "toys.tar"), "--cache",
               str(tmp_path / "cache"), "--init", "lite", "--set", "steps=1", "image_size=64", "images=1",
               "masks=1", "rounds=1", "lr=1e-12", "backbone_lr=1e-12", "weight_decay=0.0"]  # fmt: skip
    monkeypatch.setattr("sys.argv", command)
    assert main() == 0
    found = read_run_model(tmp_path / "run" / "model.pt")
    shipped = load_lite(resolve("lite"))
    assert found.config == shipped.config
    for name, value in shipped.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], value, atol=1e-6, rtol=1e-3, msg=name)
    folder = tmp_path / "model"
    monkeypatch.setattr("sys.argv", ["trained", str(tmp_path / "run" / "model.pt"), str(folder),
                                     "--version", "9.9.9", "--input-size", "416"])  # fmt: skip
    assert release_trained() == 0
    pixels = np.asarray(anymask.load("lite").embed(PHOTO).features["s16"])
    again = np.asarray(anymask.load(folder).embed(PHOTO).features["s16"])
    np.testing.assert_allclose(again, pixels, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [("nothing_like_it", 2, "Unknown model 'nothing_like_it'"), ("text.pt", 1, "no model of a training run")],
)
def test_starts_that_are_none(
    name: str,
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    toy_shard(tmp_path / "toys.tar")
    (tmp_path / "text.pt").write_text("[project]")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["train", "run", "--train", "toys.tar", "--init", name])
    assert main() == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_weights_that_do_not_fit_are_refused(cache: ShardCache, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not fit"):
        Run(tmp_path / "run", tiny_config(), cache, None, {"nothing": torch.zeros(1)})
    (tmp_path / "model.pt").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="no model of a training run"):
        read_run_model(tmp_path / "model.pt")


def test_small_views_first(cache: ShardCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first half of the schedule sees views of 64 pixels, the second of 96; a resumed run too."""
    seen: list[int] = []
    advance = Run.advance

    def watched(run: Run, batch: dict[str, torch.Tensor]) -> dict[str, float]:
        seen.append(batch["pixels"].shape[-1])
        return advance(run, batch)

    monkeypatch.setattr(Run, "advance", watched)
    Run(
        tmp_path / "a", tiny_config(image_size=96, small_size=64, small_share=0.5, steps=4), cache, None
    ).fit()
    assert seen == [64, 64, 96, 96]


def test_checkpoints_come_in_small_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "PIECE", 5000)
    for step in (1, 2):
        save_checkpoint(tmp_path, {"step": step, "x": torch.arange(4000.0)}, step)
    pieces = sorted(tmp_path.glob("checkpoint-*"))
    assert len(pieces) >= 4
    assert all(p.stat().st_size <= 5000 and p.name.startswith("checkpoint-0000002") for p in pieces)
    state = load_checkpoint(tmp_path)
    assert state is not None
    assert state["step"] == 2
    assert torch.equal(state["x"], torch.arange(4000.0))
    pieces[1].write_bytes(b"\0" * 5000)
    with pytest.raises(ModelError, match="not those that were written"):
        load_checkpoint(tmp_path)
    pieces[1].unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_checkpoint(tmp_path)
    assert load_checkpoint(tmp_path / "empty") is None


def test_a_kill_between_pieces_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "PIECE", 5000)
    save_checkpoint(tmp_path, {"step": 1, "x": torch.arange(4000.0)}, 1)

    def killed(path: Path, data: bytes) -> Path:
        if path.name.endswith(".002"):
            raise KeyboardInterrupt
        return write_atomically(path, data)

    monkeypatch.setattr("anymask.train.saved.write_atomically", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, {"step": 2, "x": torch.arange(4000.0)}, 2)
    state = load_checkpoint(tmp_path)
    assert state is not None
    assert state["step"] == 1
