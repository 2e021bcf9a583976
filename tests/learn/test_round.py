"""The whole loop through a real store: corrections, new model, comparison, switch, and the way back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import anymask
from anymask.cli.learn_job import settings_of
from anymask.cli.main import run as command
from anymask.core.errors import InputError
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.samples import Problems
from anymask.finetune.settings import Settings
from anymask.learn import LearnSettings, learn
from anymask.learn.data import write_shard
from anymask.learn.round import corrected_images
from anymask.models.folder import ModelFolder
from tests.finetune.conftest import quick
from tests.learn.conftest import Labelled
from tests.train.toys import drawing

GOOD = LearnSettings(
    backend="torch",
    finetune=quick(steps=120, measure_every=20, patience=9, train="all", encoder_lr=1.0, validation=0.3),
)
POOR = LearnSettings(backend="torch", finetune=quick(steps=2, lr=1e-9))


def fill(labelled: Labelled) -> None:
    """12 pictures to train on, 8 gold ones."""
    for number, image in enumerate(labelled.add(0, 20)):
        labelled.label(image, gold=number >= 12)


def test_corrections_make_a_better_model_that_answers_from_now_on(
    labelled: Labelled, lite_model: ModelFolder
) -> None:
    fill(labelled)
    untouched, begun, fresh = labelled.add(30, 3)
    whole = np.ones((60, 90), bool)
    for image in (untouched, begun):
        labelled.prefill(image, whole)
    store = labelled.store
    (head,) = store.masks.heads(begun.id)
    store.masks.save(labelled.row(begun, drawing(31)[1][0], labelled.person, "click"))

    done = learn(store, labelled.workspace, labelled.project, GOOD, user_id=labelled.person)

    assert done.word == "better", done.sentence
    assert done.switched
    assert done.corrected == 12
    base, new = store.models.list(labelled.project)
    assert (base.sha256, base.state) == (lite_model.sha256, "retired")
    assert (new.sha256, new.state, new.parent_sha256) == (done.sha256, "current", lite_model.sha256)
    assert new.snapshot_id == done.snapshot.id
    assert new.metrics["verdict"]["word"] == "better"
    assert store.snapshots.verify(done.snapshot.id)
    assert store.projects.get(labelled.project).model == new.path
    assert anymask.load(new.path, backend="torch").sha256 == done.sha256

    renewed = store.masks.heads(untouched.id)
    assert all(mask.model_sha256 == done.sha256 and mask.author_id is None for mask in renewed)
    assert whole.sum() not in [mask.area for mask in renewed]
    assert head in store.masks.heads(begun.id)
    assert not store.masks.heads(fresh.id)
    assert done.renewed.images == 1
    assert done.renewed.ordered == 3
    (event,) = [e for e in store.events.page(labelled.project).items if e.kind == "learn"]
    assert event.detail["model"] == done.sha256

    back = store.models.revert(labelled.project)
    assert back is not None
    assert back.sha256 == lite_model.sha256
    assert {m.sha256: m.state for m in store.models.list(labelled.project)}[done.sha256] == "refused"
    assert store.projects.get(labelled.project).model == str(lite_model.path)


def test_a_model_that_is_not_better_is_refused_and_the_old_one_stays(
    labelled: Labelled, lite_model: ModelFolder
) -> None:
    fill(labelled)
    before = labelled.store.projects.get(labelled.project).model
    (prefilled,) = labelled.add(40, 1)
    labelled.prefill(prefilled, np.ones((60, 90), bool))
    done = learn(labelled.store, labelled.workspace, labelled.project, POOR)
    assert not done.switched
    assert done.word != "better"
    assert labelled.store.projects.get(labelled.project).model == before
    states = [m.state for m in labelled.store.models.list(labelled.project)]
    assert states == (["current"] if done.sha256 == lite_model.sha256 else ["current", "refused"])
    assert labelled.store.masks.heads(prefilled.id)[0].area == 60 * 90


def test_a_better_model_can_wait_as_a_candidate(labelled: Labelled) -> None:
    fill(labelled)
    settings = LearnSettings(switch=False, backend="torch", finetune=GOOD.finetune)
    done = learn(labelled.store, labelled.workspace, labelled.project, settings)
    assert (done.word, done.switched) == ("better", False)
    assert labelled.store.models.list(labelled.project)[-1].state == "candidate"


def test_only_what_people_did_since_the_last_round_counts(labelled: Labelled) -> None:
    fill(labelled)
    store, project = labelled.store, labelled.project
    assert len(corrected_images(store, project)) == 12
    learn(store, labelled.workspace, project, POOR)
    assert corrected_images(store, project) == set()
    with pytest.raises(InputError, match="only 0 finished pictures"):
        learn(store, labelled.workspace, project, POOR)
    (image,) = labelled.add(50, 1)
    labelled.label(image)
    assert corrected_images(store, project) == {image.id}


def test_gold_pictures_and_their_groups_are_never_trained_on(labelled: Labelled) -> None:
    fill(labelled)
    images = labelled.store.images.all(labelled.project)
    gold = next(image for image in images if image.gold)
    friend = next(image for image in images if not image.gold)
    for image in (gold, friend):
        labelled.store.images.update(image.id, group_key="scene 1")
    learn(labelled.store, labelled.workspace, labelled.project, POOR)
    folder = labelled.workspace.own / "learn" / labelled.project / "learn-0001"
    trained, compared = (
        {s.key for s in open_samples([folder / name]).samples(Problems("refuse"))}
        for name in ("train.tar", "gold.tar")
    )
    assert compared == {image.id for image in images if image.gold}
    assert trained == {image.id for image in images if not image.gold} - {friend.id}


def test_too_few_gold_pictures_are_said(labelled: Labelled) -> None:
    for number, image in enumerate(labelled.add(0, 14)):
        labelled.label(image, gold=number >= 12)
    with pytest.raises(InputError, match="2 finished pictures are marked as gold, 6 are the least"):
        learn(labelled.store, labelled.workspace, labelled.project, POOR)


def test_shards_hold_what_was_frozen_and_name_what_is_gone(labelled: Labelled, tmp_path: Path) -> None:
    images = labelled.add(0, 4)
    for image in images[:3]:
        labelled.label(image)
    snapshot = labelled.store.snapshots.freeze(labelled.project, "one")
    frozen = labelled.store.snapshots.records(snapshot.id)
    one, same = tmp_path / "one.tar", tmp_path / "same.tar"
    assert write_shard(one, frozen, labelled.workspace) == write_shard(same, frozen, labelled.workspace)
    assert one.read_bytes() == same.read_bytes()
    for sample in open_samples([one]).samples(Problems("refuse")):
        image = next(i for i in images if i.id == sample.key)
        for found, drawn in zip(sample.masks, drawing(int(image.name[:3]))[1], strict=True):
            np.testing.assert_array_equal(found.mask, drawn)
    (labelled.workspace.root / "000.png").unlink()
    (labelled.workspace.root / "001.png").write_bytes(b"another file")
    written = write_shard(one, frozen, labelled.workspace)
    assert written.images == 1
    assert [line.split(":")[0] for line in written.problems] == ["000.png", "001.png"]


def test_a_killed_round_goes_on_with_the_same_snapshot(labelled: Labelled) -> None:
    fill(labelled)
    arguments = ["learn", str(labelled.workspace.root), "--steps", "400", "--backend", "torch", "-q"]
    for value in ("measure_every=400", "lr=1e-9", "images=2"):
        arguments += ["--set", value]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "anymask", *arguments], env=env, stderr=subprocess.DEVNULL
    )
    place = labelled.workspace.own / "learn" / labelled.project / "round.json"
    models = labelled.workspace.own / "models"
    while not (place.exists() and list(models.glob("*/.work/fit"))):
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    (snapshot,) = labelled.store.snapshots.list(labelled.project)
    done = learn(
        labelled.store, labelled.workspace, labelled.project,
        LearnSettings(backend="torch", finetune=quick_of(arguments)),
    )  # fmt: skip
    assert done.snapshot.id == snapshot.id
    assert not place.exists()
    assert len(labelled.store.snapshots.list(labelled.project)) == 1


def quick_of(arguments: list[str]) -> Settings:
    """The settings that these arguments of the command mean."""
    sets = [value for flag, value in pairwise(arguments) if flag == "--set"]
    return settings_of(400, sets)


def test_the_command_says_what_it_did_and_reverts(
    labelled: Labelled, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(labelled)
    root = str(labelled.workspace.root)
    sets = [f"{name}={value}" for name, value in
            {"train": "all", "encoder_lr": 1.0, "lr": 3e-3, "images": 2, "measure_every": 20, "patience": 9,
             "rounds": 2, "views": 2, "warmup": 1, "ema": 0.5, "validation": 0.3}.items()]  # fmt: skip
    flags = [part for value in sets for part in ("--set", value)]
    assert command(["learn", root, "--steps", "120", *flags, "--backend", "torch", "--json", "-q"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["switched"]) == ("better", True)
    assert command(["learn", root, "--steps", "1"]) == 2
    assert "only 0 finished pictures" in capsys.readouterr().err
    assert command(["learn", root, "--revert"]) == 0
    assert "tiny-lite" in capsys.readouterr().err
    assert command(["learn", root, "--project", "nothing"]) == 2
    assert "no project 'nothing'" in capsys.readouterr().err
