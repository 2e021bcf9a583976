"""What a labelling workspace remembers: images, masks, people and their work, in SQLite or PostgreSQL.

    with Store.open("photos") as store:
        project = store.projects.create("birds", root="")
        ...
        store.masks.save(NewMask(id=..., image_id=..., object_id=..., rle=...))

Masks are append-only. An object is the chain of its masks; its present state is the mask without a successor
(its head). A correction is a new row whose `parent_id` is the head it was made from, deleting is a new row
with `deleted=True`, undoing is a new row with an earlier mask's content.
"""

from anymask.store.errors import Conflict, LeaseLost, NotFound, StoreError
from anymask.store.store import Store
from anymask.store.values import (
    Counts,
    GalleryImage,
    Image,
    Label,
    Mask,
    NewImage,
    NewMask,
    NewPrompt,
    NewSession,
    Page,
    Project,
    RecordedPrompt,
    Session,
    Task,
    User,
)

__all__ = [
    "Conflict",
    "Counts",
    "GalleryImage",
    "Image",
    "Label",
    "LeaseLost",
    "Mask",
    "NewImage",
    "NewMask",
    "NewPrompt",
    "NewSession",
    "NotFound",
    "Page",
    "Project",
    "RecordedPrompt",
    "Session",
    "Store",
    "StoreError",
    "Task",
    "User",
]
