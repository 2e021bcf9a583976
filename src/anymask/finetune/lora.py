"""Low-rank changes of an image encoder (Hu et al., LoRA, arXiv 2106.09685), named as peft names them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save
from torch import Tensor, nn

from anymask.core.errors import OutputError
from anymask.core.files import write_atomically
from anymask.models.adapter import ABOUT, CONFIG, PREFIX, WEIGHTS, About

MOST_BYTES = 20_000_000
"""What an adapter of rank 8 takes at most, for any of the published networks."""


class LowRank(nn.Module):
    """A linear layer or convolution W that stays as it is, plus alpha / r * B A, which is trained.

    A starts random and B at zero, so that nothing changes at first.
    """

    def __init__(self, base: nn.Linear | nn.Conv2d, rank: int, alpha: float) -> None:
        super().__init__()
        self.base_layer = base.requires_grad_(False)
        self.scale = alpha / rank
        if isinstance(base, nn.Linear):
            self.lora_A: nn.Module = nn.Linear(base.in_features, rank, bias=False)
            self.lora_B: nn.Module = nn.Linear(rank, base.out_features, bias=False)
        else:
            self.lora_A = nn.Conv2d(
                base.in_channels, rank, base.kernel_size, base.stride, base.padding, bias=False  # type: ignore[arg-type]
            )  # fmt: skip
            self.lora_B = nn.Conv2d(rank, base.out_channels, 1, bias=False)
        nn.init.kaiming_uniform_(self.lora_A.weight, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.base_layer(x) + self.scale * self.lora_B(self.lora_A(x))
        return out


def adapt(network: nn.Module, pattern: str, rank: int, alpha: float) -> list[str]:
    """Give every layer whose name matches a low-rank change; returns their names.

    pattern: a regular expression for whole names, as peft's `target_modules`.
    """
    targets = [name for name, _ in network.named_modules() if re.fullmatch(pattern, name)]
    for name in targets:
        parent, _, own = name.rpartition(".")
        owner = network.get_submodule(parent)
        layer = getattr(owner, own)
        assert isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and layer.groups == 1), name
        setattr(owner, own, LowRank(layer, rank, alpha))
    return targets


def adapter_tensors(network: nn.Module, whole: str) -> dict[str, Tensor]:
    """What an adapter's file holds, by key: the low-rank changes and all of the part `whole`.

    Trained matrices become float16, so that the decoder's, too, take little; vectors and buffers (tables of
    positions) stay as they are.
    """
    parameters = dict(network.named_parameters())
    chosen = {
        name: value.half() if name in parameters and value.ndim > 1 else value
        for name, value in network.state_dict().items()
        if ".lora_" in name or name.startswith(f"{whole}.")
    }
    return {PREFIX + name: value for name, value in chosen.items()}


def write_adapter(
    folder: Path,
    tensors: Mapping[str, np.ndarray],
    about: About,
    *,
    rank: int,
    alpha: float,
    pattern: str,
    whole: str,
) -> None:
    """Write an adapter's folder. tensors: as `adapter_tensors` gives them. Raises OutputError."""
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": about.base,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "use_rslora": False,
        "use_dora": False,
        "target_modules": pattern,
        "modules_to_save": [whole],
        "inference_mode": True,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create '{folder}': {error.strerror}; choose another place") from error
    write_atomically(folder / WEIGHTS, save(dict(tensors), {"format": "pt"}))
    write_atomically(folder / ABOUT, (json.dumps(about.to_json(), indent=1) + "\n").encode())
    write_atomically(folder / CONFIG, (json.dumps(config, indent=1) + "\n").encode())
