"""The loop's gradients are those of the whole loss; computing twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from anymask.core.errors import InputError
from anymask.finetune.fit import Fit
from anymask.finetune.networks import Network, open_network
from anymask.finetune.settings import Settings
from anymask.finetune.views import Chances, Checks, KeptViews, Shown, packed, unpacked
from anymask.models.folder import ModelFolder
from anymask.train.procedure import turn_losses, turns
from anymask.train.shards import ShardCache, build_cache
from tests.finetune.conftest import quick


def masks(side: int, count: int = 2) -> Tensor:
    found = torch.zeros(count, 1, side, side)
    for i in range(count):
        found[i, :, 4 + i : 12 + 2 * i, 5 : 15 + i] = 1
    return found


class Always:
    """The same pictures each step, embedded by the encoder as it is."""

    def __init__(self, network: Network, count: int) -> None:
        size = network.spec.input_size
        self.network = network
        self.pixels = np.random.default_rng(0).integers(0, 255, (count, size, size, 3), dtype=np.uint8)

    def draw(self, count: int, rng: np.random.Generator) -> Iterator[Shown]:
        side = self.network.spec.mask_size
        for one in self.pixels:
            yield Shown(self.network.encode(one[None], [(side * 4, side * 4)]), masks(side))


def fit(network: Network, settings: Settings, folder: Path) -> Fit:
    return Fit(network, Always(network, settings.images), Checks(network, None, [], keep=False),  # type: ignore[arg-type]
               settings, folder, lambda values: None)  # fmt: skip


@pytest.mark.parametrize("changes", [{"train": "all"}, {"lora": 2}, {}])
@pytest.mark.parametrize("name", ["lite_model", "sam_model"])
def test_gradients_turn_by_turn_are_those_of_the_whole(
    name: str, changes: dict[str, object], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder: ModelFolder = request.getfixturevalue(name)
    settings = quick(**changes, images=2)
    network = open_network(folder)
    network.prepare(settings)
    ours = fit(network, settings, tmp_path)
    rng = np.random.default_rng(5)
    pictures = ours.views.draw(2, rng)
    loss = sum(ours._backward(pictures, rng) for _ in range(0, 2, network.at_once))
    found = {n: p.grad.clone() for n, p in network.trained().items() if p.grad is not None}
    assert any(network.is_encoder(n) and g.abs().max() > 0 for n, g in found.items()) == bool(changes)

    network.module.zero_grad(set_to_none=True)
    rng = np.random.default_rng(5)
    total = torch.zeros(())
    shown = list(Always(network, 2).draw(2, rng))
    parts = [shown] if network.at_once > 1 else [[one] for one in shown]
    for part in parts:
        each = torch.arange(len(part)).repeat_interleave(2)
        levels = tuple(torch.cat(level)[each] for level in zip(*(one.features for one in part), strict=True))
        truth = torch.cat([one.masks for one in part])
        for turn in turns(partial(network.decode, levels), truth, ours.config, rng):
            total = total + turn_losses(turn, truth, ours.config).mean() * len(part) / 2 / settings.rounds
    torch.autograd.backward(total)
    assert loss == pytest.approx(float(total.detach()), rel=1e-4)
    for key, parameter in network.trained().items():
        if parameter.grad is not None:
            torch.testing.assert_close(found[key], parameter.grad, atol=2e-4, rtol=2e-3, msg=key)


def test_saving_memory_changes_no_gradient(sam_model: ModelFolder) -> None:
    found = []
    for save in (False, True):
        network = open_network(sam_model)
        network.module.requires_grad_(True)
        if save:
            network.save_memory()
        features = next(Always(network, 1).draw(1, np.random.default_rng(0))).features[0]
        torch.autograd.backward(features.square().mean())
        found.append({n: p.grad for n, p in network.module.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    assert "image_encoder.blocks.1.attn.rel_pos_h" in found[0]
    for name, grad in found[0].items():
        torch.testing.assert_close(grad, found[1][name], atol=1e-6, rtol=1e-4, msg=name)


def test_features_are_kept_to_half_precision() -> None:
    features = (torch.randn(1, 4, 3, 3), torch.randn(1, 2, 6, 6))
    low = torch.rand(2, 12, 12).numpy()
    levels, again = unpacked(packed(features, low))
    assert np.abs(again - low).max() <= 0.5 / 255 + 1e-6
    for one, other in zip(features, levels, strict=True):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=1e-3)


def test_views_are_embedded_once(lite_model: ModelFolder, toys: Path, tmp_path: Path) -> None:
    cache = ShardCache(build_cache([toys], tmp_path / "cache"))
    network, config = open_network(lite_model), quick().procedure(128)
    told: list[tuple[int, int]] = []

    def views() -> KeptViews:
        return KeptViews(
            network, cache, [0, 3], config, tmp_path / "views", 3, lambda _, n, m: told.append((n, m))
        )

    first = next(views().draw(1, np.random.default_rng(0)))
    assert told[-1] == (6, 6)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "views").iterdir()}
    assert len(times) == 6
    again = next(views().draw(1, np.random.default_rng(0)))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "views").iterdir()} == times
    assert torch.equal(first.masks, again.masks)
    assert first.masks.shape[2:] == (32, 32)


def test_sources_are_drawn_by_the_root_of_their_size(toys: Path, tmp_path: Path) -> None:
    cache = ShardCache(build_cache([toys], tmp_path / "cache"))
    chances = Chances(cache, [1, 5, 7])
    assert set(chances.draw(60, np.random.default_rng(0))) == {1, 5, 7}
    assert chances.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train": "head"}, "--train is 'head'; give one of decoder, all"),
        ({"lora": -1}, "--lora is -1"),
        ({"lora": 4, "train": "all"}, "--lora and --train all exclude each other"),
        ({"judge": ("click7",)}, "--judge click7: give some of click1"),
        ({"held_out": 1.0}, "--held-out is 1.0; give a share above 0 and below 1"),
        ({"validation": 0.0}, "--validation is 0.0"),
        ({"shots": 1}, "--shots is 1; give at least 2"),
        ({"steps": 0}, "steps is 0; give at least 1"),
        ({"lr": -1.0}, "lr is -1.0; give a number that is not below 0"),
        ({"keys": "("}, "--keys '(' is no regular expression"),
    ],
)
def test_settings_that_cannot_be(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as error:
        Settings(**changes)  # type: ignore[arg-type]
    assert str(error.value).startswith(said)
