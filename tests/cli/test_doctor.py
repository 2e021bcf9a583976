"""`anymask doctor`: it finds what is wrong, says the fix, and never shows a password."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import anymask
import anymask.models.registry as registry
import anymask.predict.load as loading
from anymask.cli import checks
from anymask.core.errors import ModelError
from anymask.models.folder import ModelFolder
from tests.cli.conftest import Command


class Intact:
    """As much of a model folder as the doctor looks at."""

    path = Path("lite")
    bytes = 19_000_000

    def verify(self) -> None:
        pass


@pytest.fixture(autouse=True)
def healthy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine where everything works and nothing is set."""
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "home"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ANYMASK_MIRROR", "ANYMASK_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(registry, "resolve", lambda *_, **__: Intact())


def diagnose(command: Command, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code, and the findings by name."""
    done = command("doctor", "--json", *words)
    report = json.loads(done.out)
    assert report["ok"] == (done.code == 0)
    return done.code, {check["name"]: check for check in report["checks"]}


def test_a_healthy_machine(command: Command) -> None:
    code, found = diagnose(command)
    assert code == 0, [check for check in found.values() if check["state"] == "broken"]
    assert found["anymask"]["found"].startswith(anymask.__version__)
    assert "cores for this process" in found["cpu"]["found"]
    assert "writable" in found["cache"]["found"]
    assert "19 MB, intact" in found["model lite"]["found"]
    assert "embed" in found["try"]["found"]
    assert "one click" in found["try"]["found"]
    assert all(check["fix"] == "" for check in found.values())


def test_the_report_for_people(command: Command) -> None:
    done = command("doctor")
    assert done.code == 0
    assert b"ok    anymask" in done.out
    assert done.err == "anymask works here.\n"


def test_proxies_are_shown_without_passwords(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:geheim@proxy.example:3128")
    monkeypatch.setenv("http_proxy", "user:geheim@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "localhost,.example")
    monkeypatch.setenv("ANYMASK_MIRROR", "https://user:geheim@mirror.example/models?token=geheim")
    for words in ((), ("--json",)):
        done = command("doctor", *words)
        assert b"proxy.example:3128" in done.out
        assert b"mirror.example/models" in done.out
        assert b"localhost,.example" in done.out
        assert b"geheim" not in done.out
        assert "geheim" not in done.err


def test_offline_is_said(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYMASK_OFFLINE", "1")
    code, found = diagnose(command)
    assert code == 0
    assert found["offline"]["state"] == "note"


def test_a_mirror_that_is_no_address(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYMASK_MIRROR", "mirror.example")
    code, found = diagnose(command)
    assert code == 1
    assert "https://" in found["mirror"]["fix"]


def test_a_cache_that_cannot_be_written(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "file" / "home"))
    code, found = diagnose(command)
    assert code == 1
    assert found["cache"]["state"] == "broken"
    assert "ANYMASK_HOME" in found["cache"]["fix"]


def test_a_full_disk(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LEAST_FREE_BYTES", 1 << 60)
    code, found = diagnose(command)
    assert code == 1
    assert "free some space" in found["disk"]["fix"]


def test_a_package_that_is_missing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    real = checks._version
    monkeypatch.setattr(checks, "_version", lambda name: None if name in ("shapely", "torch") else real(name))
    code, found = diagnose(command)
    assert code == 1
    assert found["shapely"] == {
        "name": "shapely", "state": "broken", "found": "not installed", "fix": "pip install shapely",
    }  # fmt: skip
    assert found["torch backend"]["state"] == "note", "an extra is a choice"


def test_any_opencv_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_version", lambda name: None if name.endswith("headless") else "4.12")
    (opencv,) = [check for check in checks.versions() if check.name == "opencv-python-headless"]
    assert (opencv.state, opencv.found) == ("ok", "4.12 (opencv-python)")


def test_a_damaged_model_in_the_box(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> ModelFolder:
        raise ModelError("weights.safetensors has SHA-256 00..., expected ff...")

    monkeypatch.setattr(registry, "resolve", resolve)
    code, found = diagnose(command)
    assert code == 1
    assert found["model lite"]["state"] == "broken"
    assert "reinstall" in found["model lite"]["fix"]


def test_a_damaged_model_in_the_cache(command: Command, tmp_path: Path) -> None:
    model = tmp_path / "home" / "models" / "vit_b@1.0"
    model.mkdir(parents=True)
    (model / "manifest.json").write_text("{}")
    code, found = diagnose(command)
    assert code == 1
    assert str(model) in found["model vit_b@1.0"]["fix"]


def test_a_model_that_does_not_load(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ModelError("the graph is damaged")

    monkeypatch.setattr(loading, "load", fail)
    code, found = diagnose(command)
    assert code == 1
    assert (found["try"]["state"], found["try"]["found"]) == ("broken", "the graph is damaged")


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("no\nidea")

    monkeypatch.setattr(checks, "cpu", broken)
    code, found = diagnose(command)
    assert code == 1
    assert found["cpu"]["found"] == "RuntimeError: no idea"
    assert found["try"]["state"] == "ok"


def test_the_model_can_be_chosen(command: Command) -> None:
    _, found = diagnose(command, "--model", "slow")
    assert found["try"]["found"].startswith("slow: ")
