"""load: options are checked first, then the model is found, then a runtime is made for it."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

import anymask
import anymask.predict.load as loading
from anymask.core.errors import InputError, ModelError
from anymask.predict.load import BACKENDS, PRECISIONS, load
from tests.fake_runtime import SHA256, FakeRuntime, scene


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `load` asked of the registry and of the runtimes' factory."""
    asked: dict[str, Any] = {}
    folder = types.SimpleNamespace(sha256=SHA256, spec=FakeRuntime().spec)

    def resolve(name: object, *, offline: bool | None) -> object:
        asked.update(name=name, offline=offline)
        return folder

    def make_runtime(given: object, **settings: object) -> FakeRuntime:
        asked.update(folder=given, **settings)
        return FakeRuntime()

    monkeypatch.setattr(loading, "resolve", resolve)
    backends = types.ModuleType("anymask.predict.backends")
    backends.make_runtime = make_runtime  # type: ignore[attr-defined]
    backends.usable_cores = lambda: 5  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "anymask.predict.backends", backends)
    asked["expected folder"] = folder
    return asked


def test_defaults(asked: dict[str, Any]) -> None:
    model = anymask.load()
    assert asked["folder"] is asked.pop("expected folder")
    assert {**asked, "folder": None} == {
        "name": "lite", "offline": None, "folder": None,
        "backend": "auto", "precision": "fast", "threads": None,
    }  # fmt: skip
    assert model.sha256 == SHA256
    assert model.threads == 5
    assert model.predict(model.embed(scene()), points=[(40, 30)]).best.area > 0


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_options_reach_the_runtime(asked: dict[str, Any], precision: Any, backend: Any) -> None:
    model = load("vit_b", precision=precision, backend=backend, threads=3, offline=True)
    assert model.threads == 3
    assert (asked["precision"], asked["backend"], asked["threads"]) == (precision, backend, 3)
    assert (asked["name"], asked["offline"]) == ("vit_b", True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "half"}, "precision 'half' is not known; give one of fast, exact"),
        ({"backend": "cuda"}, "backend 'cuda' is not known; give one of auto, openvino"),
        ({"threads": 0}, "threads is 0"),
        ({"threads": 1.5}, "threads is 1.5"),
        ({"threads": "two"}, "threads is 'two'"),
    ],
)
def test_wrong_options_are_told_before_anything_is_opened(
    asked: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load(**options)
    assert "name" not in asked


def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path))
    with pytest.raises(InputError, match="Did you mean 'vit_b'"):
        load("vit-b")


def test_nothing_is_fetched_unless_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path))
    monkeypatch.setattr(
        "urllib.request.OpenerDirector.open", lambda *_, **__: pytest.fail("the network was used")
    )
    with pytest.raises(ModelError, match="anymask models pull vit_b"):
        load("vit_b")
