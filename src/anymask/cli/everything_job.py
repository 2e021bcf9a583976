"""The work of `anymask everything`: every image in turn, or a saved state filtered again."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anymask.automatic import AutomaticSettings, AutomaticState, generate_masks, preset_settings
from anymask.automatic.crop_rule import AUTO, resolved
from anymask.automatic.state_file import settings_to_json
from anymask.cli.everything_results import Results, read_picture
from anymask.cli.job_log import LOCK, JobLog, clear_up
from anymask.cli.outputs import make_folder
from anymask.cli.terminal import one_line, progress, say
from anymask.core.errors import AnymaskError, InputError, OutputError
from anymask.core.locks import alone_in
from anymask.predict import load as loading
from anymask.predict.model import Model

if TYPE_CHECKING:
    from anymask.text.naming import Words

DONE, FAILED = 0, 1
AMG_MODELS = {"default": "vit_h", "vit_h": "vit_h", "vit_l": "vit_l", "vit_b": "vit_b"}


@dataclass(frozen=True)
class EverythingJob:
    """All masks of every image.

    preset, overrides: of the settings; the model has its word on them. overwrite: do again what is complete.
    words: what names the masks, or keeps those that are looked for; None leaves them as they are.
    Raises InputError for a preset or setting that cannot be meant, before any model is loaded.
    """

    preset: str | None
    overrides: Mapping[str, Any]
    results: Results
    overwrite: bool
    words: Words | None = None

    def __post_init__(self) -> None:
        preset_settings(self.preset, **resolved(self.overrides, (1, 1), 1))

    def run(self, model: str, *, precision: Any, backend: Any, threads: int | None) -> int:
        """Do all images; return the exit code.

        A single image's error is raised. Of several a broken one is named and the code is 1. What cannot be
        written ends the job; what is finished stays, and the next run goes on from there.
        """
        with self._alone() as folder:
            loaded = loading.load(model, precision=precision, backend=backend, threads=threads)
            job = self._job(loaded, precision, backend)
            log = None if folder is None else JobLog(folder, job, afresh=self.overwrite)
            return self._do_all(loaded, log)

    def _do_all(self, loaded: Model, log: JobLog | None) -> int:
        results = self.results
        total, done, skipped, failed = len(results.images), 0, 0, 0
        no_bar = results.quiet or (results.as_json and sys.stdout.isatty())
        try:
            for number in progress(range(total), total=total, label="everything", quiet=no_bar):
                image, files = results.images[number], results.paths(number)
                entry = None if log is None else log.entry(image, files)
                if log is not None and log.has(entry, files):
                    skipped += 1
                    continue
                try:
                    self._one(loaded, number)
                except OutputError:
                    raise
                except (AnymaskError, MemoryError) as error:
                    if not results.is_job:
                        raise
                    self._report_failure(image, error)
                    failed += 1
                    continue
                done += 1
                if log is not None:
                    log.add(entry)
        finally:
            if results.is_job and not results.quiet:
                say(f"{done} of {total} images done, {skipped} were complete, {failed} failed")
        return FAILED if failed else DONE

    def _one(self, model: Model, number: int) -> None:
        picture = read_picture(self.results.images[number])
        settings = self._settings(model, picture.image_hw)
        state, records = None, None
        if self.results.states is not None:
            state = model.everything(picture, **vars_of(settings))
            records = state.records()
        else:
            records = generate_masks(model, picture, settings)
        if self.words is not None:
            records = self.words(picture, records)
        self.results.give(number, records, picture=picture, state=state)

    def _settings(self, model: Model, image_hw: tuple[int, int]) -> AutomaticSettings:
        overrides = resolved(self.overrides, image_hw, model.spec.input_size)
        return preset_settings(self.preset, model.spec.automatic, **overrides)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[Path | None]:
        """Hold the folder of a job's first results, and clear up what a killed run left in all its folders.

        None where nothing is to be taken up again. Raises InputError if another run holds it.
        """
        files = [path for number in range(len(self.results.images)) for path in self.results.paths(number)]
        if not self.results.is_job or not files:
            yield None
            return
        folder = files[0].parent
        make_folder(folder)
        with alone_in(folder, LOCK):
            clear_up(path.parent for path in files)
            yield folder

    def _job(self, model: Model, precision: str, backend: str) -> dict[str, Any]:
        """What the results depend on."""
        return {
            "settings": {
                **settings_to_json(self._settings(model, (1, 1))),
                **{name: layers for name, layers in self.overrides.items() if layers == AUTO},
            },
            "model": model.spec.full_name,
            "model_sha256": model.sha256,
            "precision": precision,
            "backend": backend,
            "format": self.results.format,
            "tree": self.results.tree,
            "gaps": self.results.gaps,
            **({} if self.words is None else {"words": self.words.about()}),
        }

    def _report_failure(self, image: str, error: Exception) -> None:
        message = one_line(str(error)) or "not enough memory"
        if self.results.as_json:
            print(json.dumps({"source": image, "error": message}), flush=True)
        say(f"anymask: error: {one_line(image)}: {message}")


def refilter(
    path: str,
    picture_file: str | None,
    preset: str | None,
    filters: Mapping[str, Any],
    results: Results,
    words: Words | None = None,
) -> None:
    """Filter a saved state and write its results; nothing is decoded.

    picture_file: the image, needed for overlays and names. Raises InputError if it is another one than the
        state's.
    """
    state = AutomaticState.load(path)
    picture = None if picture_file is None else read_picture(picture_file)
    if picture is not None and picture.sha256 != state.image_sha256:
        raise InputError(f"'{path}' is the state of another image than '{picture_file}'; give that image")
    records = state.records(preset, **filters)
    if words is not None:
        if picture is None:
            raise InputError("--labels looks at the picture; give the image beside --refilter")
        records = words(picture, records)
    results.give(0, records, picture=picture, state=state)


def vars_of(settings: AutomaticSettings) -> dict[str, Any]:
    """Settings by name."""
    return {name: getattr(settings, name) for name in AutomaticSettings.__dataclass_fields__}


def amg_model(
    model: str | None, *, model_type: str | None, checkpoint: str | None, device: str | None
) -> str:
    """The model that is meant, in anymask's words or in those of amg.py.

    A checkpoint file is imported into the cache. Raises InputError for two models or an unknown type.
    """
    if device not in (None, "cpu"):
        say(f"anymask: --device {one_line(device)} is not used; --backend says what computes")
    if model is not None and (model_type is not None or checkpoint is not None):
        raise InputError("--model and --model-type or --checkpoint are both given; give one of them")
    if model_type is not None and model_type not in AMG_MODELS:
        raise InputError(f"--model-type {model_type!r} is not known; give one of {', '.join(AMG_MODELS)}")
    if checkpoint is not None:
        from anymask.models.importer import import_checkpoint

        return str(import_checkpoint(checkpoint).path)
    return AMG_MODELS[model_type] if model_type is not None else model or "lite"
