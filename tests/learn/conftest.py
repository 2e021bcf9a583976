"""A workspace of drawn pictures, labelled in its store, and a tiny untrained model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image as Pictures

from anymask.core.rle import encode
from anymask.models.folder import ModelFolder
from anymask.store import Image, NewMask, Store
from anymask.studio.scanning import new_image
from anymask.studio.workspace import Workspace
from tests.finetune.conftest import lite_model, own_cache
from tests.train.toys import drawing

__all__ = ["lite_model", "own_cache"]


@dataclass
class Labelled:
    """A project with a person in it, and the ways in which pictures get masks."""

    store: Store
    workspace: Workspace
    project: str
    person: str

    def add(self, first: int, count: int) -> list[Image]:
        """Drawn pictures, found in the folder."""
        found = []
        for number in range(first, first + count):
            pixels, _ = drawing(number)
            name = f"{number:03d}.png"
            Pictures.fromarray(pixels).save(self.workspace.root / name)
            found.append(new_image(self.workspace, name, 10**6))
        images = self.store.images.add(self.project, found)
        self.store.tasks.create_for([image.id for image in images])
        return images

    def label(self, image: Image, *, gold: bool = False) -> None:
        """A person draws both objects and finishes the picture."""
        _, masks = drawing(int(image.name.split(".")[0]))
        task = self.store.tasks.claim(self.project, self.person, image_id=image.id)
        assert task is not None
        assert task.lease_token is not None
        rows = [self.row(image, mask, self.person, "click", place) for place, mask in enumerate(masks)]
        self.store.masks.save_many(rows)
        self.store.tasks.finish(task.id, task.lease_token, 5.0)
        if gold:
            self.store.images.update(image.id, gold=True)

    def prefill(self, image: Image, mask: np.ndarray) -> None:
        """A model's own mask that nobody has touched."""
        self.store.masks.save(self.row(image, mask, None, "everything"))

    @staticmethod
    def row(image: Image, mask: np.ndarray, author: str | None, source: str, position: int = 0) -> NewMask:
        return NewMask(
            id=uuid4().hex, image_id=image.id, object_id=uuid4().hex, rle=encode(mask), author_id=author,
            source=source, position=position,
        )  # fmt: skip


@pytest.fixture
def labelled(tmp_path: Path, lite_model: ModelFolder) -> Iterator[Labelled]:
    root = tmp_path / "pictures"
    root.mkdir()
    workspace = Workspace.open(root)
    with Store.open(root) as store:
        person = store.people.create("ada", "admin", password="a long enough password")
        project = store.projects.create("drawings")
        store.projects.update(project.id, model=str(lite_model.path))
        yield Labelled(store, workspace, project.id, person.id)
