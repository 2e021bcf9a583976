"""A pretraining run in a folder: `config.json`, `metrics.jsonl`, and a checkpoint that kills do not harm."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from anymask.core.errors import ModelError
from anymask.core.files import write_atomically
from anymask.train.course import parameter_groups, set_rates, share_done, share_of_rate, write_line
from anymask.train.pretrain.settings import PretrainSettings
from anymask.train.saved import load_checkpoint, save_checkpoint

LOG_EVERY = 20  # steps
NO_DECAY = ("pos_embed", "mask_token")

Batches = Callable[[int], Iterator[Tensor]]
"""From a step on, batches of views (B, 3, S, S) uint8."""


class PretrainRun:
    """One module whose forward makes a loss of a batch and a seed, AdamW, warm-up and cosine."""

    def __init__(self, folder: Path, module: nn.Module, settings: PretrainSettings) -> None:
        """Goes on from the folder's checkpoint where there is one. Raises ModelError if that does not fit."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.module, self.settings = folder, module, settings
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.module.to(self.device)
        trained = ((name, value) for name, value in module.named_parameters() if value.requires_grad)
        groups = parameter_groups(trained, lambda _: settings.lr, settings.weight_decay, NO_DECAY)
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.95))
        self.step, self.elapsed = 0, 0.0
        self._resume()

    @property
    def progress(self) -> float:
        """Share of the schedule that is done."""
        return share_done(self.step, self.settings.steps, self.elapsed, self.settings.minutes)

    def fit(self, batches: Batches) -> None:
        """Train to the schedule's end. Raises ModelError, the last good state kept, when the loss
        is no number."""
        text = json.dumps(self.settings.to_dict(), indent=1)
        write_atomically(self.folder / "config.json", text.encode())
        self.module.train()
        losses: list[float] = []
        stream = batches(self.step)
        last = time.monotonic()
        while self.progress < 1:
            losses.append(self._advance(next(stream)))
            now = time.monotonic()
            self.elapsed, last = self.elapsed + now - last, now
            if self.step % LOG_EVERY == 0 or self.progress >= 1:
                self._log({"loss": round(sum(losses) / len(losses), 5)})
                losses = []
            if self.step % self.settings.save_every == 0:
                self.save()
        self.save()

    def save(self) -> None:
        """Write the checkpoint; one that was cut short leaves the one before."""
        state = {
            "model": self.module.state_dict(), "optimiser": self.optimiser.state_dict(),
            "step": self.step, "elapsed": self.elapsed, "settings": self.settings.to_dict(),
        }  # fmt: skip
        save_checkpoint(self.folder, state, self.step)

    def _advance(self, batch: Tensor) -> float:
        set_rates(self.optimiser, share_of_rate(self.progress, self.step, self.settings.warmup, last=0.0))
        with torch.autocast(self.device.type, torch.bfloat16):
            loss: Tensor = self.module(batch.to(self.device), seed=self.settings.seed * 1_000_003 + self.step)
        if not torch.isfinite(loss):
            raise ModelError(
                f"the loss is {float(loss.detach())} at step {self.step}; the checkpoint before is kept, "
                "start again with a lower lr"
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.clip_norm)
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    def _resume(self) -> None:
        state = load_checkpoint(self.folder)
        if state is None:
            return
        try:
            self.module.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.elapsed = int(state["step"]), float(state["elapsed"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"the checkpoint in {self.folder} does not fit these settings ({error}); use another folder"
            ) from error

    def _log(self, values: dict[str, Any]) -> None:
        row = {"step": self.step, "minutes": round(self.elapsed / 60, 2), **values}
        print(write_line(self.folder / "metrics.jsonl", row), flush=True)
