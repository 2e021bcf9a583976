"""docs/serve.md does what it says: its curl lines run, in order, against the model in the box."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from PIL import Image

import anymask
from anymask.server.app import create_app
from anymask.server.config import ServerConfig
from anymask.server.label_studio.labelling import labelling_of
from anymask.server.run import listen, uvicorn_config
from tests.server.running import wait_until

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "serve.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def lite_server() -> object:
    """The address of a server with the model in the box."""
    config = ServerConfig(port=0)
    with listen(config) as listener:
        server = uvicorn.Server(uvicorn_config(create_app([anymask.load(threads=1)], config), config))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(60)


def test_the_curl_lines_run(lite_server: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    script = "set -eu\n" + "\n".join(blocks("bash"))
    assert script.count("curl") >= 9
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "SERVER": lite_server, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    mask = np.asarray(Image.open(tmp_path / "mask.png")) > 0
    assert mask.shape == (427, 640)
    assert mask[299, 308]
    assert len(json.loads((tmp_path / "candidates.json").read_text())["candidates"]) == 3
    assert len(json.loads((tmp_path / "refined.json").read_text())["candidates"]) == 1
    records = [
        json.loads((tmp_path / f"{name}.json").read_text())["records"] for name in ("everything", "fewer")
    ]
    assert all(record["area"] >= 500 for record in records[1])
    (record,) = anymask.read(tmp_path / "flower.coco.json")
    assert record.label == "dahlia"
    assert json.loads((tmp_path / "imported.json").read_text())["images"][0]["width"] == 640
    assert (tmp_path / "flower-yolo.zip").read_bytes()[:2] == b"PK"


def test_the_labelling_configuration_is_understood() -> None:
    (config,) = blocks("xml")
    assert labelling_of(config).kind == "brushlabels"


def test_links_lead_somewhere_and_options_exist() -> None:
    from anymask.cli.main import run

    for link in re.findall(r"\]\(([^)#\s]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
    source = (ROOT / "src" / "anymask" / "cli" / "serve.py").read_text()
    for option in set(re.findall(r"`--([a-z-]+)", GUIDE)):
        assert f"    {option.replace('-', '_')}: Annotated" in source, option
    assert run(["serve", "--help"]) == 0
