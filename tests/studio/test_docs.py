"""docs/studio-server.md does what it says: its curl lines run, in order, and its options exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

import anymask
from anymask.cli.studio import studio as command
from tests.studio.served import running

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "studio-server.md").read_text()


def test_the_curl_lines_run(tmp_path: Path) -> None:
    lines = re.findall(r"^```bash\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    script = "set -eu\n" + "\n".join(lines)
    assert script.count("curl") >= 6
    (tmp_path / "photos").mkdir()
    shutil.copy(ROOT / "examples" / "coffee.jpg", tmp_path / "photos")
    with running(tmp_path / "photos", models=[anymask.load(threads=1)]) as studio:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={**os.environ, "STUDIO": studio.address, "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "scan.json").read_text())["found"] == 1
    assert max(np.asarray(Image.open(tmp_path / "coffee.webp")).shape) == 256
    assert json.loads((tmp_path / "prediction.json").read_text())["candidates"]


def test_every_option_that_is_named_exists() -> None:
    named = set(re.findall(r"--[a-z][a-z-]+", GUIDE))
    known = {"--" + name.replace("_", "-") for name in command.__annotations__}
    assert len(named) >= 10
    assert named <= known, named - known


def test_every_link_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
