"""A whole run: from the user's data to a model folder and an honest comparison; taken up where it stopped.

What is done lies in the output folder; what only the run needs in its `.work`, which goes when all is done.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from anymask._version import __version__
from anymask.core.errors import InputError, OutputError
from anymask.core.files import write_atomically
from anymask.core.locks import alone_in
from anymask.evaluate.compare import Comparison, compare_files
from anymask.evaluate.datasets.dataset import DataSet
from anymask.evaluate.interactive import InteractiveSettings, evaluate_sample
from anymask.evaluate.page.write import save_comparison
from anymask.evaluate.predictors import open_predictor
from anymask.evaluate.report import Outcome
from anymask.evaluate.run import PictureRun
from anymask.evaluate.samples import OnError, Problems, SampleSource
from anymask.evaluate.summary import summarise
from anymask.finetune.data import (
    Facts,
    Gathered,
    Layout,
    Unseen,
    divide,
    fingerprint,
    gather,
    only,
    open_chosen,
    refuse_shared,
)
from anymask.finetune.fit import Course, Fit
from anymask.finetune.lora import write_adapter
from anymask.finetune.networks import Network, lora_alpha, open_network
from anymask.finetune.report import Result
from anymask.finetune.settings import Settings
from anymask.finetune.verdict import judge
from anymask.finetune.views import Checks, KeptViews, LiveViews, Views, require_rows, seen_rows
from anymask.models.adapter import About, Merged
from anymask.models.derive import write_derived
from anymask.models.folder import ModelFolder, try_open
from anymask.models.importer import as_name
from anymask.models.manifest import MANIFEST, Manifest
from anymask.models.registry import Registry, resolve
from anymask.predict.load import Backend, Precision
from anymask.train.shards import ShardCache

WORK, LOCK, STATE = ".work", ".anymask-finetune.lock", "run.json"
ADAPTER = "adapter"
GUARD_PICTURES = 200
_MEASURED = InteractiveSettings(("clicks", "box"), most_clicks=5)


@dataclass(frozen=True)
class Job:
    """What the user asked for.

    data: to train on (and to hold out from, without `held_out`). guard: what must not be forgotten.
    out: the model's folder. model: the base, a name or a folder. name, version: of the new model.
    """

    data: tuple[Path, ...]
    out: Path
    model: str = "lite"
    held_out: tuple[Path, ...] = ()
    guard: tuple[Path, ...] = ()
    guard_pictures: int = GUARD_PICTURES
    name: str = ""
    version: str = "1"
    layout: Layout = field(default_factory=Layout)
    settings: Settings = field(default_factory=Settings)
    precision: Precision = "fast"
    backend: Backend = "auto"
    threads: int | None = None
    on_error: OnError = "skip"
    fresh: bool = False


class Listener:
    """Hears how a run goes; every method may be left as it is."""

    def say(self, line: str) -> None:
        """A line for people."""

    def progress(self, what: str, done: int, total: int) -> None:
        """How far a part of the run is."""

    def measured(self, values: Mapping[str, Any]) -> None:
        """A measurement during training, see `fit.Tell`."""


def finetune(job: Job, listener: Listener | None = None) -> Result:
    """Carry out a run, or take up one that was stopped in the same folder.

    Raises InputError for data or settings that cannot be used, ModelError for a loss that is no number,
    OutputError for a disk that is full; what was done stays and the same call goes on from there.
    """
    base = resolve(job.model)
    if base.path.resolve() == job.out.resolve():
        raise InputError(f"'{job.out}' is the model to start from; give another folder with -o")
    try:
        (job.out / WORK).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create '{job.out}': {error.strerror}; choose another place") from error
    with alone_in(job.out, LOCK):
        return _Run(job, base, listener or Listener()).carry_out()


class _Run:
    def __init__(self, job: Job, base: ModelFolder, listener: Listener) -> None:
        self.job, self.listener = job, listener
        self.work = job.out / WORK
        self.problems = Problems(job.on_error)
        if job.threads:
            torch.set_num_threads(job.threads)
        self.base = base
        self.data = open_chosen(job.data, job.layout, job.settings.keys)
        self.split = divide(self.data, job.settings, hold_out=not job.held_out, problems=self.problems)
        self.held_out = self._held_out()
        self.name = job.name or as_name(job.out.resolve().name)
        self.state = self._state()
        self._take_up()

    def carry_out(self) -> Result:
        job, settings = self.job, self.job.settings
        gathered = self._gather()
        before = self._measure("before", str(self.base.path), self.held_out)
        model = self._model(gathered)
        after = self._measure("after", str(model.path), self.held_out)
        found = compare_files(before, after)
        save_comparison(job.out / "comparison.html", found, self.held_out, figure=settings.judge[0])
        verdict = judge(found, settings.judge, self.split.groups if settings.group else None)
        guard = self._guard(model, gathered.facts) if job.guard else None
        training = dict(model.manifest.training)
        result = Result(self.base.spec.full_name, model.spec.full_name, verdict, found, guard, training)
        self._finish(model, result)
        return result

    def _held_out(self) -> DataSet:
        """What the comparison is made on."""
        if not self.job.held_out:
            return only(self.data, self.split.held_out)
        return open_chosen(self.job.held_out, self.job.layout, self.job.settings.keys)

    def _state(self) -> dict[str, Any]:
        """What the run's files depend on."""
        return {
            "anymask_finetune": 1,
            "settings": self.job.settings.to_json(),
            "base_sha256": self.base.sha256,
            "data": fingerprint(self.data, self.job.data),
            "held_out_pictures": fingerprint(self.held_out, self.job.held_out),
            "name": [self.name, self.job.version],
            "runtime": [self.job.precision, self.job.backend],
        }

    def _take_up(self) -> None:
        """Go on with the run in the folder, or begin one. Raises InputError for a run of something else."""
        place = self.work / STATE
        if self.job.fresh:
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir(parents=True, exist_ok=True)
            for name in ("before", "after", "guard-before", "guard-after"):
                for path in self.job.out.glob(f"{name}.*json*"):
                    path.unlink()
        elif place.is_file():
            known = json.loads(place.read_text(encoding="utf-8"))
            if known != self.state:
                differs = ", ".join(_difference(known, self.state))
                raise InputError(
                    f"'{self.job.out}' holds a run with other settings ({differs}); give another folder with "
                    "-o, or --fresh to begin again"
                )
            return
        elif any(p.name not in (WORK, LOCK) for p in self.job.out.iterdir()):
            raise InputError(f"'{self.job.out}' is not empty; give another folder with -o, or --fresh")
        write_atomically(place, json.dumps(self.state, indent=1).encode())

    def _gather(self) -> Gathered:
        """The training and validation pictures, decoded; also refuses held-out pictures among them."""
        folder = self.work / "pictures"
        known = folder / "facts.json"
        if known.is_file():
            facts = _facts(json.loads(known.read_text(encoding="utf-8")))
            return Gathered(ShardCache(folder), facts)
        keys = [*self.split.train, *self.split.validation]
        chosen = only(self.data, keys)
        gathered = gather(chosen, folder, self.base.spec.input_size, self.problems, self.listener.progress)
        refuse_shared(gathered.facts, self.held_out, self.problems)
        write_atomically(known, json.dumps(asdict(gathered.facts)).encode())
        for line in self.problems.lines:
            self.listener.say(f"left out {line}")
        self.listener.say(self._told(gathered.facts))
        return gathered

    def _told(self, facts: Facts) -> str:
        (h0, w0), (h1, w1) = facts.sizes
        size = f"{w0} x {h0}" + (f" to {w1} x {h1}" if (h0, w0) != (h1, w1) else "")
        more = f", {facts.overlapping} of them overlap others" if facts.overlapping else ""
        more += f"; {facts.twice} that were there twice are left out" if facts.twice else ""
        return (
            f"{len(self.split.train)} pictures to train on, {len(self.split.validation)} to validate, "
            f"{len(self.held_out)} held out; {facts.masks} masks{more}; pictures of {size} pixels"
        )

    def _measure(self, name: str, model: str, data: SampleSource, every: int = 1) -> Path:
        """The report of a model on some data; what an earlier run measured is not measured again."""
        out = self.job.out / f"{name}.json"
        job = self.job
        predictor = open_predictor(model, precision=job.precision, backend=job.backend, threads=job.threads)
        about = {**_MEASURED.to_json(), "precision": job.precision, "backend": job.backend}
        with PictureRun(
            "interactive", data, [predictor], settings=about, every=every, problems=self.problems, out=out
        ) as run:
            steps = run.steps(
                lambda who, one, sample: [
                    o.to_json() for o in evaluate_sample(one, sample, _MEASURED, name=who)
                ]
            )
            for number, _ in enumerate(steps, run.finished + 1):
                self.listener.progress(f"measuring {name}", number, run.total)
            report = run.report(lambda lines: summarise(map(Outcome.from_json, lines)))
        if not any(summary["masks"] for summary in report.summary.values()):
            raise InputError(f"{data.name}: no picture with a usable mask to compare on")
        report.save(out)
        return out

    def _model(self, gathered: Gathered) -> ModelFolder:
        """Train and write the model's folder, unless it is there."""
        done = self.work / "trained"
        known = try_open(self.job.out) if done.is_file() else None
        if known is not None:
            return known
        network = open_network(self.base)
        network.prepare(self.job.settings)
        network.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        course = self._train(network, gathered)
        model = self._write(network, course, gathered.facts)
        write_atomically(done, model.sha256.encode())
        return model

    def _train(self, network: Network, gathered: Gathered) -> Course:
        settings, cache, size = self.job.settings, gathered.cache, self.base.spec.input_size
        train = seen_rows(cache, gathered.rows(self.split.train), size)
        check = seen_rows(cache, gathered.rows(self.split.validation), size)
        require_rows(train, "train on", self.data.name)
        require_rows(check, "validate", self.data.name)
        torch.manual_seed(settings.seed)
        config = settings.procedure(size)
        views: Views
        if settings.encoder_trained:
            views = LiveViews(network, cache, train, config)
        else:
            count = settings.views or network.views
            folder = self.work / "views"
            views = KeptViews(network, cache, train, config, folder, count, self.listener.progress)
        checks = Checks(network, cache, check, keep=not settings.encoder_trained)
        folder = self.work / "fit"
        folder.mkdir(exist_ok=True)
        return Fit(network, views, checks, settings, folder, self.listener.measured).run()

    def _write(self, network: Network, course: Course, facts: Facts) -> ModelFolder:
        out, settings = self.job.out, self.job.settings
        if not settings.lora:
            tensors = network.tensors()
        else:
            adapter = About(_base_name(self.base), self.base.sha256, self.name, self.job.version)
            write_adapter(
                out / ADAPTER,
                network.adapter(),
                adapter,
                rank=settings.lora,
                alpha=lora_alpha(settings),
                pattern=network.low_rank,
                whole=network.decoder,
            )
            # As the adapter is stored, so that it makes the very same model.
            tensors = Merged(self.base, out / ADAPTER)
        return write_derived(
            self.base,
            tensors,
            out,
            name=self.name,
            version=self.job.version,
            training=self._training(course, facts),
        )

    def _training(self, course: Course, facts: Facts) -> dict[str, Any]:
        """For the manifest: what the model was made of, and how."""
        return {
            "base": self.base.spec.full_name,
            "base_sha256": self.base.sha256,
            "data": {
                "name": self.data.name,
                "sources": dict(facts.sources),
                "train_pictures": len(self.split.train),
                "validation_pictures": len(self.split.validation),
                "masks": facts.masks,
                "sha256": hashlib.sha256("".join(sorted(facts.sha256.values())).encode()).hexdigest(),
            },
            "held_out": {"name": self.held_out.name, "pictures": len(self.held_out)},
            "settings": {n: v for n, v in self.job.settings.to_json().items() if v not in ("", 0, 0.0)},
            "steps": course.step,
            "best_step": course.best_step,
            "share_of_the_change": course.share,
            "minutes": round(course.seconds / 60, 1),
            "ended": course.ended,
            "validation": {"before": round(course.base, 4), "after": round(course.score, 4)},
            "versions": {"anymask": __version__, "torch": torch.__version__},
        }

    def _guard(self, model: ModelFolder, facts: Facts) -> Comparison:
        data = Unseen(open_chosen(self.job.guard, Layout(), ""), frozenset(facts.sha256.values()))
        every = max(1, -(-len(data) // self.job.guard_pictures))
        before = self._measure("guard-before", str(self.base.path), data, every)
        after = self._measure("guard-after", str(model.path), data, every)
        found = compare_files(before, after)
        save_comparison(self.job.out / "guard.html", found, data, figure=self.job.settings.judge[0])
        return found

    def _finish(self, model: ModelFolder, result: Result) -> None:
        """Write the result, and the manifest with its figures; then what only the run needed goes."""
        out = self.job.out
        manifest = model.manifest
        Manifest(manifest.spec, manifest.files, manifest.source, manifest.training, result.metrics()).write(
            out / MANIFEST
        )
        write_atomically(out / "result.json", (json.dumps(result.to_json(), indent=1) + "\n").encode())
        write_atomically(out / "report.md", result.to_markdown().encode())
        for folder in ("pictures", "views", "fit"):
            shutil.rmtree(self.work / folder, ignore_errors=True)


def _base_name(base: ModelFolder) -> str:
    """How an adapter names its base: as a model that is known by name, or by its folder."""
    try:
        known = Registry().resolve(base.spec.full_name)
    except (InputError, OSError, RuntimeError):
        return str(base.path.resolve())
    return base.spec.full_name if known.sha256 == base.sha256 else str(base.path.resolve())


def _facts(value: Mapping[str, Any]) -> Facts:
    low, high = value["sizes"]
    return Facts(**{**value, "sizes": (tuple(low), tuple(high))})


def _difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Sequence[str]:
    """Names of what differs, settings one by one."""
    flat = [{**one, **one.get("settings", {})} for one in (found, wanted)]
    names = sorted({*flat[0], *flat[1]} - {"settings"})
    return [name for name in names if flat[0].get(name) != flat[1].get(name)]
