"""The first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")
ID = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
TIME = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")

ORDERED = sa.String().with_variant(sa.String(collation="C"), "postgresql")
ID = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
TIME = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", ORDERED, nullable=False),
        sa.Column("root", ORDERED, nullable=True),
        sa.Column("model", ORDERED, nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", ORDERED, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("role IN ('annotator', 'reviewer', 'admin')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_events_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_events_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_created_id"), "events", ["created", "id"], unique=False)
    op.create_index(
        op.f("ix_events_project_id_created_id"), "events", ["project_id", "created", "id"], unique=False
    )

    op.create_table(
        "images",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("path", ORDERED, nullable=False),
        sa.Column("name", ORDERED, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("group_key", ORDERED, nullable=True),
        sa.Column("frame", sa.Integer(), nullable=True),
        sa.Column("split", ORDERED, nullable=True),
        sa.Column("gold", sa.Boolean(), nullable=False),
        sa.Column("added", TIME, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("masks", sa.Integer(), nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.CheckConstraint(
            "state IN ('new', 'in_progress', 'done', 'accepted', 'rejected')", name=op.f("ck_images_state")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_images_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint("project_id", "path", name=op.f("uq_images_project_id_path")),
    )
    op.create_index(
        op.f("ix_images_project_id_name_id"), "images", ["project_id", "name", "id"], unique=False
    )
    op.create_index(
        op.f("ix_images_project_id_state_name_id"),
        "images",
        ["project_id", "state", "name", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_images_sha256"), "images", ["sha256"], unique=False)

    op.create_table(
        "invitations",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.Column("used_by", ID, nullable=True),
        sa.CheckConstraint("role IN ('annotator', 'reviewer', 'admin')", name=op.f("ck_invitations_role")),
        sa.ForeignKeyConstraint(["used_by"], ["users.id"], name=op.f("fk_invitations_used_by")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_invitations")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("worker", ORDERED, nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'stopped')", name=op.f("ck_jobs_state")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_jobs_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_project_id_created"), "jobs", ["project_id", "created"], unique=False)
    op.create_index(op.f("ix_jobs_state_created"), "jobs", ["state", "created"], unique=False)

    op.create_table(
        "labels",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("name", ORDERED, nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("hotkey", sa.String(length=1), nullable=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_labels_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_labels_project_id_name")),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.Column("seen", TIME, nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)

    op.create_table(
        "snapshots",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("name", ORDERED, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("masks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_snapshots_author_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_snapshots_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_snapshots_project_id_name")),
    )
    op.create_table(
        "masks",
        sa.Column("id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("object_id", ID, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("bbox_x", sa.Integer(), nullable=False),
        sa.Column("bbox_y", sa.Integer(), nullable=False),
        sa.Column("bbox_width", sa.Integer(), nullable=False),
        sa.Column("bbox_height", sa.Integer(), nullable=False),
        sa.Column("area", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("stability", sa.Double(), nullable=True),
        sa.Column("label_id", ID, nullable=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=True),
        sa.Column("prompts", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "source IN ('click', 'box', 'lasso', 'scribble', 'brush', 'polygon', 'everything', 'propagate', "
            "'import', 'text', 'edit')",
            name=op.f("ck_masks_source"),
        ),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_masks_author_id")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_masks_image_id")),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name=op.f("fk_masks_label_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["masks.id"], name=op.f("fk_masks_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_masks")),
        sa.UniqueConstraint("parent_id", name=op.f("uq_masks_parent_id")),
    )
    op.create_index(op.f("ix_masks_author_id_created"), "masks", ["author_id", "created"], unique=False)
    op.create_index(op.f("ix_masks_image_id"), "masks", ["image_id"], unique=False)
    op.create_index(op.f("ix_masks_label_id"), "masks", ["label_id"], unique=False)
    op.create_index(op.f("ix_masks_object_id"), "masks", ["object_id"], unique=False)
    op.create_index(
        "uq_masks_object_id_first",
        "masks",
        ["object_id"],
        unique=True,
        sqlite_where=sa.text("parent_id IS NULL"),
        postgresql_where=sa.text("parent_id IS NULL"),
    )

    op.create_table(
        "models",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", ORDERED, nullable=False),
        sa.Column("path", ORDERED, nullable=False),
        sa.Column("parent_sha256", sa.String(length=64), nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("snapshot_id", ID, nullable=True),
        sa.Column("switched", TIME, nullable=True),
        sa.CheckConstraint(
            "state IN ('candidate', 'current', 'retired', 'refused')", name=op.f("ck_models_state")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_models_project_id")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name=op.f("fk_models_snapshot_id")),
        sa.PrimaryKeyConstraint("project_id", "sha256", name=op.f("pk_models")),
    )
    op.create_table(
        "prompts",
        sa.Column("id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("object_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.Column("prompt", sa.JSON(), nullable=False),
        sa.Column("model_sha256", sa.String(length=64), nullable=True),
        sa.Column("milliseconds", sa.Double(), nullable=True),
        sa.Column("chosen", sa.Integer(), nullable=True),
        sa.Column("seconds_since_last", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_prompts_image_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_prompts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
    )
    op.create_index(op.f("ix_prompts_image_id_created"), "prompts", ["image_id", "created"], unique=False)
    op.create_index(op.f("ix_prompts_object_id"), "prompts", ["object_id"], unique=False)

    op.create_table(
        "snapshot_images",
        sa.Column("snapshot_id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("split", ORDERED, nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_snapshot_images_image_id")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_snapshot_images_snapshot_id")
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "image_id", name=op.f("pk_snapshot_images")),
    )
    op.create_table(
        "tasks",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("assignee_id", ID, nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("place", ORDERED, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.CheckConstraint("kind IN ('label', 'review')", name=op.f("ck_tasks_kind")),
        sa.CheckConstraint("state IN ('open', 'done', 'skipped')", name=op.f("ck_tasks_state")),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=op.f("fk_tasks_assignee_id")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_tasks_image_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_tasks_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("image_id", "kind", name=op.f("uq_tasks_image_id_kind")),
    )
    op.create_index(
        op.f("ix_tasks_assignee_id_lease_until"), "tasks", ["assignee_id", "lease_until"], unique=False
    )
    op.create_index(
        op.f("ix_tasks_project_id_kind_state_priority_place"),
        "tasks",
        ["project_id", "kind", "state", "priority", "place"],
        unique=False,
    )

    op.create_table(
        "reviews",
        sa.Column("id", ID, nullable=False),
        sa.Column("mask_id", ID, nullable=False),
        sa.Column("reviewer_id", ID, nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.CheckConstraint("verdict IN ('accepted', 'rejected', 'comment')", name=op.f("ck_reviews_verdict")),
        sa.ForeignKeyConstraint(["mask_id"], ["masks.id"], name=op.f("fk_reviews_mask_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["users.id"], name=op.f("fk_reviews_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index(op.f("ix_reviews_mask_id_created"), "reviews", ["mask_id", "created"], unique=False)

    op.create_table(
        "snapshot_masks",
        sa.Column("snapshot_id", ID, nullable=False),
        sa.Column("mask_id", ID, nullable=False),
        sa.Column("image_id", ID, nullable=False),
        sa.Column("label", ORDERED, nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_snapshot_masks_image_id")),
        sa.ForeignKeyConstraint(["mask_id"], ["masks.id"], name=op.f("fk_snapshot_masks_mask_id")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.id"], name=op.f("fk_snapshot_masks_snapshot_id")
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "mask_id", name=op.f("pk_snapshot_masks")),
    )
    op.create_index(op.f("ix_snapshot_masks_mask_id"), "snapshot_masks", ["mask_id"], unique=False)
