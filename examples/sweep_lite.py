"""Short training runs that differ in one thing, each measured on the same pictures: which setting pays?

    python examples/sweep_lite.py PLAN.json RUNS --init model.pt --train train-*.tar --val val.tar

PLAN.json (sweep_tune.json, sweep_scratch.json) holds
`{"size": input size to measure at, "common": {setting: value}, "arms": {name: {setting: value}}}`, settings
of `anymask.train`. `"taught": true` in an arm makes --init its teacher instead of its start;
`"scratch": true` on top lets all arms start from ImageNet's weights. Arms that are done are skipped, a killed
one goes on.
`python examples/training_page.py` makes a page of the results.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

EVERY = 10  # measured on every tenth picture


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plan", type=Path)
    parser.add_argument("runs", type=Path, help="folder that receives one run per arm")
    parser.add_argument(
        "--init", help="model.pt that the arms start from (or learn from, where they are taught)"
    )
    parser.add_argument("--train", nargs="+", required=True)
    parser.add_argument("--val", required=True)
    parser.add_argument("--cache", default="cache")
    options = parser.parse_args()
    plan = json.loads(options.plan.read_text(encoding="utf-8"))
    for name, arm in plan["arms"].items():
        run = options.runs / name
        if (run / "report.json").exists():
            print(f"{name}: done before")
            continue
        run.mkdir(parents=True, exist_ok=True)
        train(run, {**plan["common"], **arm}, options, scratch=plan.get("scratch", False))
        measure(run, plan["size"], options.val)


def train(run: Path, settings: dict[str, Any], options: argparse.Namespace, *, scratch: bool) -> None:
    """One arm, from its last checkpoint where it has one."""
    taught = settings.pop("taught", False)
    command = ["-m", "anymask.train", str(run), "--train", *options.train, "--cache", options.cache]
    if options.init and taught:
        command += ["--teacher", options.init]
    elif options.init and not scratch:
        command += ["--init", options.init]
    values = [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in settings.items()
    ]
    run_python(*command, "--set", *values, log=run / "train.log")


def measure(run: Path, size: int, val: str) -> None:
    """Clicks and boxes on every tenth picture, the whole of each new mask taken (free corrections)."""
    folder = run / "folder"
    run_python(
        "-m", "anymask.release.trained", str(run / "model.pt"), str(folder), "--version", "0",
        "--input-size", str(size), log=run / "measure.log",
    )  # fmt: skip
    run_python(
        "-m", "anymask", "evaluate", "interactive", val, "--model", str(folder), "--every", str(EVERY),
        "--most-clicks", "5", "--corrections", "free", "-o", str(run / "report.json"),
        log=run / "measure.log",
    )  # fmt: skip


def run_python(*command: str, log: Path) -> None:
    print(run_name := log.parent.name, *command[:2], flush=True)
    with log.open("a") as out:
        code = subprocess.run(
            [sys.executable, *command], stdout=out, stderr=out, env=os.environ, check=False
        ).returncode
    if code:
        sys.exit(f"{run_name} stopped with {code}; the last lines of {log} say why")


if __name__ == "__main__":
    main()
