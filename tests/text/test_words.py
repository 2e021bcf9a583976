"""The encoder of the package: its two networks against torch's, its head, and what it says of real photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import anymask
import anymask.text.efficientnet as efficientnet
import anymask.text.minilm as minilm
from anymask.core.errors import InputError, MissingExtraError, ModelError
from anymask.core.images import load_image
from anymask.core.record import MaskRecord
from anymask.text import TextScorer, encoder_of
from anymask.text.encoder import Calibration
from anymask.text.head import WordsHead
from anymask.text.looks import FEATURES, Eyes, Looks
from anymask.text.minilm import CONTEXT, MiniLm, package_folder
from anymask.text.words import WordsEncoder

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SENTENCES = ["a red bicycle", "dog", "Küche mit Stühlen", "nucleus of a white blood cell"]


def test_minilm_equals_transformers() -> None:
    from transformers import BertModel, BertTokenizer

    tokens = BertTokenizer.from_pretrained(package_folder())(SENTENCES, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = BertModel.from_pretrained(package_folder()).eval()(**tokens).last_hidden_state
    real = tokens["attention_mask"][..., None]
    theirs = F.normalize((hidden * real).sum(1) / real.sum(1)).numpy()
    np.testing.assert_allclose(MiniLm(precision="exact", threads=1).embed(SENTENCES), theirs, atol=1e-5)


def test_sentences_do_not_depend_on_their_neighbours() -> None:
    reader = MiniLm(precision="exact", threads=1)
    alone = np.concatenate([reader.embed([sentence]) for sentence in SENTENCES])
    np.testing.assert_allclose(reader.embed(SENTENCES), alone, atol=1e-5)
    with pytest.raises(InputError, match=f"at most {CONTEXT - 2} are read"):
        reader.embed(["word " * 200])


def test_efficientnet_equals_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the backbone that `lite` was trained from, which pads as for even sides."""
    from anymask.modeling.lite.backbones import build_backbone, imagenet_weights

    backbone = build_backbone("efficientnet_lite2").eval()
    backbone.load_state_dict(imagenet_weights("efficientnet_lite2"), strict=False)
    monkeypatch.setattr(efficientnet, "_TRAINED_SIDE", 256)
    weights = efficientnet.package_weights()
    ours = efficientnet.efficientnet_network(weights, precision="exact", threads=1)
    pixels = np.random.default_rng(0).normal(size=(2, 3, 128, 160)).astype(np.float32)
    found = ours(pixels)
    kept = {
        name: torch.from_numpy(np.array(weights[name])) for name in weights if not name.startswith("_blocks")
    }
    with torch.no_grad():
        last = backbone(torch.from_numpy(pixels))[3]
        norm = [kept[f"_bn1.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        features = F.relu6(F.batch_norm(F.conv2d(last, kept["_conv_head.weight"]), *norm, eps=1e-3))
        logits = F.linear(features.mean((2, 3)), kept["_fc.weight"], kept["_fc.bias"])
    np.testing.assert_allclose(found["map"], features.numpy(), atol=1e-3)
    np.testing.assert_allclose(found["logits"], logits.numpy(), atol=1e-3)
    with pytest.raises(ModelError, match=r"'_fc\.weight' is missing"):
        efficientnet.efficientnet_network(
            {name: weights[name] for name in weights if name != "_fc.weight"}, precision="exact", threads=1
        )


def test_what_masks_show_does_not_depend_on_the_others() -> None:
    picture = load_image(EXAMPLES / "coffee.jpg")
    height, width = picture.image_hw
    rows, columns = np.ogrid[:height, :width]
    masks = [
        (rows - height / 2) ** 2 + (columns - width / 2) ** 2 < radius**2 for radius in range(20, 200, 18)
    ]
    records = [MaskRecord.of_mask(mask) for mask in masks]
    eyes = Eyes(precision="exact", threads=1)
    together = eyes.look(picture, records)
    assert together.features.shape == (len(records), FEATURES)
    np.testing.assert_allclose(together.classes.sum(axis=1), 1, atol=1e-4)
    alone = eyes.look(picture, records[-1:])
    np.testing.assert_allclose(together.features[-1:], alone.features, atol=1e-3)
    assert np.abs(together.features[0] - together.features[-1]).max() > 0.1
    assert eyes.look(picture, []).features.shape == (0, FEATURES)


def some_head() -> WordsHead:
    rng = np.random.default_rng(0)

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    calibration = Calibration(20.0, -3.0, background=("a", "b"), near=0.8, measured=True)
    spread = np.abs(numbers(FEATURES)) + 0.5
    return WordsHead(
        numbers(FEATURES), spread, numbers(FEATURES, 8), numbers(8, 16), numbers(1000, 16), 0.35, calibration,
        {"labels": ["cat", "dog"]},
    )  # fmt: skip


def test_a_head_is_saved_and_loaded(tmp_path: Path) -> None:
    head = some_head()
    head.save(tmp_path / "h.safetensors", tmp_path / "h.json")
    again = WordsHead.load(tmp_path / "h.safetensors", tmp_path / "h.json")
    assert (again.calibration, again.blend, again.about) == (head.calibration, head.blend, head.about)
    rng = np.random.default_rng(1)
    looks = Looks(rng.normal(size=(5, FEATURES)).astype(np.float32), np.full((5, 1000), 0.001, np.float32))
    cosines = (head(looks) * again(looks)).sum(axis=1)
    assert cosines.min() > 0.999  # 8 bits
    (tmp_path / "h.json").write_text("{}")
    with pytest.raises(ModelError, match="is damaged"):
        WordsHead.load(tmp_path / "h.safetensors", tmp_path / "h.json")


def test_the_head_in_the_package_is_small_and_calibrated() -> None:
    head = WordsHead.load()
    assert head.calibration.measured
    assert len(head.about["labels"]) > 200
    sizes = [path.stat().st_size for path in (Path(anymask.text.head.SHIPPED), Path(anymask.text.head.ABOUT))]
    assert sum(sizes) <= 2_000_000


def test_photos_are_named() -> None:
    model, encoder = anymask.load("lite"), encoder_of("words")
    assert isinstance(encoder, WordsEncoder)
    scorer = TextScorer(encoder)
    names = ["car", "cat", "cup", "building", "shoes"]
    for file, box, name in (("chelsea", (60, 5, 420, 298), "cat"), ("coffee", (203, 95, 370, 194), "cup")):
        picture = load_image(EXAMPLES / f"{file}.jpg")
        record = model.predict(model.embed(picture), box=box).best.to_record()
        scores = scorer(picture, [record], names)[0]
        assert names[int(scores.argmax())] == name, (file, scores)
        assert scores[names.index("building")] < 0.5


@pytest.mark.parametrize("package", ["minilm", "efficientnet"])
def test_without_the_extra_one_line_says_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = {"minilm": minilm, "efficientnet": efficientnet}[package]
    monkeypatch.setattr(module, "PACKAGE", "no_such_package_is_installed")
    with pytest.raises(MissingExtraError, match=r"pip install 'anymask\[text\]'"):
        WordsEncoder()
