"""The training loop: one process or many, resumable at any step."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import broadcast
from torch import Tensor
from torch.utils.data import DataLoader

from anymask.core.errors import InputError, ModelError
from anymask.modeling.lite import Lite, build_lite
from anymask.train.config import TrainConfig
from anymask.train.course import parameter_groups, set_rates, share_done, share_of_rate, write_line
from anymask.train.measure import measure
from anymask.train.procedure import Procedure
from anymask.train.saved import load_checkpoint, save_checkpoint, save_model
from anymask.train.shards import ShardCache
from anymask.train.views import ViewStream


class Average:
    """Exponential moving average of a model's state: parameters and buffers by name (float32)."""

    def __init__(self, state: Mapping[str, Tensor], decay: float) -> None:
        self.decay = decay
        self.values = {k: v.detach().clone() for k, v in state.items()}

    @torch.no_grad()
    def update(self, state: Mapping[str, Tensor], step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, value in state.items():
            if value.dtype.is_floating_point:
                self.values[key].lerp_(value, 1 - decay)
            else:
                self.values[key].copy_(value)


def make_optimiser(procedure: Procedure, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW with the backbone's own rate; no decay on biases and norms."""

    def rate(name: str) -> float:
        return config.backbone_lr if name.startswith("model.encoder.backbone.") else config.lr

    groups = parameter_groups(procedure.named_parameters(), rate, config.weight_decay)
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


class Run:
    """A run in a folder: `config.json`, `metrics.jsonl`, `checkpoint.json` with its pieces, `model.pt`
    (averaged weights)."""

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        train: ShardCache,
        val: ShardCache | None,
        initial: dict[str, Tensor] | None = None,
        teacher: Lite | None = None,
        backbone: Path | None = None,
    ) -> None:
        if not len(train):
            raise InputError("the training data holds no image with a usable mask")
        self.folder, self.config, self.train_cache, self.val_cache = folder, config, train, val
        folder.mkdir(parents=True, exist_ok=True)
        # Precision is chosen per part in Procedure, so accelerate is only asked for devices and processes.
        # A frozen backbone's parameters get no gradient, which a parallel wrapper has to be told.
        unused = DistributedDataParallelKwargs(find_unused_parameters=True)
        self.accelerator = Accelerator(cpu=not torch.cuda.is_available(), kwargs_handlers=[unused])
        torch.manual_seed(config.seed)
        model = start_model(config, initial, backbone)
        self.step, self.elapsed = 0, 0.0
        self.procedure = Procedure(model, config, teacher)
        self.optimiser = make_optimiser(self.procedure, config)
        self.average = Average(model.state_dict(), config.ema)
        self.resume()
        self.wrapped, self.optimiser = self.accelerator.prepare(self.procedure, self.optimiser)
        for value in self.average.values.values():
            value.data = value.to(self.accelerator.device)

    @property
    def model(self) -> Lite:
        return self.procedure.model

    def progress(self) -> float:
        """Share of the schedule that is done."""
        return share_done(self.step, self.config.steps, self.elapsed, self.config.minutes)

    def resume(self) -> None:
        state = load_checkpoint(self.folder)
        if state is None:
            return
        try:
            self.model.load_state_dict(state["model"])
            if self.procedure.judge is not None:
                self.procedure.judge.load_state_dict(state["judge"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.average.values = state["average"]
            self.step, self.elapsed = int(state["step"]), float(state["elapsed"])
        except (KeyError, RuntimeError, ValueError, OSError) as error:
            raise ModelError(
                f"the checkpoint in {self.folder} does not fit this configuration ({error}); "
                "use another run folder"
            ) from error

    def save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        state = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(),
                 "average": self.average.values, "step": self.step, "elapsed": self.elapsed}  # fmt: skip
        if self.procedure.judge is not None:
            state["judge"] = self.procedure.judge.state_dict()
        save_checkpoint(self.folder, state, self.step)
        save_model(self.folder / "model.pt", self.average.values, self.model.config)

    def log(self, kind: str, values: dict[str, Any]) -> None:
        if not self.accelerator.is_main_process:
            return
        row = {"kind": kind, "step": self.step, "minutes": round(self.elapsed / 60, 2), **values}
        print(write_line(self.folder / "metrics.jsonl", row), flush=True)

    def fit(self) -> None:
        """Train until the schedule's end, saving as it goes."""
        if self.accelerator.is_main_process:
            text = json.dumps(self.config.to_dict(), indent=1)
            (self.folder / "config.json").write_text(text, encoding="utf-8")
        self.procedure.train()
        while self.progress() < 1:
            self.stage()
        self.save()
        self.measure(10**6)

    def stage(self) -> None:
        """Train on views of one size, until the schedule asks for another or ends."""
        config, size = self.config, self.config.size_at(self.progress())
        if config.compile:  # a second size would make shapes symbolic, which the CPU backend cannot reduce
            torch.compiler.reset()
        views = replace(config, image_size=size)
        stream = ViewStream(self.train_cache, views, rank=self.accelerator.process_index, start=self.step)
        loader = DataLoader(stream, batch_size=None, num_workers=config.workers,
                            pin_memory=self.accelerator.device.type == "cuda",
                            prefetch_factor=4 if config.workers else None)  # fmt: skip
        kept: dict[str, list[float]] = {}
        last = time.monotonic()
        for batch in loader:
            if self.progress() >= 1 or config.size_at(self.progress()) != size:
                return
            for name, value in self.advance(batch).items():
                kept.setdefault(name, []).append(value)
            now = time.monotonic()
            self.elapsed, last = self.agreed(self.elapsed + now - last), now
            if self.step % 20 == 0:
                self.log("train", {k: round(sum(v) / len(v), 4) for k, v in kept.items()})
                kept = {}
            if self.step % config.save_every == 0:
                self.save()
            if config.measure_every and self.step % config.measure_every == 0:
                self.measure(config.measure_images)
                last = time.monotonic()  # measuring is not training time

    def agreed(self, seconds: float) -> float:
        """The first process's clock: all processes must stop, freeze and save at the same step."""
        if self.accelerator.num_processes == 1:
            return seconds
        clock = torch.tensor([seconds], dtype=torch.float64, device=self.accelerator.device)
        return float(broadcast(clock, from_process=0).item())

    def advance(self, batch: dict[str, Tensor]) -> dict[str, float]:
        """One optimiser step. A step whose loss is not finite is left out and counted."""
        progress = self.progress()
        set_rates(self.optimiser, share_of_rate(progress, self.step, self.config.warmup))
        self.procedure.backbone_frozen = progress < self.config.frozen_share
        device = self.accelerator.device
        moved = [batch[name].to(device, non_blocking=True) for name in ("pixels", "masks", "image")]
        seed = (self.config.seed * 1_000_003 + self.step) * 64 + self.accelerator.process_index
        loss, metrics = self.wrapped(*moved, seed)
        self.optimiser.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        norm = self.accelerator.clip_grad_norm_(self.procedure.parameters(), self.config.clip_norm)
        self.step += 1
        if not torch.isfinite(norm):
            return {"skipped": 1.0}
        self.optimiser.step()
        self.average.update(self.model.state_dict(), self.step)
        return {"loss": float(loss.detach()), **metrics}

    def measure(self, images: int) -> None:
        if self.val_cache is None or not self.accelerator.is_main_process:
            return
        own = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self.average.values)
        self.log(
            "measure",
            {
                k: round(v, 4)
                for k, v in measure(self.model, self.val_cache, self.config, images=images).items()
            },
        )
        self.model.load_state_dict(own)


def start_model(config: TrainConfig, initial: dict[str, Tensor] | None, backbone: Path | None = None) -> Lite:
    """`lite` with ImageNet weights in its backbone (of a file, if one is given), or those of an earlier run.

    Raises InputError if `initial` has not the configuration's names and shapes, ModelError if the file is of
    another backbone.
    """
    imagenet = initial is None and config.model.backbone.startswith("efficientnet_lite")
    model = build_lite(config.model, imagenet=backbone or imagenet)
    if initial is not None:
        try:
            model.load_state_dict(initial)
        except RuntimeError as error:
            raise InputError(f"the initial weights do not fit this configuration: {error}") from error
    return model
