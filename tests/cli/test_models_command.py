from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, ModuleType

import pytest

from anymask.cli.main import run
from anymask.models import registry as registry_module
from anymask.models.cache import ModelCache
from anymask.models.registry import OFFICIAL
from anymask.models.spec import ModelSpec
from tests.models import web as steps
from tests.models.samples import save_hostile_pickle, save_mobile_sam, write_model
from tests.models.web import Web, running_web

FRESH = ["mobile", "vit_b", "vit_l", "vit_h"]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModelCache:
    """An empty cache and a package without models, whatever the developer's machine has."""
    for name in ("http_proxy", "HTTP_PROXY", "ANYMASK_MIRROR", "ANYMASK_OFFLINE", "ANYMASK_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "home"))
    (tmp_path / "box").mkdir()
    monkeypatch.setattr(registry_module, "BOX", tmp_path / "box")
    return ModelCache(tmp_path / "home")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_mobile_sam(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def web() -> Iterator[Web]:
    with running_web() as server:
        yield server


@pytest.fixture
def published(web: Web, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`mobile` is published at the local server, for the length of a test."""
    spec = replace(OFFICIAL["mobile"], download=web.put("/mobile_sam.pt", checkpoint.read_bytes()))
    monkeypatch.setattr(registry_module, "OFFICIAL", MappingProxyType({**OFFICIAL, "mobile": spec}))
    return checkpoint


def add(cache: ModelCache, name: str = "mine") -> Path:
    return write_model(cache.folder(name, "1.0"), ModelSpec(name, "lite"), source={"file": "x.pth"}).path


def test_the_list_is_a_table_for_people(cache: ModelCache, capsys: pytest.CaptureFixture[str]) -> None:
    add(cache)
    assert run(["models", "list"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["name", "version", "network", "size", "state", "licence"]
    assert [row[0] for row in rows[1:]] == ["mine", *FRESH]
    assert "375 MB" in out
    assert "imported" in rows[1]


def test_the_list_is_json_for_programs(
    cache: ModelCache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(tmp_path / "box" / "lite", ModelSpec("lite", "lite", version="0.1.0"))
    path = add(cache)
    (add(cache, "hurt") / "encoder.onnx").unlink()
    assert run(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    states = {entry["name"]: entry["state"] for entry in listed}
    assert states == {"lite": "in the box", "mine": "imported", "hurt": "damaged"} | dict.fromkeys(
        FRESH, "available"
    )
    assert next(entry for entry in listed if entry["name"] == "mine")["path"] == str(path)


def test_the_table_fits_in_a_pipe_without_being_cut(cache: ModelCache) -> None:
    name = "a-rather-long-name-of-a-model-that-was-tuned-for-street-signs"
    add(cache, name)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "40"}
    words = [sys.executable, "-m", "anymask.cli.main", "models", "list"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert name in done.stdout
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


@pytest.mark.usefixtures("published")
def test_pull_makes_a_model_ready(cache: ModelCache, web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "pull", "mobile", "--json"]) == 0
    captured = capsys.readouterr()
    (entry,) = json.loads(captured.out)
    path = cache.folder("mobile", "1.0")
    assert (entry["name"], entry["architecture"], entry["path"]) == ("mobile", "sam_tiny_vit", str(path))
    weights = (path / "weights.safetensors").read_bytes()
    assert entry["sha256"] == hashlib.sha256(weights).hexdigest()
    assert captured.err == f"mobile@1.0 is ready in {path}\n"
    assert run(["models", "pull", "mobile", "--offline"]) == 0
    assert len(web.requests) == 1


@pytest.mark.usefixtures("published")
def test_pull_shows_a_bar_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert run(["models", "pull", "mobile"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "mobile" in captured.err.split("is ready")[0]


def test_pull_offline_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "pull", "vit_b", "--offline"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("anymask: error: Cannot fetch https://dl.fbaipublicfiles.com/")


@pytest.mark.usefixtures("published")
def test_a_wrong_file_on_the_server_fails_and_leaves_nothing(
    web: Web, cache: ModelCache, capsys: pytest.CaptureFixture[str]
) -> None:
    web.script.append(steps.instead(b"<html>", "text/html"))
    assert run(["models", "pull", "mobile"]) == 1
    assert "offers 6 bytes of text/html" in capsys.readouterr().err
    assert cache.names() == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pull", "vit-b"], "Did you mean 'vit_b'?"),
        (["info", "nothing"], "Unknown model 'nothing'"),
        (["remove", "nothing"], "anymask models list"),
        (["export", "nothing", "-o", "out"], "Unknown model 'nothing'"),
        (["pull"], "Missing argument"),
        (["frobnicate"], "No such command"),
        (["list", "--what"], "No such option"),
        (["export", "vit_b"], "-o"),
        (["export", "vit_b", "-o", "out", "--opset", "x"], "--opset"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_a_model_that_is_not_here_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "info", "vit_b"]) == 1
    assert "anymask models pull vit_b" in capsys.readouterr().err


def test_import_names_and_reports(
    checkpoint: Path,
    cache: ModelCache,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["models", "import", str(checkpoint), "--name", "mine", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["path"] == str(cache.folder("mine", "1.0"))
    assert captured.err.startswith("mine@1.0 (sam_tiny_vit) is ready in ")


def test_import_refuses_what_is_not_only_tensors(
    tmp_path: Path, cache: ModelCache, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = save_hostile_pickle(tmp_path)
    assert run(["models", "import", str(hostile)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "system" in error
    assert not (hostile.parent / "owned").exists()
    assert cache.names() == []


def test_import_refuses_names_that_are_none(
    checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["models", "import", str(checkpoint), "--name", "../up"]) == 2
    assert "'name' is '../up'" in capsys.readouterr().err


def test_info_describes_and_verifies(cache: ModelCache, capsys: pytest.CaptureFixture[str]) -> None:
    path = add(cache)
    assert run(["models", "info", "mine"]) == 0
    out = capsys.readouterr().out
    assert "mine@1.0" in out
    assert "file x.pth" in out
    assert "not checked" in out
    assert run(["models", "info", str(path), "--verify"]) == 0
    assert "checked, intact" in capsys.readouterr().out
    assert run(["models", "info", "mine", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["manifest"] == json.loads((path / "manifest.json").read_text())


def test_info_finds_a_changed_byte(cache: ModelCache, capsys: pytest.CaptureFixture[str]) -> None:
    (add(cache) / "weights.safetensors").write_bytes(b"wEights")
    assert run(["models", "info", "mine"]) == 0
    assert run(["models", "info", "mine", "--verify"]) == 1
    assert "weights.safetensors has SHA-256" in capsys.readouterr().err


def test_remove_frees(cache: ModelCache, capsys: pytest.CaptureFixture[str]) -> None:
    path = add(cache)
    assert run(["models", "remove", "mine"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Removed mine: " in captured.err
    assert not path.exists()


def test_export_asks_the_exporter(
    cache: ModelCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = add(cache)
    calls: list[tuple[Path, Path, int]] = []

    def export_onnx(folder: object, out: Path, opset: int) -> None:
        calls.append((folder.path, out, opset))  # type: ignore[attr-defined]

    monkeypatch.setattr("anymask.release.export_onnx", export_onnx, raising=False)
    assert run(["models", "export", "mine", "-o", str(tmp_path / "out"), "--opset", "18"]) == 0
    assert calls == [(path, tmp_path / "out", 18)]
    assert "mine@1.0 was exported to" in capsys.readouterr().err


def test_export_without_torch_names_the_extra(
    cache: ModelCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    add(cache)
    release = ModuleType("anymask.release")
    monkeypatch.setattr(release, "__getattr__", missing, raising=False)
    monkeypatch.setitem(sys.modules, "anymask.release", release)
    assert run(["models", "export", "mine", "-o", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error == "anymask: error: `anymask models export` needs torch: pip install 'anymask[torch]'\n"


def test_help_is_quick_to_load_and_complete() -> None:
    code = (
        "import sys; from anymask.cli.main import run; run(['models', '--help'])\n"
        "heavy = {'torch', 'openvino', 'cv2', 'PIL', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("list", "pull", "remove", "import", "export", "info"):
        assert f" {name} " in done.stdout
