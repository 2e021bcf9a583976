"""`lite`: its shapes, its invariances, its ImageNet backbone, and that folding changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.core.errors import FormatError, ModelError
from anymask.modeling.lite import Lite, LiteConfig, build_lite
from anymask.modeling.lite.backbones import BACKBONES, build_backbone, imagenet_weights
from anymask.modeling.lite.decoder import box_cover

TINY = LiteConfig(backbone="plain_cnn", width16=16, width8=8, width4=8, attention_width=8, mlp_width=16)


def tiny(seed: int = 0, config: LiteConfig = TINY) -> Lite:
    torch.manual_seed(seed)
    model = build_lite(config).eval()
    for parameter in model.parameters():  # the direct path starts at round numbers; make everything matter
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def features(model: Lite, height: int = 64, width: int = 96, seed: int = 1) -> list[Tensor]:
    torch.manual_seed(seed)
    return list(model.encoder(torch.randn(1, 3, height, width)))


def prompts(batch: int = 3, h: int = 16, w: int = 24) -> dict[str, Tensor]:
    torch.manual_seed(2)
    return {
        "points_xy": torch.rand(batch, 4, 2) * 60,
        "labels": torch.tensor([[1, 0, -1, -1], [1, -1, 2, 3], [-1, -1, 2, 3]])[:batch],
        "mask_logits": 5 * torch.randn(batch, 1, h, w),
        "has_mask": torch.tensor([0.0, 1.0, 0.0])[:batch],
    }


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_backbone_strides_and_channels(name: str) -> None:
    backbone = build_backbone(name).eval()
    with torch.no_grad():
        maps = backbone(torch.randn(1, 3, 64, 96))
    sizes = [tuple(m.shape) for m in maps]
    assert sizes == [(1, c, 64 // s, 96 // s) for c, s in zip(backbone.channels, (4, 8, 16, 32), strict=True)]


@pytest.mark.parametrize("size", [(64, 64), (64, 96), (128, 32)])
def test_any_size_that_is_a_multiple_of_32(size: tuple[int, int]) -> None:
    model = tiny()
    h, w = size[0] // 4, size[1] // 4
    with torch.no_grad():
        logits, scores = model.decoder(*features(model, *size), **prompts(h=h, w=w))
    assert logits.shape == (3, 4, h, w)
    assert scores.shape == (3, 4)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_prompts_do_not_see_each_other() -> None:
    model, given = tiny(), prompts()
    seen = features(model)
    with torch.no_grad():
        together = model.decoder(*seen, **given)
        alone = [model.decoder(*seen, **{k: v[i : i + 1] for k, v in given.items()}) for i in range(3)]
    for part in (0, 1):
        torch.testing.assert_close(together[part], torch.cat([a[part] for a in alone]), atol=1e-5, rtol=1e-5)


def test_order_of_points_does_not_matter() -> None:
    model, given = tiny(), prompts(1)
    order = torch.tensor([1, 0, 3, 2])
    moved = {**given, "points_xy": given["points_xy"][:, order], "labels": given["labels"][:, order]}
    with torch.no_grad():
        a, b = model.decoder(*features(model), **given), model.decoder(*features(model), **moved)
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_mask_logits_count_only_with_the_flag() -> None:
    model, given = tiny(), prompts(1)
    other = {**given, "mask_logits": -given["mask_logits"]}
    seen = features(model)
    with torch.no_grad():
        assert torch.equal(model.decoder(*seen, **given)[0], model.decoder(*seen, **other)[0])
        flagged = {"has_mask": torch.ones(1)}
        a, b = model.decoder(*seen, **{**given, **flagged}), model.decoder(*seen, **{**other, **flagged})
    assert (a[0] - b[0]).abs().max() > 0.1


def test_folding_changes_nothing_and_fits_the_unnormalised_model() -> None:
    config = LiteConfig.from_dict({**TINY.to_dict(), "backbone_normalised": True})
    model = tiny(config=config)
    model.train()
    with torch.no_grad():
        for _ in range(3):  # statistics that are not the initial ones
            model.encoder(torch.randn(4, 3, 64, 96))
    model.eval()
    before = features(model)
    with torch.no_grad():
        model.fold()
        after = features(model)
        again = Lite(model.config).eval()
        again.load_state_dict(model.state_dict())
    for a, b, c in zip(before, after, features(again), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)
        assert torch.equal(b, c)


def test_spelled_out_norm_of_exported_graphs_is_layer_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    model, given = tiny(), prompts()
    seen = features(model)
    with torch.no_grad():
        eager = model.decoder(*seen, **given)[0]
        monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
        spelled = model.decoder(*seen, **given)[0]
    torch.testing.assert_close(eager, spelled, atol=1e-5, rtol=1e-5)


def test_box_cover_is_the_exact_area_of_each_cell() -> None:
    first, last = torch.tensor([[1.25, 0.5]]), torch.tensor([[3.5, 2.0]])
    cover = box_cover(torch.arange(5) + 0.5, torch.arange(4) + 0.5, first, last)
    assert cover.sum().item() == pytest.approx(2.25 * 1.5)
    assert cover[0, 0].tolist() == pytest.approx([0, 0.375, 0.5, 0.25, 0])


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite2"])
def test_imagenet_weights_compute_the_original_network(name: str) -> None:
    """Our backbone on the published weights gives what the network written down from their shapes gives."""
    state = imagenet_weights(name)
    ours = build_backbone(name).eval()
    missing = ours.load_state_dict(state, strict=False)
    assert [k for k in missing.missing_keys if not k.endswith("num_batches_tracked")] == []
    assert missing.unexpected_keys == []
    torch.manual_seed(0)
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for got, wanted in zip(ours(pixels), plain_forward(state, pixels, ours.taps), strict=True):
            torch.testing.assert_close(got, wanted, atol=1e-3, rtol=1e-3)


def plain_forward(state: dict[str, Tensor], x: Tensor, taps: tuple[int, ...]) -> list[Tensor]:
    """EfficientNet-Lite written down a second time, straight from the weights' shapes."""

    def conv(name: str, x: Tensor, stride: int) -> Tensor:
        weight = state[f"{name}.conv.weight"]
        kernel, groups = weight.shape[-1], x.shape[1] // weight.shape[1]
        total = max(kernel - stride, 0) if x.shape[-1] % stride == 0 else kernel - 1  # TensorFlow's SAME
        x = F.pad(x, (total // 2, total - total // 2) * 2)
        x = F.conv2d(x, weight, stride=stride, groups=groups)
        stats = [state[f"{name}.norm.{k}"] for k in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *stats, eps=1e-5)

    x = F.relu6(conv("stem", x, 2))
    found, resolution = [], x.shape[-1]
    last = max(int(k.split(".")[1]) for k in state if k.startswith("blocks."))
    widths = [state[f"blocks.{i}.project.conv.weight"].shape[0] for i in range(last + 1)]
    # the first block of a new width halves the resolution, but for the widths of stages 1, 5 and 7
    stages = sorted(set(widths), key=widths.index)
    strided = {widths.index(stages[n]) for n in (1, 2, 3, 5)}
    for i in range(last + 1):
        y = F.relu6(conv(f"blocks.{i}.expand", x, 1)) if f"blocks.{i}.expand.conv.weight" in state else x
        y = F.relu6(conv(f"blocks.{i}.depthwise", y, 2 if i in strided else 1))
        y = conv(f"blocks.{i}.project", y, 1)
        x = x + y if x.shape == y.shape else y
        if i in taps:
            found.append(x)
    assert x.shape[-1] == resolution // 16
    return found


def test_unknown_names_and_contradictions_are_refused() -> None:
    with pytest.raises(ModelError, match="unknown backbone 'vgg99'"):
        build_lite(LiteConfig(backbone="vgg99"))
    with pytest.raises(FormatError, match="heads"):
        LiteConfig(heads=3)
    with pytest.raises(FormatError, match="unknown keys"):
        LiteConfig.from_dict({"colour": 1})
    with pytest.raises(ModelError, match="no package"):
        imagenet_weights("resnet18")


def test_every_parameter_takes_part() -> None:
    """A gradient reaches every weight when all kinds of prompt are given."""
    model = tiny()
    model.train()
    seen = [f.expand(3, -1, -1, -1) for f in features(model)]
    logits, scores = model.decoder(*seen, **prompts())
    (logits.square().sum() + scores.sum()).backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # a bias before batch normalisation is the only thing that cannot matter
    assert [n for n in silent if not isinstance(model.get_submodule(n.rsplit(".", 1)[0]), nn.Conv2d)] == []
