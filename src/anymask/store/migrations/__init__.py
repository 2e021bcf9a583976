"""Migrations, run by `anymask.store.migrate`."""
