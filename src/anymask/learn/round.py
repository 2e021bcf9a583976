"""One round of continuous learning: corrections -> new model -> comparison on gold pictures -> switch or
keep.

    freeze a snapshot of finished pictures -> train on those that are no gold -> compare on the gold ones
    -> better: switch, predict anew what nobody touched yet, order the queue; else: keep the old model

Everything is recorded in the store: the snapshot, the model with its parent and figures, and an event;
`revert` leads back. A round that was killed goes on where it stopped when `learn` is called again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from anymask.core.errors import InputError, OutputError
from anymask.core.files import write_atomically
from anymask.core.locks import alone_in
from anymask.finetune.job import Job, Listener, finetune
from anymask.finetune.report import Result
from anymask.finetune.settings import Settings
from anymask.finetune.verdict import LEAST_UNITS
from anymask.learn.data import write_shard
from anymask.learn.queue import Renewed, renew
from anymask.models.folder import ModelFolder
from anymask.models.importer import as_name
from anymask.models.registry import resolve
from anymask.predict.load import Backend, load
from anymask.store import FINISHED, FrozenImage, Project, Snapshot, Store
from anymask.studio.workspace import Workspace

PREFIX = "learn-"
ROUND = re.compile(PREFIX + r"\d{4,}")
FOLDER, LOCK, STATE = "learn", ".anymask-learn.lock", "round.json"


@dataclass(frozen=True)
class LearnSettings:
    """What a round does.

    least: how many pictures must have new or corrected masks since the last round. switch: whether a model
    that is better answers from now on; otherwise it stays a candidate. anew: whether pictures that nobody
    touched are predicted anew after a switch. default: the model of a project that names none. guard: shards
    that say what is forgotten. finetune: of the training.
    """

    least: int = 8
    switch: bool = True
    anew: bool = True
    default: str = "lite"
    guard: tuple[Path, ...] = ()
    backend: Backend = "auto"
    finetune: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class Round:
    """What a round came to.

    snapshot: what it was trained on. corrected: pictures with new or changed masks since the last round.
    model: the new model's folder, sha256: its hash. word: the verdict. switched: whether it answers now.
    """

    snapshot: Snapshot
    corrected: int
    model: Path
    sha256: str
    word: str
    sentence: str
    switched: bool
    renewed: Renewed
    problems: tuple[str, ...]


def learn(
    store: Store,
    workspace: Workspace,
    project_id: str,
    settings: LearnSettings | None = None,
    *,
    user_id: str | None = None,
    listener: Listener | None = None,
) -> Round:
    """Carry out a round for a project, or go on with one that was stopped.

    Raises InputError, saying what to do, where too little is finished, corrected or marked as gold, or
    another process is at it; ModelError, OutputError as training does. The model at hand answers until a
    better one is there.
    """
    settings = settings or LearnSettings()
    listener = listener or Listener()
    project = store.projects.get(project_id, with_counts=False)
    place = workspace.own / FOLDER / project.id
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write '{place}': {error.strerror}; free some space") from error
    with alone_in(place, LOCK):
        begun = _begun(place) or _begin(store, project, place, settings, user_id)
        done = _carry_out(store, workspace, project, place, begun, settings, listener)
        (place / STATE).unlink()
    _record(store, project, done, user_id)
    return done


@dataclass(frozen=True)
class _Begun:
    """What a round was begun with. number: of the round. base: what `anymask.load` opens."""

    number: int
    snapshot_id: str
    base: str
    base_sha256: str
    corrected: int


def _begun(place: Path) -> _Begun | None:
    try:
        return _Begun(**json.loads((place / STATE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"'{place / STATE}' is damaged ({error}); remove it to begin a new round") from error


def _begin(
    store: Store, project: Project, place: Path, settings: LearnSettings, user_id: str | None
) -> _Begun:
    """Freeze what is finished and remember it. Raises InputError if a round is not worth it yet."""
    corrected = corrected_images(store, project.id)
    if len(corrected) < settings.least:
        raise InputError(
            f"only {len(corrected)} finished pictures have new or corrected masks since the last round, "
            f"{settings.least} are asked for; label more of them, or ask for fewer"
        )
    base = project.model or settings.default
    known = resolve(base)
    number = 1 + len(rounds_of(store, project.id))
    snapshot = store.snapshots.freeze(project.id, f"{PREFIX}{number:04d}", user_id, states=FINISHED)
    begun = _Begun(number, snapshot.id, base, known.sha256, len(corrected))
    write_atomically(place / STATE, json.dumps(asdict(begun)).encode())
    return begun


def rounds_of(store: Store, project_id: str) -> list[Snapshot]:
    """The snapshots that earlier rounds froze, whatever came of them."""
    return [one for one in store.snapshots.list(project_id) if ROUND.fullmatch(one.name)]


def corrected_images(store: Store, project_id: str) -> set[str]:
    """Finished pictures, no gold ones, with masks that no round has been trained on.

    Masks made by a model alone, that nobody touched, do not count: a model learns nothing from itself.
    """
    seen = {
        mask.id
        for snapshot in rounds_of(store, project_id)
        for frozen in store.snapshots.records(snapshot.id)
        for mask in frozen.masks
    }
    finished = {
        image.id for image in store.images.all(project_id) if image.state in FINISHED and not image.gold
    }
    heads = store.masks.heads_of_project(project_id)
    return {
        image_id
        for image_id in finished
        if any(mask.id not in seen and mask.author_id is not None for mask in heads.get(image_id, []))
    }


def _carry_out(
    store: Store,
    workspace: Workspace,
    project: Project,
    place: Path,
    begun: _Begun,
    settings: LearnSettings,
    listener: Listener,
) -> Round:
    snapshot = store.snapshots.get(begun.snapshot_id)
    frozen = store.snapshots.records(snapshot.id)
    shards, problems = _shards(place / snapshot.name, frozen, workspace)
    out = workspace.own / "models" / f"{as_name(project.name)}-{project.id[:8]}-{begun.number}"
    out.parent.mkdir(parents=True, exist_ok=True)
    result = finetune(_job(shards, out, project, begun, settings), listener)
    model = ModelFolder.open(out)
    _register(store, project, begun, model, result)
    better = result.verdict.better
    switched = better and settings.switch
    renewed = Renewed()
    if switched:
        store.models.switch(project.id, model.sha256)
        if settings.anew:
            renewed = renew(
                store, workspace, project.id, load(str(out), backend=settings.backend), listener.say
            )
    elif not better and model.sha256 != begun.base_sha256:
        store.models.refuse(project.id, model.sha256)
    return Round(
        snapshot, begun.corrected, out, model.sha256, result.verdict.word, result.verdict.sentence(),
        switched, renewed, tuple(problems),
    )  # fmt: skip


def _shards(
    folder: Path, frozen: Sequence[FrozenImage], workspace: Workspace
) -> tuple[tuple[Path, Path], list[str]]:
    """Shards to train on and to compare on: gold pictures are never trained on.

    Raises InputError if there are too few of either.
    """
    folder.mkdir(parents=True, exist_ok=True)
    train, gold = folder / "train.tar", folder / "gold.tar"
    groups = {one.image.group_key for one in frozen if one.image.gold and one.image.group_key is not None}
    own = [one for one in frozen if not one.image.gold and one.image.group_key not in groups]
    written = [write_shard(train, own, workspace)]
    written.append(write_shard(gold, [one for one in frozen if one.image.gold], workspace))
    if written[1].images < LEAST_UNITS:
        raise InputError(
            f"{written[1].images} finished pictures are marked as gold, {LEAST_UNITS} are the least to "
            "compare models on; finish some more and mark them as gold"
        )
    if written[0].images < 2:
        raise InputError(
            "fewer than 2 finished pictures are left to train on; finish more that are not gold, nor of a "
            "group with a gold one"
        )
    return (train, gold), [line for one in written for line in one.problems]


def _job(
    shards: tuple[Path, Path], out: Path, project: Project, begun: _Begun, settings: LearnSettings
) -> Job:
    return Job(
        data=(shards[0],),
        held_out=(shards[1],),
        out=out,
        model=begun.base,
        guard=settings.guard,
        backend=settings.backend,
        name=as_name(project.name),
        version=str(begun.number),
        settings=replace(settings.finetune, group=settings.finetune.group or "attribute:group"),
    )


def _register(store: Store, project: Project, begun: _Begun, model: ModelFolder, result: Result) -> None:
    """Make both models known, so that the way back is there; one that did not change is not a new one."""
    if store.models.current(project.id) is None:
        name = resolve(begun.base).spec.full_name
        store.models.register(project.id, begun.base_sha256, name, begun.base)
        store.models.switch(project.id, begun.base_sha256)
    if model.sha256 == begun.base_sha256:
        return
    store.models.register(
        project.id,
        model.sha256,
        model.spec.full_name,
        str(model.path),
        parent_sha256=begun.base_sha256,
        metrics=json.loads(json.dumps(result.metrics())),
        snapshot_id=begun.snapshot_id,
    )


def _record(store: Store, project: Project, done: Round, user_id: str | None) -> None:
    detail: Mapping[str, Any] = {
        "model": done.sha256,
        "snapshot": done.snapshot.id,
        "verdict": done.sentence,
        "switched": done.switched,
        "renewed": done.renewed.images,
    }
    store.events.add("learn", detail, project_id=project.id, user_id=user_id)
