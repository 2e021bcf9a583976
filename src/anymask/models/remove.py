"""Remove a model from the cache, with everything that belongs to it."""

from __future__ import annotations

from anymask.core.errors import ModelError
from anymask.models.pull import discard_download
from anymask.models.registry import Registry, UnknownModelError


def remove(name: str, *, registry: Registry | None = None) -> int:
    """Remove `name` (all its versions) or `name@version` from the cache; return the bytes freed.

    What an interrupted pull left behind and what was compiled for the model go too.
    Raises UnknownModelError, ModelError (not here; came with the package), OutputError.
    """
    registry = registry or Registry()
    cache = registry.cache
    plain, _, version = name.partition("@")
    versions = [v for n, v in cache.names() if n == plain and version in ("", v)]
    if not versions and plain not in registry.official:
        if any(boxed == plain for boxed, _, _ in registry.boxed()):
            raise ModelError(f"Model {name!r} came with the package; it goes with: pip uninstall anymask")
        raise UnknownModelError(f"There is no model {name!r} in {cache.models}; see: anymask models list")
    with cache.lock(plain):
        freed = sum(cache.remove(plain, v) for v in versions)
        left = discard_download(registry.official[plain], cache) if plain in registry.official else 0
    if not versions and not left:
        raise ModelError(f"Model {name!r} is not on this machine; there is nothing to remove.")
    return freed + left
