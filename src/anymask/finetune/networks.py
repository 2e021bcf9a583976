"""lite and Segment Anything's networks behind one seam: what fine-tuning must know of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from anymask.finetune.lora import adapt, adapter_tensors
from anymask.finetune.memory import save_memory
from anymask.finetune.settings import Settings
from anymask.modeling.load import load_lite, load_sam
from anymask.modeling.sam import Sam
from anymask.modeling.tiny_vit import TinyViT
from anymask.models.folder import ModelFolder
from anymask.models.weights import read_layout

Features = tuple[Tensor, ...]


class Network(ABC):
    """A model with some of its weights being trained; batch normalisation keeps its statistics.

    module: the torch network, in evaluation mode always. decoder: name of the part that is always trained.
    low_rank: which layers LoRA changes, a regular expression for their whole names.
    views: embedded views a picture while the encoder is frozen: the slower the encoder, the fewer.
    lr: a rate that suits the decoder. at_once: pictures whose masks are decoded together.
    """

    decoder: str
    low_rank: str
    views: int
    lr: float
    at_once: int

    def __init__(self, folder: ModelFolder, module: nn.Module) -> None:
        self.folder, self.spec = folder, folder.spec
        self.module = module.eval().requires_grad_(False)
        self.device = torch.device("cpu")

    @abstractmethod
    def save_memory(self) -> None:
        """Let the encoder compute its insides twice rather than keep them, where they are large."""

    @abstractmethod
    def features(self, pixels: Tensor) -> Features:
        """Normalised pixels (B, 3, S, S) -> what the decoder takes, batch first."""

    @abstractmethod
    def answer(
        self, features: Features, points_xy: Tensor, labels: Tensor, logits: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """N prompts of the same number of tokens on features of 1 or N pictures -> logits and scores."""

    def prepare(self, settings: Settings) -> None:
        """Make the weights that the settings name trainable."""
        self.module.get_submodule(self.decoder).requires_grad_(True)
        if settings.train == "all":
            self.module.requires_grad_(True)
        if settings.lora:
            adapt(self.module, self.low_rank, settings.lora, lora_alpha(settings))
        if settings.encoder_trained:
            self.save_memory()

    def to(self, device: torch.device) -> None:
        self.module.to(device)
        self.device = device

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that are trained, by name."""
        return {name: p for name, p in self.module.named_parameters() if p.requires_grad}

    def is_encoder(self, name: str) -> bool:
        """Whether a parameter belongs to the image encoder."""
        return not name.startswith(f"{self.decoder}.")

    def tensors(self) -> Mapping[str, np.ndarray]:
        """All weights under the names of the model's folder; not for a network with LoRA."""
        state = self.module.state_dict()
        return {name: state[name].cpu().numpy() for name in read_layout(self.folder.weights).places}

    def adapter(self) -> dict[str, np.ndarray]:
        """The low-rank changes and the decoder, under the adapter's keys."""
        return {k: v.cpu().numpy() for k, v in adapter_tensors(self.module, self.decoder).items()}

    def encode(self, pixels: np.ndarray, filled: Sequence[tuple[int, int]]) -> Features:
        """Views (B, S, S, 3) uint8 with the (height, width) that is no padding -> features."""
        x = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).to(self.device).float()
        mean, std, pad = (
            torch.tensor(v, device=self.device)[:, None, None]
            for v in (self.spec.pixel_mean, self.spec.pixel_std, self.spec.pad_value)
        )
        x = (x - mean) / std
        for row, (height, width) in zip(x, filled, strict=True):
            row[:, height:], row[:, :, width:] = (pad - mean) / std, (pad - mean) / std
        with self.brief():
            return tuple(level.float() for level in self.features(x))

    def brief(self) -> AbstractContextManager[object]:
        """bfloat16 for the encoder on devices that are made for it."""
        return torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()

    def decode(
        self, features: Features, points_xy: Tensor, labels: Tensor, logits: Tensor, has_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Prompts as `train.procedure.Decode` takes them, on features of 1 or N pictures.

        Prompts of equal length are decoded together, with as many tokens as they have in use (one that is no
        box ends in a token that is not a point): the network must learn from what it will meet.
        """
        used = (labels >= 0).sum(1)
        length = used + (~(labels == 2).any(1)).long()
        kinds = torch.stack([length, (has_mask > 0).long()], 1)
        found, scores = logits.new_zeros(len(labels), 4, *logits.shape[2:]), logits.new_zeros(len(labels), 4)
        for tokens, masked in torch.unique(kinds, dim=0).tolist():
            rows = torch.nonzero((kinds == kinds.new_tensor([tokens, masked])).all(1))[:, 0]
            here = tuple(level if len(level) == 1 else level[rows] for level in features)
            points, kind = padded(points_xy[rows], labels[rows], tokens)
            z, q = self.answer(here, points, kind, logits[rows] if masked else None)
            found, scores = found.index_put((rows,), z.float()), scores.index_put((rows,), q.float())
        return found, scores


class LiteNetwork(Network):
    """`lite`: features at strides 16, 8 and 4."""

    decoder = "decoder"
    low_rank = (  # the point-wise convolutions
        r"encoder\.(backbone\.blocks\.\d+\.(expand|project)\.conv"
        r"|pyramid\.(.+\.expand|(.+\.project|from\d+|up\d+)\.conv))"
    )
    views, lr, at_once = 4, 2e-4, 8

    def __init__(self, folder: ModelFolder) -> None:
        self.lite = load_lite(folder)
        super().__init__(folder, self.lite)

    def save_memory(self) -> None:
        """Nothing: a picture's insides take some 100 MB."""

    def features(self, pixels: Tensor) -> Features:
        return self.lite.encoder(pixels)

    def answer(
        self, features: Features, points_xy: Tensor, labels: Tensor, logits: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        count, side = len(labels), self.spec.mask_size
        given = points_xy.new_zeros(count, 1, side, side) if logits is None else logits
        flag = points_xy.new_full((count,), float(logits is not None))
        levels = (level.expand(count, -1, -1, -1) for level in features)
        return self.lite.decoder(*levels, points_xy, labels, given, flag)


class SamNetwork(Network):
    """Segment Anything with a ViT or TinyViT: one embedding at stride 16."""

    decoder = "mask_decoder"
    lr, at_once = 1e-4, 1

    def __init__(self, folder: ModelFolder) -> None:
        self.sam = load_sam(folder.path)
        super().__init__(folder, self.sam)
        self.views = 4 if isinstance(self.sam.image_encoder, TinyViT) else 2
        self.low_rank = attention_layers(self.sam)

    def save_memory(self) -> None:
        save_memory(self.sam.image_encoder)

    def features(self, pixels: Tensor) -> Features:
        return (self.sam.encode(pixels),)

    def answer(
        self, features: Features, points_xy: Tensor, labels: Tensor, logits: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        return self.sam.decode(features[0], points_xy, labels, logits)


def open_network(folder: ModelFolder) -> Network:
    """The torch network of a model's folder, nothing of it trainable yet. Raises ModelError."""
    return LiteNetwork(folder) if folder.spec.architecture == "lite" else SamNetwork(folder)


def attention_layers(sam: Sam) -> str:
    """The layers of an image encoder that LoRA changes, a regular expression for their whole names."""
    if isinstance(sam.image_encoder, TinyViT):
        return r"image_encoder\.layers\.[123]\.blocks\.\d+\.(attn\.(qkv|proj)|mlp\.fc[12])"
    return r"image_encoder\.blocks\.\d+\.attn\.(qkv|proj)"


def lora_alpha(settings: Settings) -> float:
    """The scale of the low-rank changes."""
    return settings.lora_alpha or 2.0 * settings.lora


def padded(points_xy: Tensor, labels: Tensor, tokens: int) -> tuple[Tensor, Tensor]:
    """The first `tokens` places of prompts; a place is added where there are fewer."""
    missing = tokens - labels.shape[1]
    if missing > 0:
        points_xy = torch.cat([points_xy, points_xy.new_zeros(len(points_xy), missing, 2)], 1)
        labels = torch.cat([labels, labels.new_full((len(labels), missing), -1)], 1)
    return points_xy[:, :tokens], labels[:, :tokens]
