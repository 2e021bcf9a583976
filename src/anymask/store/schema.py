"""The tables. Migrations build them; a test holds both to be the same.

Ids are UUID4 as 32 hex digits, times are UTC as `2026-01-31T23:59:59.999Z`: as text they sort by time.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Bytes decide the order of text, so that a page's cursor means the same in every database.
ORDERED = String().with_variant(String(collation="C"), "postgresql")
ID = String(32).with_variant(String(32, collation="C"), "postgresql")
TIME = String(24).with_variant(String(24, collation="C"), "postgresql")


def _column(name: str, kind: Any, *rules: Any, **more: Any) -> Column[Any]:
    return Column(name, kind, *rules, nullable=False, **more)


def _one_of(column: str, *choices: str) -> CheckConstraint:
    listed = ", ".join(f"'{choice}'" for choice in choices)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


SOURCES = (
    "click",
    "box",
    "lasso",
    "scribble",
    "brush",
    "polygon",
    "everything",
    "propagate",
    "import",
    "text",
    "edit",
)
IMAGE_STATES = ("new", "in_progress", "done", "accepted", "rejected")
FINISHED = ("done", "accepted")
"""States of images whose masks are to be used."""
TASK_KINDS = ("label", "review")
VERDICTS = ("accepted", "rejected", "comment")
ROLES = ("annotator", "reviewer", "admin")
MODEL_STATES = ("candidate", "current", "retired", "refused")
JOB_STATES = ("waiting", "running", "done", "failed", "stopped")

projects = Table(
    "projects",
    metadata,
    Column("id", ID, primary_key=True),
    _column("name", ORDERED),
    Column("root", ORDERED),
    Column("model", ORDERED),
    _column("settings", JSON),
    _column("created", TIME),
)

images = Table(
    "images",
    metadata,
    Column("id", ID, primary_key=True),
    _column("project_id", ID, ForeignKey("projects.id")),
    _column("sha256", String(64)),
    _column("path", ORDERED),
    _column("name", ORDERED),
    _column("width", Integer),
    _column("height", Integer),
    _column("bytes", BigInteger),
    Column("group_key", ORDERED),
    Column("frame", Integer),
    Column("split", ORDERED),
    _column("gold", Boolean),
    _column("added", TIME),
    # What follows is worked out from masks, tasks and reviews in the transaction that changes them, so that
    # the gallery of a large project needs no look at those.
    _column("state", String(16)),
    _column("masks", Integer),
    _column("updated", TIME),
    UniqueConstraint("project_id", "path"),
    Index(None, "project_id", "name", "id"),
    Index(None, "project_id", "state", "name", "id"),
    Index(None, "sha256"),
    _one_of("state", *IMAGE_STATES),
)

labels = Table(
    "labels",
    metadata,
    Column("id", ID, primary_key=True),
    _column("project_id", ID, ForeignKey("projects.id")),
    _column("name", ORDERED),
    _column("colour", String(7)),
    Column("hotkey", String(1)),
    _column("attributes", JSON),
    _column("position", Integer),
    _column("archived", Boolean),
    UniqueConstraint("project_id", "name"),
)

masks = Table(
    "masks",
    metadata,
    Column("id", ID, primary_key=True),
    _column("image_id", ID, ForeignKey("images.id")),
    _column("object_id", ID),
    Column("parent_id", ID, ForeignKey("masks.id"), unique=True),
    Column("author_id", ID, ForeignKey("users.id")),
    _column("created", TIME),
    _column("counts", Text),
    _column("height", Integer),
    _column("width", Integer),
    _column("bbox_x", Integer),
    _column("bbox_y", Integer),
    _column("bbox_width", Integer),
    _column("bbox_height", Integer),
    _column("area", BigInteger),
    Column("score", Double),
    Column("stability", Double),
    Column("label_id", ID, ForeignKey("labels.id")),
    _column("attributes", JSON),
    _column("position", Integer),
    _column("deleted", Boolean),
    _column("source", String(16)),
    Column("model_sha256", String(64)),
    _column("prompts", JSON),
    _column("seconds", Double),
    _column("locked", Boolean),
    Index(None, "image_id"),
    Index(None, "object_id"),
    Index(None, "label_id"),
    Index(None, "author_id", "created"),
    _one_of("source", *SOURCES),
)
# An object begins once.
Index(
    "uq_masks_object_id_first",
    masks.c.object_id,
    unique=True,
    sqlite_where=masks.c.parent_id.is_(None),
    postgresql_where=masks.c.parent_id.is_(None),
)

prompts = Table(
    "prompts",
    metadata,
    Column("id", ID, primary_key=True),
    _column("image_id", ID, ForeignKey("images.id")),
    Column("object_id", ID),
    Column("user_id", ID, ForeignKey("users.id")),
    _column("created", TIME),
    _column("prompt", JSON),
    Column("model_sha256", String(64)),
    Column("milliseconds", Double),
    Column("chosen", Integer),
    Column("seconds_since_last", Double),
    Index(None, "image_id", "created"),
    Index(None, "object_id"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", ID, primary_key=True),
    _column("project_id", ID, ForeignKey("projects.id")),
    _column("image_id", ID, ForeignKey("images.id")),
    _column("kind", String(16)),
    # "claimed" is not stored: it is a lease that has not run out, whatever the state below it.
    _column("state", String(16)),
    Column("assignee_id", ID, ForeignKey("users.id")),
    Column("lease_token", String(32)),
    Column("lease_until", TIME),
    _column("priority", Integer),
    # The image's path once more, so that the queue's order is an index.
    _column("place", ORDERED),
    _column("seconds", Double),
    _column("updated", TIME),
    UniqueConstraint("image_id", "kind"),
    Index(None, "project_id", "kind", "state", "priority", "place"),
    Index(None, "assignee_id", "lease_until"),
    _one_of("kind", *TASK_KINDS),
    _one_of("state", "open", "done", "skipped"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", ID, primary_key=True),
    _column("mask_id", ID, ForeignKey("masks.id")),
    Column("reviewer_id", ID, ForeignKey("users.id")),
    _column("verdict", String(16)),
    _column("comment", Text),
    _column("created", TIME),
    Index(None, "mask_id", "created"),
    _one_of("verdict", *VERDICTS),
)

users = Table(
    "users",
    metadata,
    Column("id", ID, primary_key=True),
    _column("name", ORDERED, unique=True),
    _column("role", String(16)),
    Column("password_hash", Text),
    _column("created", TIME),
    _column("disabled", Boolean),
    _one_of("role", *ROLES),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    _column("user_id", ID, ForeignKey("users.id")),
    _column("created", TIME),
    _column("expires", TIME),
    _column("seen", TIME),
    _column("csrf", String(64)),
    Index(None, "user_id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    _column("role", String(16)),
    _column("created", TIME),
    _column("expires", TIME),
    Column("used_by", ID, ForeignKey("users.id")),
    _one_of("role", *ROLES),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", ID, primary_key=True),
    _column("project_id", ID, ForeignKey("projects.id")),
    _column("name", ORDERED),
    _column("sha256", String(64)),
    _column("created", TIME),
    Column("author_id", ID, ForeignKey("users.id")),
    _column("images", Integer),
    _column("masks", Integer),
    UniqueConstraint("project_id", "name"),
)

snapshot_images = Table(
    "snapshot_images",
    metadata,
    Column("snapshot_id", ID, ForeignKey("snapshots.id"), primary_key=True),
    Column("image_id", ID, ForeignKey("images.id"), primary_key=True),
    Column("split", ORDERED),
)

snapshot_masks = Table(
    "snapshot_masks",
    metadata,
    Column("snapshot_id", ID, ForeignKey("snapshots.id"), primary_key=True),
    Column("mask_id", ID, ForeignKey("masks.id"), primary_key=True),
    _column("image_id", ID, ForeignKey("images.id")),
    Column("label", ORDERED),
    Index(None, "mask_id"),
)

models = Table(
    "models",
    metadata,
    Column("project_id", ID, ForeignKey("projects.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    _column("name", ORDERED),
    _column("path", ORDERED),
    Column("parent_sha256", String(64)),
    _column("created", TIME),
    _column("state", String(16)),
    _column("metrics", JSON),
    Column("snapshot_id", ID, ForeignKey("snapshots.id")),
    Column("switched", TIME),
    _one_of("state", *MODEL_STATES),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("project_id", ID, ForeignKey("projects.id")),
    _column("kind", String(64)),
    _column("arguments", JSON),
    _column("state", String(16)),
    _column("progress", Double),
    _column("detail", Text),
    Column("worker", ORDERED),
    Column("lease_until", TIME),
    _column("created", TIME),
    _column("updated", TIME),
    Index(None, "state", "created"),
    Index(None, "project_id", "created"),
    _one_of("state", *JOB_STATES),
)

events = Table(
    "events",
    metadata,
    Column("id", ID, primary_key=True),
    Column("project_id", ID, ForeignKey("projects.id")),
    Column("user_id", ID, ForeignKey("users.id")),
    _column("created", TIME),
    _column("kind", String(64)),
    _column("detail", JSON),
    Index(None, "project_id", "created", "id"),
    Index(None, "created", "id"),
)
