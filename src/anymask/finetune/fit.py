"""The training loop: rounds of simulated prompts, measured on the validation part, best state kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anymask.core.errors import ModelError, OutputError
from anymask.finetune.networks import Network
from anymask.finetune.settings import Settings
from anymask.finetune.views import Checks, Shown, Views
from anymask.train.course import parameter_groups, set_rates, share_done, share_of_rate, write_line
from anymask.train.loop import Average
from anymask.train.measure import measure_masks
from anymask.train.procedure import turn_losses, turns
from anymask.train.saved import load_checkpoint, save_checkpoint

SHARES = (0.3, 0.6)  # of the way from the first weights to the trained ones
SAVE_EVERY = 60.0  # seconds, between measurements that are farther apart

Tell = Callable[[Mapping[str, Any]], None]
"""Hears of every measurement: step, minutes, loss, score, best."""


@dataclass
class Course:
    """How far a run is.

    score: of the weights that are kept, on the validation part. base: of the model before training.
    stale: measurements since the last gain. ended: why it is over, empty while it is not.
    """

    step: int = 0
    seconds: float = 0.0
    score: float = -math.inf
    best_step: int = 0
    base: float = -math.inf
    stale: int = 0
    ended: str = ""
    share: float = 0.0


class Fit:
    """Training of a network in a folder, from its last checkpoint if there is one."""

    def __init__(
        self, network: Network, views: Views, checks: Checks, settings: Settings, folder: Path, tell: Tell
    ) -> None:
        """Raises ModelError if the folder holds a checkpoint of something else."""
        self.network, self.views, self.checks = network, views, checks
        self.settings, self.folder, self.tell = settings, folder, tell
        self.config = settings.procedure(network.spec.input_size)
        self.parameters = network.trained()
        self.optimiser = self._optimiser()
        self.first = {name: value.detach().clone() for name, value in self.parameters.items()}
        self.average = Average(self.parameters, settings.ema)
        self.best = {name: value.clone() for name, value in self.average.values.items()}
        self.course = Course()
        self._resume()

    def run(self) -> Course:
        """Train until the schedule's end, or until nothing is gained any more.

        Afterwards the network holds the best weights. Raises ModelError when the loss is not a number any
        more: the last good state is kept. Raises OutputError if a checkpoint cannot be written.
        """
        if self.course.base == -math.inf:
            self.course.base = self.course.score = self._score()
            self._tell(None)
        losses: list[float] = []
        saved = time.monotonic()
        while not self.course.ended:
            began = time.monotonic()
            losses.append(self._step())
            self.course.seconds += time.monotonic() - began
            if began - saved > SAVE_EVERY:
                self._save()
                saved = began
            if self.course.step % self.settings.measure_every == 0 or self._over():
                self._measure()
                self._tell(float(np.mean(losses)))
                losses = []
                self._save()
        self._mix()
        self._load(self.best)
        return self.course

    def _step(self) -> float:
        """One step; returns its loss. Gradients of several pictures are added up."""
        settings, course = self.settings, self.course
        rng = np.random.default_rng((settings.seed, 11, course.step))
        set_rates(self.optimiser, share_of_rate(self._progress(), course.step, self.config.warmup))
        self.optimiser.zero_grad(set_to_none=True)
        pictures = self.views.draw(settings.images, rng)
        loss = 0.0
        for _ in range(0, settings.images, self.network.at_once):
            loss += self._backward(pictures, rng)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters.values(), self.config.clip_norm)
        if not math.isfinite(loss) or not torch.isfinite(norm):
            self._save()
            raise ModelError(
                f"the loss of step {course.step + 1} is {loss}, no number; the state before it is kept in "
                f"'{self.folder}'; begin again (--fresh) with a smaller --lr than {self._rate():g}"
            )
        self.optimiser.step()
        course.step += 1
        self.average.update(self.parameters, course.step)
        return loss

    def _backward(self, pictures: Iterator[Shown], rng: np.random.Generator) -> float:
        """Gradients of the next pictures' masks, turn after turn: one turn's memory is needed at a time."""
        shown = list(islice(pictures, self.network.at_once))
        masks = torch.cat([one.masks for one in shown])
        levels = [torch.cat(level) for level in zip(*(one.features for one in shown), strict=True)]
        if len(shown) > 1:
            counts = torch.tensor([len(one.masks) for one in shown], device=masks.device)
            levels = [level.repeat_interleave(counts, 0) for level in levels]
        whole = tuple(level.detach().requires_grad_(level.requires_grad) for level in levels)
        weight = len(shown) / self.settings.images / self.config.rounds
        loss = 0.0
        for turn in turns(partial(self.network.decode, whole), masks, self.config, rng):
            value = turn_losses(turn, masks, self.config).mean() * weight
            torch.autograd.backward(value)
            loss += float(value.detach())
        moved = [(level, at.grad) for level, at in zip(levels, whole, strict=True) if at.grad is not None]
        if moved:
            torch.autograd.backward([level for level, _ in moved], [grad for _, grad in moved])
        return loss

    def _measure(self) -> None:
        """The averaged weights on the validation part; they are kept if they are the best so far."""
        course = self.course
        score = self._with(self.average.values, self._score)
        if score > course.score:
            course.score, course.best_step, course.stale = score, course.step, 0
            self.best = {name: value.clone() for name, value in self.average.values.items()}
        else:
            course.stale += 1
        if self._over():
            course.ended = "the schedule's end"
        elif course.stale >= self.settings.patience:
            course.ended = f"no gain in {course.stale} measurements"

    def _mix(self) -> None:
        """Try weights between the first and the best: often better than both on other data, too.

        Wortsman et al., arXiv 2109.01903. Nothing is tried twice by a run that is taken up again.
        """
        course = self.course
        if course.share or not course.best_step:
            return
        course.share = 1.0
        trained = {name: value.clone() for name, value in self.best.items()}
        for share in SHARES:
            mixed = {name: self.first[name].lerp(value, share) for name, value in trained.items()}
            score = self._with(mixed, self._score)
            if score > course.score:
                course.score, course.share, self.best = score, share, mixed
        self._save()

    def _score(self) -> float:
        """Mean of the judged figures over the masks of the validation part, on the network's own grid."""
        found: list[float] = []
        for picture in self.checks:
            decode = partial(self.network.decode, picture.features)
            with torch.no_grad():
                figures = measure_masks(decode, picture.masks, self.network.device)
            chosen = [figures[name] for name in self.settings.judge]
            found += [float(value) for value in np.mean(chosen, 0)]
        return float(np.mean(found))

    def _progress(self) -> float:
        """Share of the schedule that is done."""
        settings = self.settings
        return share_done(self.course.step, settings.steps, self.course.seconds, settings.minutes)

    def _over(self) -> bool:
        return self._progress() >= 1

    def _rate(self) -> float:
        return self.settings.lr or self.network.lr

    def _optimiser(self) -> torch.optim.AdamW:
        """AdamW; an encoder that is trained as a whole at its own rate; no decay of biases and norms."""
        whole = self.settings.train == "all"

        def rate(name: str) -> float:
            slow = whole and self.network.is_encoder(name)
            return self._rate() * (self.settings.encoder_lr if slow else 1.0)

        groups = parameter_groups(self.parameters.items(), rate, self.settings.weight_decay)
        return torch.optim.AdamW(groups, betas=(0.9, 0.98))

    def _with(self, values: Mapping[str, Tensor], work: Callable[[], float]) -> float:
        """Do some work with other weights, then put the own ones back."""
        own = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}
        self._load(values)
        try:
            return work()
        finally:
            self._load(own)

    @torch.no_grad()
    def _load(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(values[name])

    def _tell(self, loss: float | None) -> None:
        course = self.course
        line = {
            "step": course.step,
            "minutes": round(course.seconds / 60, 2),
            "loss": None if loss is None else round(loss, 4),
            "score": round(course.score, 4),
            "best_step": course.best_step,
        }
        try:
            write_line(self.folder / "progress.jsonl", line)
        except OSError as error:
            raise OutputError(
                f"cannot write in '{self.folder}': {error.strerror}; free some space"
            ) from error
        self.tell({**line, "steps": self.settings.steps, "base": course.base, "stale": course.stale})

    def _save(self) -> None:
        state = {
            "own": {name: parameter.detach() for name, parameter in self.parameters.items()},
            "average": self.average.values,
            "best": self.best,
            "optimiser": self.optimiser.state_dict(),
            "course": vars(self.course),
        }
        save_checkpoint(self.folder, state, self.course.step)

    def _resume(self) -> None:
        state = load_checkpoint(self.folder)
        if state is None:
            return
        try:
            device = self.network.device
            for name, given in (("average", self.average.values), ("best", self.best)):
                given.update({key: state[name][key].to(device) for key in given})
            self._load(state["own"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.course = Course(**state["course"])
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise ModelError(
                f"the checkpoint in '{self.folder}' is of another run ({error}); begin again with --fresh"
            ) from error
