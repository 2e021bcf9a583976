"""The models that a server answers with, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from anymask.core.errors import InputError
from anymask.predict.model import Model
from anymask.server.problems import Problem


class Shelf:
    """Models by name; the first one answers where none is asked for.

    Only what was put here when the server started can be asked for, so that no request reaches a file by a
    model's name. Raises InputError if there is no model, or two have the same name.
    """

    def __init__(self, models: Iterable[Model]) -> None:
        self._models: dict[str, Model] = {}
        for model in models:
            if model.spec.name in self._models:
                raise InputError(f"two models are called {model.spec.name!r}; serve one of them")
            self._models[model.spec.name] = model
        if not self._models:
            raise InputError("there is no model to serve; give at least one")

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    @property
    def default(self) -> Model:
        """The one that answers where none is asked for."""
        return next(iter(self))

    def named(self, name: str | None) -> Model:
        """The model of this name, `name` or `name@version`. Raises Problem (404) if it is not served."""
        if name is None:
            return self.default
        model = self._models.get(name.partition("@")[0])
        if model is None or name not in (model.spec.name, model.spec.full_name):
            known = ", ".join(self._models)
            raise Problem(404, "unknown_model", f"there is no model of that name here; served are {known}")
        return model
