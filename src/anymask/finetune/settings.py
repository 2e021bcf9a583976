"""Every setting of a fine-tuning run."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from anymask.core.errors import InputError
from anymask.train.config import TrainConfig

Part = Literal["decoder", "all"]
FIGURES = ("click1", "oracle1", "click2", "click3", "click4", "click5", "box")
"""What can be judged: IoU after so many clicks, for the box, of the best candidate of one click."""


@dataclass(frozen=True)
class Settings:
    """What a run does. Contradictory values are refused at once, in the words of the command line.

    Raises InputError.
    """

    train: Part = "decoder"  # the mask decoder alone, or the image encoder, too
    lora: int = 0  # rank of the low-rank changes of the image encoder; 0: none
    lora_alpha: float = 0.0  # their scale; 0: twice the rank
    judge: tuple[str, ...] = ("click1", "click3", "click5", "box")  # what is to become better
    held_out: float = 0.3  # share of the pictures that only the comparison sees, without --val
    validation: float = 0.2  # share of the others that stops the training in time
    shots: int = 0  # use only so many pictures to train and validate; 0: all
    group: str = ""  # pictures of one group stay on one side, see `groups.group_key`
    keys: str = ""  # only pictures whose name matches this regular expression
    steps: int = 200
    minutes: float = 0.0  # of training at most, resumed runs counted together; 0: steps alone decide
    images: int = 4  # pictures a step
    masks: int = 2  # masks a picture and step
    rounds: int = 5  # prompts a mask is shown one after the other
    views: int = 0  # embedded views a picture while the encoder is frozen; 0: 4 for lite and mobile, 2 others
    lr: float = 0.0  # 0: 2e-4 for lite, 1e-4 for the others
    encoder_lr: float = 0.1  # of an encoder that is trained as a whole, as a share of lr
    weight_decay: float = 0.01
    warmup: int = 20  # steps
    ema: float = 0.98  # moving average of the weights, which is what is measured and kept
    measure_every: int = 25  # steps
    patience: int = 4  # measurements without a gain until the run stops early
    seed: int = 0

    def __post_init__(self) -> None:
        if self.train not in get_args(Part):
            raise InputError(f"--train is {self.train!r}; give one of {', '.join(get_args(Part))}")
        if self.lora < 0 or self.lora > 256:
            raise InputError(f"--lora is {self.lora}; give a rank from 1 to 256, or leave it out")
        if self.lora and self.train == "all":
            raise InputError("--lora and --train all exclude each other; give one of them")
        unknown = [name for name in self.judge if name not in FIGURES]
        if unknown or not self.judge:
            raise InputError(f"--judge {','.join(self.judge)}: give some of {', '.join(FIGURES)}")
        for name in ("held_out", "validation"):
            if not 0 < getattr(self, name) < 1:
                option = name.replace("_", "-")
                raise InputError(f"--{option} is {getattr(self, name)}; give a share above 0 and below 1")
        for name in ("steps", "images", "masks", "rounds", "measure_every", "patience"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; give at least 1")
        if self.shots < 0 or self.shots == 1:
            raise InputError(f"--shots is {self.shots}; give at least 2: one to train on, one to validate")
        for name in ("minutes", "lr", "encoder_lr", "views", "warmup", "lora_alpha"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}; give a number that is not below 0")
        try:
            re.compile(self.keys)
        except re.error as error:
            raise InputError(f"--keys {self.keys!r} is no regular expression ({error})") from error

    @property
    def encoder_trained(self) -> bool:
        """Whether embeddings change while training, so that none can be kept."""
        return self.train == "all" or self.lora > 0

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "judge": list(self.judge)}

    def procedure(self, input_size: int) -> TrainConfig:
        """The settings of views, prompts and losses, for a network's input size in pixels."""
        return TrainConfig(
            image_size=input_size,
            images=self.images,
            masks=self.masks,
            rounds=self.rounds,
            steps=self.steps,
            warmup=max(1, self.warmup),
            seed=self.seed,
        )
