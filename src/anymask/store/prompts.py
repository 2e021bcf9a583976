"""Prompts as people sent them: what models learn from and labelling speed is measured by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from anymask.store import checks, rows
from anymask.store.errors import NotFound
from anymask.store.insertion import insert_missing
from anymask.store.part import Part
from anymask.store.schema import prompts
from anymask.store.values import NewPrompt, RecordedPrompt


class Prompts(Part):
    """`store.prompts`."""

    def record(self, new: NewPrompt) -> None:
        """Keep one prompt; as `record_many` of one."""
        self.record_many([new])

    def record_many(self, new: Iterable[NewPrompt]) -> None:
        """Keep prompts in one transaction; an id that is known is left as it is.

        Raises NotFound for an unknown image or user, InputError.
        """
        now = self._database.now()
        values = [_row(prompt, now) for prompt in new]
        if not values:
            return
        try:
            with self._database.writing() as connection:
                insert_missing(connection, prompts, values)
        except IntegrityError as error:
            raise NotFound("the image or the user of a prompt is not known") from error

    def list(self, image_id: str, object_id: str | None = None) -> list[RecordedPrompt]:
        """Prompts on an image, or on one object of it, oldest first."""
        query = select(prompts).where(prompts.c.image_id == image_id)
        if object_id is not None:
            query = query.where(prompts.c.object_id == object_id)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(prompts.c.created, prompts.c.id)).mappings()
            return [rows.value(RecordedPrompt, row) for row in found]


def _row(prompt: NewPrompt, now: str) -> dict[str, Any]:
    checks.check_id(prompt.id, "id")
    checks.check_id(prompt.image_id, "image_id")
    for name in ("object_id", "user_id"):
        if getattr(prompt, name) is not None:
            checks.check_id(getattr(prompt, name), name)
    if prompt.model_sha256 is not None:
        checks.check_sha256(prompt.model_sha256, "model_sha256")
    if prompt.chosen is not None:
        checks.check_whole(prompt.chosen, "chosen")
    checks.check_number(prompt.milliseconds, "milliseconds", 0)
    checks.check_number(prompt.seconds_since_last, "seconds_since_last", 0)
    return {**vars(prompt), "prompt": checks.plain_json(prompt.prompt, "prompt"), "created": now}
