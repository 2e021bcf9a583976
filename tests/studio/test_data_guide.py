"""docs/studio-data.md does what it says: its curl lines run, in order."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import anymask
from anymask.formats import FORMATS
from tests.server.running import wait_until
from tests.studio.running import RunningStudio
from tests.studio.served import running

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "studio-data.md").read_text()


def test_the_curl_lines_run(tmp_path: Path) -> None:
    lines = re.findall(r"^```bash\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    script = "set -eu\n" + "\n".join(lines)
    assert script.count("curl") >= 9
    (tmp_path / "photos").mkdir()
    shutil.copy(ROOT / "examples" / "coffee.jpg", tmp_path / "photos")
    with running(tmp_path / "photos", models=[anymask.load(threads=1)]) as started:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={**os.environ, "STUDIO": started.address, "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        studio = RunningStudio(started.client, started.services)
        wait_until(lambda: studio.get(f"/projects/{studio.project}/assist")["job"]["state"] == "done", 300)
        assert studio.get(f"/projects/{studio.project}/assist")["confident"] > 0

    def answer(name: str) -> Any:
        return json.loads((tmp_path / name).read_text())

    assert [one["name"] for one in answer("formats.json")["formats"]] == list(FORMATS)
    assert [one["file_name"] for one in answer("masks.coco.json")["images"]] == ["coffee.jpg"]
    assert answer("imported.json")["unmatched"] == []
    assert answer("checked.json")["is_whole"] is True
    assert "seconds_per_mask" in answer("statistics.json")
    assert answer("job.json")["state"] in ("waiting", "running", "done")


def test_every_link_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
