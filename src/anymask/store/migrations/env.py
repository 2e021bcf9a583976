"""What Alembic runs: our migrations on the connection it is given, inside that connection's transaction."""

from __future__ import annotations

from alembic import context

from anymask.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
