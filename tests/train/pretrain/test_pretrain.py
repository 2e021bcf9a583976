"""Masked autoencoding and embedding distillation: what they compute, and what they leave behind."""

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

from anymask.core.errors import InputError, ModelError
from anymask.modeling.config import SamConfig, TinyVitConfig, VitConfig
from anymask.modeling.load import load_sam
from anymask.modeling.sam import Sam
from anymask.train.pretrain.__main__ import write_sam
from anymask.train.pretrain.distil import EmbeddingDistillation
from anymask.train.pretrain.mae import (
    MaskedAutoencoder,
    as_sam,
    normalised_patches,
    of,
    plain_blocks,
    sine_positions,
)
from anymask.train.pretrain.pictures import batches, square_view
from anymask.train.pretrain.run import PretrainRun
from anymask.train.pretrain.settings import DistilSettings, MaeSettings
from anymask.train.shards import ShardCache
from tests.train.toys import toy_shard

SMALL = MaeSettings(
    image_size=32, images=4, steps=30, warmup=2, patch=8, embed_dim=16, depth=2, heads=2, decoder_dim=16,
    decoder_depth=1, decoder_heads=2, save_every=5, lr=3e-3,
)  # fmt: skip


def views(count: int = 4, size: int = 32) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8)


def test_hidden_patches_do_not_reach_the_encoder():
    torch.manual_seed(0)
    model = MaskedAutoencoder(SMALL).eval()
    pixels = torch.randn(2, 3, 32, 32)
    order = model.order(2, seed=1)
    other = pixels.clone()
    for image in range(2):
        for patch in order[image, model.visible :].tolist():
            y, x = divmod(patch, 4)
            other[image, :, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = torch.randn(3, 8, 8)
    torch.testing.assert_close(model.encode(pixels, order), model.encode(other, order))
    seen = int(order[0, 0])
    other[0, :, 8 * (seen // 4), 8 * (seen % 4)] += 1
    assert not torch.allclose(model.encode(pixels, order)[0], model.encode(other, order)[0])


def test_a_quarter_of_the_patches_is_seen():
    assert MaskedAutoencoder(SMALL).visible == 4
    assert MaskedAutoencoder(MaeSettings(image_size=224, embed_dim=48, depth=1)).visible == 49


def test_targets_are_whole_patches_with_mean_zero_and_variance_one():
    pixels = torch.randn(2, 3, 32, 32) * 7 + 3
    patches = normalised_patches(pixels, 8)
    torch.testing.assert_close(patches.mean(-1), torch.zeros(2, 16), atol=1e-5, rtol=0)
    torch.testing.assert_close(patches.var(-1), torch.ones(2, 16), atol=1e-4, rtol=0)
    one = pixels[1, :, 8:16, 16:24].permute(1, 2, 0).flatten()
    torch.testing.assert_close(patches[1, 4 + 2], (one - one.mean()) / one.std(), atol=1e-5, rtol=1e-5)


def test_the_loss_is_of_hidden_patches_alone():
    torch.manual_seed(0)
    model = MaskedAutoencoder(SMALL).eval()
    batch, seed = views(2), 5
    order = model.order(2, seed)
    pixels = (batch.float() - model.pixel_mean) / model.pixel_std
    guess = model.reconstruct(model.encode(pixels, order), order)
    wrong = (guess - normalised_patches(pixels, 8)) ** 2
    hidden = of(wrong, order[:, model.visible :]).mean()
    torch.testing.assert_close(model(batch, seed=seed), hidden)


def test_reconstruction_puts_tokens_back_in_their_places():
    torch.manual_seed(0)
    model = MaskedAutoencoder(SMALL).eval()
    pixels, order = torch.randn(1, 3, 32, 32), model.order(1, seed=3)
    shuffled = torch.cat([order[:, : model.visible].flip(1), order[:, model.visible :].flip(1)], 1)
    torch.testing.assert_close(
        model.reconstruct(model.encode(pixels, order), order),
        model.reconstruct(model.encode(pixels, shuffled), shuffled),
        atol=1e-5,
        rtol=1e-5,
    )


def test_plain_blocks_are_the_image_encoders_own_global_attention():
    torch.manual_seed(0)
    config = SamConfig(VitConfig(32, 2, 2, (0, 1), patch_size=8), input_size=64, prompt_dim=32)
    encoder = Sam(config).image_encoder.eval()
    pixels = torch.randn(1, 3, 64, 64)
    tokens = (encoder.patch_embed(pixels) + encoder.pos_embed).flatten(1, 2)
    mine = plain_blocks(encoder, tokens).reshape(1, 8, 8, 32).permute(0, 3, 1, 2)
    torch.testing.assert_close(encoder.neck(mine), encoder(pixels), atol=1e-5, rtol=1e-5)


def test_positions_tell_rows_from_columns():
    table = sine_positions(16, 5)[0]
    assert len({tuple(row) for row in table.flatten(0, 1).numpy().round(5).tolist()}) == 25
    torch.testing.assert_close(table[0, :, :8], table[3, :, :8])  # columns' half is the same in every row
    torch.testing.assert_close(table[:, 1, 8:], table[:, 4, 8:])
    with pytest.raises(InputError, match="multiple of 4"):
        sine_positions(10, 4)


class Ramps:
    """Pictures that grow lighter in one direction each: visible patches tell of the hidden ones."""

    def __len__(self) -> int:
        return 8

    def pixels(self, index: int) -> np.ndarray:
        y, x = np.mgrid[:48, :48] / 47
        angle = index * np.pi / 4
        ramp = 0.5 + 0.35 * (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5))
        return np.dstack([np.rint(255 * ramp).astype(np.uint8)] * 3)


def test_training_beats_the_best_constant_guess(tmp_path: Path):
    """Every patch has variance 1, so guessing its mean costs 1."""
    torch.manual_seed(0)
    settings = MaeSettings.from_dict({**SMALL.to_dict(), "steps": 200, "smallest_crop": 0.5})
    model = MaskedAutoencoder(settings)
    PretrainRun(tmp_path, model, settings).fit(lambda step: batches(Ramps(), None, settings, step))
    losses = [json.loads(line)["loss"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert losses[0] > 0.5
    assert losses[-1] < 0.3


def test_a_killed_run_goes_on_and_ends_where_an_unbroken_one_does(tmp_path: Path):
    shard = toy_shard(tmp_path / "toys.tar")
    values = {**SMALL.to_dict(), "steps": 40}
    sets = [f"{name}={json.dumps(value)}" for name, value in values.items()]

    def command(run: Path) -> list[str]:
        return [
            sys.executable, "-m", "anymask.train.pretrain", "mae", str(run), "--train", str(shard), "--cache",
            str(tmp_path / "cache"), "--input-size", "64", "--out", str(run / "sam.safetensors"),
            "--set", *sets,
        ]  # fmt: skip

    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    broken.mkdir()
    child = subprocess.Popen(command(broken), stdout=subprocess.DEVNULL, env=env)
    while not (broken / "checkpoint.json").exists():
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    for run in (broken, whole):
        run.mkdir(exist_ok=True)
        subprocess.run(command(run), check=True, stdout=subprocess.DEVNULL, env=env)
    one, other = (load_sam(run / "sam.safetensors").state_dict() for run in (broken, whole))
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], atol=1e-5, rtol=1e-4)


def test_the_network_with_the_encoder_is_a_checkpoint_that_loads(tmp_path: Path):
    torch.manual_seed(0)
    model = MaskedAutoencoder(SMALL)
    sam = as_sam(model, input_size=64)
    write_sam(tmp_path / "sam.safetensors", sam)
    loaded = load_sam(tmp_path / "sam.safetensors")
    assert loaded.config.encoder == sam.config.encoder
    assert loaded.config.input_size == 64
    for name, value in model.encoder.state_dict().items():
        if name.startswith(("blocks.", "patch_embed.")) and "rel_pos" not in name:
            torch.testing.assert_close(loaded.image_encoder.state_dict()[name], value)
    with pytest.raises(InputError, match="multiple of the patch size 8"):
        as_sam(model, input_size=63)


def test_settings_of_another_network_do_not_go_on(tmp_path: Path, cache: ShardCache):
    settings = MaeSettings.from_dict({**SMALL.to_dict(), "steps": 5})
    PretrainRun(tmp_path, MaskedAutoencoder(settings), settings).fit(
        lambda s: batches(cache, None, settings, s)
    )
    wider = MaeSettings.from_dict({**settings.to_dict(), "embed_dim": 32})
    with pytest.raises(ModelError, match="use another folder"):
        PretrainRun(tmp_path, MaskedAutoencoder(wider), wider)


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(tmp_path: Path, cache: ShardCache):
    class Breaks(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(2, 2))
            self.calls = 0

        def forward(self, views: torch.Tensor, seed: int) -> torch.Tensor:
            self.calls += 1
            return self.weight.sum() * (float("nan") if self.calls > 7 else 1.0)

    run = PretrainRun(tmp_path, Breaks(), SMALL)
    with pytest.raises(ModelError, match="lower lr"):
        run.fit(lambda step: batches(cache, None, SMALL, step))
    again = PretrainRun(tmp_path, Breaks(), SMALL)
    assert again.step == 5
    assert torch.isfinite(again.module.weight).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"image_size": 30}, "multiple of the patch size 8"),
        ({"masked": 1.0}, "below 1"),
        ({"embed_dim": 18}, "multiple of 4 x heads"),
        ({"steps": 0}, "at least 1"),
        ({"nonsense": 1}, "unknown settings"),
    ],
)
def test_contradictions_are_refused(values: dict[str, object], message: str):
    with pytest.raises(InputError, match=message):
        MaeSettings.from_dict({**SMALL.to_dict(), **values})


