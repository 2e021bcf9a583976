"""The work of `anymask learn`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anymask.cli.terminal import say
from anymask.core.errors import InputError
from anymask.core.settings import read_settings
from anymask.finetune.job import Listener
from anymask.finetune.settings import Settings
from anymask.learn import LearnSettings, Round, learn
from anymask.predict.load import Backend
from anymask.store import Project, Store
from anymask.studio.workspace import Workspace


class _Teller(Listener):
    """Says lines and measurements on stderr."""

    def say(self, line: str) -> None:
        say(line)

    def measured(self, values: Mapping[str, Any]) -> None:
        say(", ".join(f"{name} {value}" for name, value in values.items()))


def run_learning(
    folder: Path,
    database: str | None,
    project: str,
    steps: int,
    sets: Sequence[str],
    *,
    least: int,
    switch: bool,
    anew: bool,
    guard: tuple[Path, ...],
    backend: Backend,
    as_json: bool,
    quiet: bool,
) -> None:
    """One round, and what came of it. Raises AnymaskError."""
    settings = LearnSettings(
        least=least, switch=switch, anew=anew, guard=guard, backend=backend, finetune=settings_of(steps, sets)
    )
    workspace = Workspace.open(folder)
    with Store.open(database or workspace.root) as store:
        chosen = project_of(store, project)
        done = learn(store, workspace, chosen.id, settings, listener=Listener() if quiet else _Teller())
    for line in done.problems:
        say(f"left out {line}")
    say(done.sentence)
    if done.switched:
        anew_too = f"; {done.renewed.images} pictures predicted anew" if done.renewed.images else ""
        say(f"{chosen.name}: {done.model.name} answers from now on{anew_too}; --revert leads back")
    else:
        say(f"{chosen.name}: the old model stays; the new one is {done.model}")
    if as_json:
        print(json.dumps(as_values(done)))


def as_values(done: Round) -> dict[str, Any]:
    """The round as JSON values."""
    return {
        "verdict": done.word,
        "sentence": done.sentence,
        "model": str(done.model),
        "sha256": done.sha256,
        "snapshot": done.snapshot.name,
        "corrected": done.corrected,
        "switched": done.switched,
        "predicted_anew": done.renewed.images,
        "ordered": done.renewed.ordered,
    }


def run_revert(folder: Path, database: str | None, project: str) -> None:
    """Back to the model before, and say which that is. Raises Conflict if there is none."""
    workspace = Workspace.open(folder)
    with Store.open(database or workspace.root) as store:
        chosen = project_of(store, project)
        before = store.models.revert(chosen.id)
        store.events.add("model", {"model": before and before.path}, project_id=chosen.id)
    say(f"{chosen.name}: {before.name if before else 'the default model'} answers again")


def project_of(store: Store, name: str) -> Project:
    """The project of that name, or the only one. Raises InputError."""
    known = store.projects.list()
    found = [one for one in known if one.name == name] if name else known
    names = ", ".join(f"'{one.name}'" for one in known) or "none"
    if not found:
        raise InputError(f"there is no project '{name}' here; there are: {names}")
    if len(found) > 1:
        raise InputError(f"there are several projects; choose one with --project: {names}")
    return found[0]


def settings_of(steps: int, sets: Sequence[str]) -> Settings:
    """Settings of the training from `name=value` pairs. Raises InputError."""
    given = {"steps": steps, **read_settings(sets, asdict(Settings()))}
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    try:
        return Settings(**values)
    except TypeError as error:
        raise InputError(f"--set {' '.join(sets)}: {error}") from error
