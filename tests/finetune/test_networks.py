"""The networks in training answer as the runtimes do; low-rank changes are those of the peft package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import peft
import pytest
import torch

from anymask.core.images import load_image
from anymask.finetune.lora import MOST_BYTES, LowRank, adapt, adapter_tensors, write_adapter
from anymask.finetune.networks import Network, SamNetwork, attention_layers, open_network
from anymask.modeling.config import TinyVitConfig, sam_config
from anymask.modeling.sam import Sam
from anymask.models.adapter import About, Merged
from anymask.models.folder import ModelFolder
from anymask.predict.backends import make_runtime
from anymask.predict.preprocess import network_input
from anymask.predict.runtime import PromptBatch
from tests.finetune.conftest import quick
from tests.modeling.twins import randomise

TINY_VIT = TinyVitConfig((8, 16, 16, 16), (1, 1, 1, 1), (1, 2, 2, 2), (7, 4, 4, 4))
# Prompts as training keeps them: filled from the front, empty places labelled -1.
POINTS = torch.tensor(
    [
        [[20.0, 30], [0, 0], [0, 0]],
        [[10, 10], [50, 60], [0, 0]],
        [[10, 10], [50, 60], [30, 20]],
        [[40, 40], [20, 8], [50, 9]],
    ]
)
LABELS = torch.tensor([[1, -1, -1], [2, 3, -1], [2, 3, 0], [1, 0, 1]])


@pytest.fixture(params=["lite_model", "sam_model"])
def folder(request: pytest.FixtureRequest) -> ModelFolder:
    found: ModelFolder = request.getfixturevalue(request.param)
    return found


def view_of(folder: ModelFolder) -> tuple[np.ndarray, tuple[int, int]]:
    """A square of the model's size, filled in its upper part only."""
    size = folder.spec.input_size
    pixels = np.random.default_rng(0).integers(0, 255, (1, size, size, 3), dtype=np.uint8)
    return pixels, (size // 2, size)


def test_a_view_is_embedded_as_a_picture_is(folder: ModelFolder) -> None:
    pixels, (height, width) = view_of(folder)
    network = open_network(folder)
    with torch.no_grad():
        ours = network.encode(pixels, [(height, width)])
    given = network_input(load_image(pixels[0, :height, :width]), folder.spec)
    with torch.no_grad():
        for one, other in zip(ours, network.features(torch.from_numpy(given)), strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("masked", [False, True])
def test_prompts_are_answered_as_the_runtime_answers_each(folder: ModelFolder, masked: bool) -> None:
    """Whatever stands beside a prompt in a batch, and however many empty places it has."""
    pixels, filled = view_of(folder)
    network, side = open_network(folder), folder.spec.mask_size
    logits = torch.randn(4, 1, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = network.encode(pixels, [filled])
        found, scores = network.decode(features, POINTS, LABELS, logits, torch.full((4,), float(masked)))
    runtime = make_runtime(folder, backend="torch", precision="exact")
    named = {n: f.numpy() for n, f in zip(folder.spec.features, features, strict=True)}
    for row in range(4):
        used = [i for i in range(3) if LABELS[row, i] >= 0]
        points, labels = POINTS[row, used].numpy(), LABELS[row, used].numpy()
        if 2 not in labels:
            points, labels = np.concatenate([points, np.zeros((1, 2))]), np.append(labels, -1)
        prompt = PromptBatch(points[None], labels[None], logits[row : row + 1].numpy() if masked else None)
        wanted = runtime.decode(named, prompt)
        np.testing.assert_allclose(found[row], wanted.logits[0], atol=1e-4, rtol=1e-3)
        np.testing.assert_allclose(scores[row], wanted.scores[0], atol=1e-5, rtol=1e-4)


def test_what_is_trained(folder: ModelFolder) -> None:
    network = open_network(folder)
    assert not network.trained()
    network.prepare(quick())
    assert {name.split(".")[0] for name in network.trained()} == {network.decoder}
    assert not any(map(network.is_encoder, network.trained()))
    whole = open_network(folder)
    whole.prepare(quick(train="all"))
    assert len(whole.trained()) == len(list(whole.module.parameters()))


def trained_adapter(network: Network, rank: int = 3) -> Network:
    """A network whose low-rank changes and decoder have moved."""
    network.prepare(quick(lora=rank))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.trained().values():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
            parameter.copy_(parameter.half().float() if parameter.ndim > 1 else parameter)  # as it is stored
    return network


def write(network: Network, folder: ModelFolder, place: Path) -> Path:
    about = About("tiny", folder.sha256, "mine", "1")
    write_adapter(
        place, network.adapter(), about, rank=3, alpha=6.0, pattern=network.low_rank, whole=network.decoder
    )
    return place


def test_low_rank_changes_begin_at_nothing(folder: ModelFolder) -> None:
    pixels, filled = view_of(folder)
    plain, adapted = open_network(folder), open_network(folder)
    adapted.prepare(quick(lora=3))
    layers = [m for m in adapted.module.modules() if isinstance(m, LowRank)]
    assert layers
    names = set(adapted.trained())
    assert all(".lora_" in name or not adapted.is_encoder(name) for name in names)
    with torch.no_grad():
        for one, other in zip(plain.encode(pixels, [filled]), adapted.encode(pixels, [filled]), strict=True):
            assert torch.equal(one, other)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_peft_opens_our_adapter_and_answers_alike(folder: ModelFolder, tmp_path: Path) -> None:
    pixels, filled = view_of(folder)
    ours = trained_adapter(open_network(folder))
    place = write(ours, folder, tmp_path / "adapter")
    theirs = open_network(folder)
    opened = peft.PeftModel.from_pretrained(theirs.module, str(place)).eval()
    assert isinstance(opened, peft.PeftModel)
    theirs.module = opened.base_model.model
    with torch.no_grad():
        mine, other = ours.encode(pixels, [filled]), theirs.encode(pixels, [filled])
        base = open_network(folder).encode(pixels, [filled])
        assert max(float((a - b).abs().max()) for a, b in zip(mine, base, strict=True)) > 1e-3
        for one, two in zip(mine, other, strict=True):
            torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)
        side = folder.spec.mask_size
        rest = (POINTS, LABELS, torch.zeros(4, 1, side, side), torch.zeros(4))
        for one, two in zip(ours.decode(mine, *rest), theirs.decode(mine, *rest), strict=True):
            torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-4)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_peft_merges_to_the_same_weights(folder: ModelFolder, tmp_path: Path) -> None:
    ours = trained_adapter(open_network(folder))
    place = write(ours, folder, tmp_path / "adapter")
    merged = Merged(folder, place)
    whole = (
        peft.PeftModel.from_pretrained(open_network(folder).module, str(place))
        .merge_and_unload()
        .state_dict()
    )
    names = [name for name in merged if name in whole]
    assert set(merged) - set(whole) == set()
    for name in names:
        torch.testing.assert_close(
            torch.from_numpy(np.array(merged[name])), whole[name], atol=1e-5, rtol=1e-4
        )


def test_tiny_vit_is_adapted_too() -> None:
    torch.manual_seed(0)
    sam = Sam(sam_config("mobile", encoder=TINY_VIT, input_size=128)).eval()
    randomise(sam)
    pixels = torch.randn(1, 3, 128, 128)
    with torch.no_grad():
        before = sam.encode(pixels)
        assert len(adapt(sam, attention_layers(sam), 2, 4.0)) == 12
        assert torch.equal(before, sam.encode(pixels))


@pytest.mark.parametrize("name", ["vit_b", "vit_l", "vit_h", "mobile"])
def test_adapters_of_the_published_networks_stay_below_20_mb(name: str) -> None:
    with torch.device("meta"):
        sam = Sam(sam_config(name)).eval()
        assert adapt(sam, attention_layers(sam), 8, 16.0)
    tensors = adapter_tensors(sam, SamNetwork.decoder)
    stored = sum(v.numel() * v.element_size() for v in tensors.values())
    assert 1_000_000 < stored < MOST_BYTES
