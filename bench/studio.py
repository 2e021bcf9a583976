"""How fast a studio answers: one annotator, then fifty at a prompt a second each.

`python -m bench.studio` starts `anymask studio` on a copy of the examples, simulates people against it and
prints one JSON object: milliseconds of prompts and saves as they see them, the load of others meanwhile, and
whether everything that was acknowledged is in the store when the server has gone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from anymask.evaluate.timing import foreign_load
from anymask.store import Store
from bench.annotators import Noted, Page, simulate

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
_ADDRESS = re.compile(r"at http://([\d.]+):(\d+)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.studio", description=__doc__)
    parser.add_argument("--annotators", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="anymask-bench-") as folder:
        for picture in EXAMPLES.glob("*.jpg"):
            shutil.copy(picture, folder)
        with started(Path(folder)) as (address, process):
            images = embedded(address)
            load = foreign_load(2.0)
            before = cpu_seconds(process)
            alone = simulate(address, images, 1, 60, 0.2)
            spent = cpu_seconds(process) - before
            many = simulate(address, images, options.annotators, options.seconds, 1.0)
        found = {
            "load_of_others": round(load, 2),
            "server_cpu_ms_per_prompt": round(1000 * spent / len(alone.prompts), 1),
            "alone": figures(alone),
            "together": {"annotators": options.annotators, **figures(many)},
            "lost": lost(Path(folder), alone, many),
        }
    print(json.dumps(found, indent=2))


@contextmanager
def started(folder: Path) -> Iterator[tuple[tuple[str, int], int]]:
    """The command in a process of its own; gives host and port, and the process's id."""
    command = [sys.executable, "-m", "anymask", "studio", str(folder), "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            for line in server.stderr:
                if found := _ADDRESS.search(line):
                    yield (found[1], int(found[2])), server.pid
                    return
            raise RuntimeError("the studio did not start")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


def cpu_seconds(process: int) -> float:
    """What a process has computed so far, whatever else the machine did; saving the masks is part of it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def embedded(address: tuple[str, int]) -> list[dict[str, Any]]:
    """The pictures, once the studio has found them all and looked at each."""
    page = Page(address)
    project = page.ask("GET", "/projects")["items"][0]["id"]
    images: list[dict[str, Any]] = []
    while len(images) < len(list(EXAMPLES.glob("*.jpg"))):
        time.sleep(0.2)
        images = page.ask("GET", f"/projects/{project}/images")["items"]
    for image in images:
        page.ask("POST", f"/images/{image['id']}/embedding")
    page.close()
    return images


def figures(noted: Noted) -> dict[str, Any]:
    """Quantiles in milliseconds."""
    return {
        name: {f"p{share}": round(float(np.percentile(ms, share)), 1) for share in (50, 95, 99)}
        for name, ms in (("prompt_ms", noted.prompt_ms), ("save_ms", noted.save_ms))
    } | {"prompts": len(noted.prompts), "masks": len(noted.masks), "refusals": noted.refusals}


def lost(folder: Path, *noted: Noted) -> dict[str, int]:
    """How many acknowledged prompts and masks the store does not hold as they were acknowledged."""
    prompts = {number for one in noted for number in one.prompts}
    masks = {id: counts for one in noted for id, counts in one.masks.items()}
    with Store.open(folder) as store:
        images = [image for project in store.projects.list() for image in store.images.all(project.id)]
        recorded = {prompt.id for image in images for prompt in store.prompts.list(image.id)}
        saved = {mask.id: mask.counts for image in images for mask in store.masks.heads(image.id)}
    wrong = [id for id, counts in masks.items() if saved.get(id) != counts]
    return {"prompts": len(prompts - recorded), "masks": len(wrong)}


if __name__ == "__main__":
    main()
