"""Several processes on one store, some of them killed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter

from sqlalchemy import text

from anymask.store import Image, Project, Store
from tests.store.building import new_image, new_mask


def test_a_writer_killed_at_any_moment_loses_nothing_it_acknowledged(
    store: Store, url: str, image: Image
) -> None:
    chance = random.Random(5)
    acknowledged: list[str] = []
    for _ in range(4):
        process = _start("tests.store.writer", url, image.id)
        assert process.stdout is not None
        acknowledged += process.stdout.readline().split()
        time.sleep(chance.uniform(0, 0.4))
        process.kill()
        rest, _ = process.communicate(timeout=60)
        # What was cut off in the middle was acknowledged, too, but its id is not known.
        acknowledged += rest[: rest.rfind("\n") + 1].split()
    assert acknowledged

    rows = {mask.id: mask for id in acknowledged for mask in [store.masks.get(id)]}
    assert len(rows) == len(acknowledged)
    heads = store.masks.heads(image.id)
    assert store.images.get(image.id).masks == len(heads), "the count is of the same transaction"
    assert len(heads) % 3 == 0, "what is saved together is there together"
    for head in heads:
        assert head.area == head.rle.area
        assert store.masks.history(head.object_id)[-1] == head
    assert store.masks.save(new_mask(image)) in store.masks.heads(image.id)
    if url.startswith("sqlite"):
        with store._database.reading() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_no_two_processes_get_the_same_task(store: Store, url: str, project: Project) -> None:
    images = store.images.add(project.id, [new_image(f"{i:02}.jpg") for i in range(20)])
    assert store.tasks.create_for(image.id for image in images) == 20
    people = [store.people.create(f"person {i}") for i in range(3)]
    processes = [_start("tests.store.worker", url, project.id, person.id) for person in people]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    got: Counter[str] = Counter()
    for process in processes:
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        got.update(output.split())
    assert got == Counter(image.id for image in images)
    assert store.tasks.counts(project.id) == {"open": 0, "claimed": 0, "done": 20, "skipped": 0}


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
