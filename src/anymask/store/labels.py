"""Labels: a project's classes of objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from anymask.core.errors import InputError
from anymask.store import checks, rows, states
from anymask.store.chains import append_successors
from anymask.store.errors import Conflict
from anymask.store.part import Part
from anymask.store.projects import KEEP
from anymask.store.schema import images, labels, masks, projects
from anymask.store.values import Json, Label

ATTRIBUTE_KINDS = ("select", "text", "number", "checkbox")
COLOURS = (
    "#3b82f6",
    "#f59e0b",
    "#10b981",
    "#ef4444",
    "#8b5cf6",
    "#06b6d4",
    "#ec4899",
    "#84cc16",
    "#f97316",
    "#6366f1",
    "#14b8a6",
    "#a16207",
)
"""What new labels get in turn."""


class Labels(Part):
    """`store.labels`."""

    def create(
        self,
        project_id: str,
        name: str,
        *,
        colour: str | None = None,
        hotkey: str | None = None,
        attributes: Sequence[Json] = (),
        id: str | None = None,
    ) -> Label:
        """A new label, after those that are there. colour: by default one that is used least.

        The same name again with the same id is no error.
        Raises NotFound (project), Conflict (a label of the project has this name), InputError.
        """
        checks.check_text(name, "name", 200)
        fields = _attributes(attributes)
        checks.check_hotkey(hotkey)
        row: dict[str, Any] = {"id": id or checks.new_id(), "project_id": project_id, "name": name}
        checks.check_id(row["id"], "id")
        with self._database.writing() as connection:
            rows.lock(connection, projects, [project_id])
            rows.get(connection, projects, project_id, "project")
            known = _of_project(connection, project_id)
            for label in known:
                if label.name == name and label.id == id:
                    return label
            if any(label.name == name for label in known):
                raise Conflict(f"the project has a label '{name}' already; choose another name")
            row["colour"] = colour if colour is not None else _free_colour(known)
            checks.check_colour(row["colour"])
            row |= {"hotkey": hotkey, "attributes": fields, "archived": False}
            row["position"] = 1 + max((label.position for label in known), default=-1)
            if hotkey is not None:
                _take_hotkey(connection, project_id, hotkey)
            try:
                connection.execute(insert(labels).values(**row))
            except IntegrityError as error:
                raise Conflict(f"the id or name of label '{name}' is taken; choose others") from error
            return _read(connection, row["id"])

    def get(self, id: str) -> Label:
        """Raises NotFound."""
        with self._database.reading() as connection:
            return _read(connection, id)

    def list(self, project_id: str) -> list[Label]:
        """All labels of a project by position, archived ones too."""
        with self._database.reading() as connection:
            return _of_project(connection, project_id)

    def counts(self, project_id: str) -> dict[str, int]:
        """How many objects have each label, by its id."""
        query = (
            select(masks.c.label_id, func.count())
            .join(labels, labels.c.id == masks.c.label_id)
            .where(labels.c.project_id == project_id, masks.c.deleted.is_(False), states.is_head())
            .group_by(masks.c.label_id)
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def update(
        self,
        id: str,
        *,
        name: str = KEEP,
        colour: str = KEEP,
        hotkey: str | None = KEEP,
        attributes: Sequence[Json] = KEEP,
        position: int = KEEP,
        archived: bool = KEEP,
    ) -> Label:
        """Change what is given. A hotkey that another label has is taken from that one.

        Raises NotFound, Conflict (the name is taken), InputError.
        """
        given: dict[str, Any] = {
            "name": name,
            "colour": colour,
            "hotkey": hotkey,
            "attributes": attributes,
            "position": position,
            "archived": archived,
        }
        changed = {key: value for key, value in given.items() if value is not KEEP}
        _check(changed)
        if "attributes" in changed:
            changed["attributes"] = _attributes(changed["attributes"])
        with self._database.writing() as connection:
            label = _read(connection, id)
            rows.lock(connection, projects, [label.project_id])
            if changed.get("hotkey") is not None:
                _take_hotkey(connection, label.project_id, changed["hotkey"])
            if changed:
                _change(connection, id, changed)
            return _read(connection, id)

    def archive(self, id: str) -> Label:
        """No longer offer it; objects keep it. Raises NotFound."""
        return self.update(id, archived=True, hotkey=None)

    def merge(self, id: str, into: str, author_id: str | None = None) -> Label:
        """Give every object of this label the other one, as new masks, and archive this one.

        Returns the label `into`. Raises NotFound, InputError (the same label, or another project's).
        """
        with self._database.writing() as connection:
            label, other = _read(connection, id), _read(connection, into)
            if label.id == other.id or label.project_id != other.project_id:
                raise InputError("a label is merged into another one of the same project; choose that one")
            now = self._database.now()
            labelled = select(masks.c.image_id).where(masks.c.label_id == id).distinct()
            rows.lock(connection, images, connection.execute(labelled).scalars())
            changed = append_successors(
                connection, masks.c.label_id == id, {"label_id": into, "author_id": author_id}, now
            )
            connection.execute(update(labels).where(labels.c.id == id).values(archived=True, hotkey=None))
            states.refresh(connection, changed, now)
            return _read(connection, into)


def label_names(connection: Connection, project_id: str) -> dict[str, str]:
    """Names by id, inside another part's transaction."""
    query = select(labels.c.id, labels.c.name).where(labels.c.project_id == project_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def _change(connection: Connection, id: str, changed: dict[str, Any]) -> None:
    try:
        connection.execute(update(labels).where(labels.c.id == id).values(**changed))
    except IntegrityError as error:
        raise Conflict(
            f"the project has a label '{changed.get('name')}' already; choose another name"
        ) from error


def _check(changed: dict[str, Any]) -> None:
    if "name" in changed:
        checks.check_text(changed["name"], "name", 200)
    if "colour" in changed:
        checks.check_colour(changed["colour"])
    if "hotkey" in changed:
        checks.check_hotkey(changed["hotkey"])
    if "position" in changed:
        checks.check_whole(changed["position"], "position")
    if "archived" in changed and not isinstance(changed["archived"], bool):
        raise InputError(f"archived is {checks.brief(changed['archived'])}; expected true or false")


def _attributes(attributes: Sequence[Json]) -> list[dict[str, Any]]:
    plain = checks.plain_json(list(attributes), "attributes")
    for attribute in plain:
        if not isinstance(attribute, dict) or set(attribute) - {"name", "kind", "choices"}:
            raise InputError(
                f"attribute {checks.brief(attribute)}; expected an object with name, kind and choices"
            )
        checks.check_text(attribute.get("name"), "an attribute's name", 200)
        checks.check_one_of(attribute.get("kind"), ATTRIBUTE_KINDS, "an attribute's kind")
        attribute["choices"] = _choices(attribute)
    names = [attribute["name"] for attribute in plain]
    if len(set(names)) < len(names):
        raise InputError("two attributes of a label have the same name; give each its own")
    return list(plain)


def _choices(attribute: dict[str, Any]) -> list[str]:
    choices = attribute.get("choices") or []
    if not isinstance(choices, list):
        raise InputError(f"choices are {checks.brief(choices)}; expected a list of texts")
    for choice in choices:
        checks.check_text(choice, "a choice", 200)
    if attribute["kind"] == "select" and not choices:
        raise InputError(f"attribute '{attribute['name']}' is a select without choices; give some")
    return list(choices)


def _free_colour(known: Sequence[Label]) -> str:
    used = [label.colour for label in known]
    return min(COLOURS, key=used.count)


def _take_hotkey(connection: Connection, project_id: str, hotkey: str) -> None:
    mine = (labels.c.project_id == project_id) & (labels.c.hotkey == hotkey)
    connection.execute(update(labels).where(mine).values(hotkey=None))


def _of_project(connection: Connection, project_id: str) -> list[Label]:
    query = select(labels).where(labels.c.project_id == project_id).order_by(labels.c.position, labels.c.name)
    return [rows.value(Label, row) for row in connection.execute(query).mappings()]


def _read(connection: Connection, id: str) -> Label:
    return rows.value(Label, rows.get(connection, labels, id, "label"))