@pytest.mark.parametrize("smallest", [0.2, 1.0])
def test_views_are_parts_of_the_picture(smallest: float):
    ramp = np.dstack([np.tile(np.arange(90, dtype=np.uint8), (60, 1))] * 3)
    for seed in range(20):
        view = square_view(ramp, 32, smallest, np.random.default_rng(seed))
        assert view.shape == (32, 32, 3)
        steps = np.diff(view[5, :, 0].astype(int))
        assert (steps >= 0).all() or (steps <= 0).all()
        width = abs(int(view[5, -1, 0]) - int(view[5, 0, 0]))
        assert width >= (80 if smallest == 1 else 90 * 0.2**0.5 * 0.75**0.5 - 4)


def test_no_pictures_are_refused():
    class Nothing:
        def __len__(self) -> int:
            return 0

        def pixels(self, index: int) -> np.ndarray:
            raise IndexError(index)

    with pytest.raises(InputError, match="no pictures"):
        next(batches(Nothing(), None, SMALL, 0))


TEACHER = SamConfig(VitConfig(16, 2, 2, (1,), window_size=2, patch_size=16), input_size=64, prompt_dim=32)
STUDENT = SamConfig(
    TinyVitConfig((8, 8, 8, 16), (1, 1, 1, 1), (1, 1, 1, 2), (2, 2, 2, 2)), input_size=64, prompt_dim=32
)


def test_the_student_comes_nearer_and_serves_with_the_teachers_decoder(tmp_path: Path, cache: ShardCache):
    torch.manual_seed(0)
    teacher = Sam(TEACHER)
    settings = DistilSettings(image_size=64, images=4, steps=60, warmup=3, lr=3e-3)
    model = EmbeddingDistillation(teacher, STUDENT)
    before = {k: v.clone() for k, v in teacher.state_dict().items()}
    PretrainRun(tmp_path / "run", model, settings).fit(lambda step: batches(cache, None, settings, step))
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.6 * losses[0]
    sam = model.as_sam()
    for name, value in before.items():
        torch.testing.assert_close(teacher.state_dict()[name], value)
        if not name.startswith("image_encoder."):
            torch.testing.assert_close(sam.state_dict()[name], value)
    pixels = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(sam.eval().encode(pixels), model.student.eval()(pixels))


def test_a_student_of_other_sizes_is_refused():
    with pytest.raises(InputError, match="give a student of the same sizes"):
        EmbeddingDistillation(Sam(TEACHER), SamConfig(STUDENT.encoder, input_size=128, prompt_dim=32))
