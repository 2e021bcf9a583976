"""Labels saved by labelling the most informative pictures first: a curve against random order.

    python examples/active_curve.py val.tar OUT [BUDGETS]

Pictures of sources that `lite` never saw (SOURCES) are split into a pool and held-out ones. `lite` is
tuned on the first 4, 8, 16, ... of the pool, once in the order of `anymask.learn.most_informative` and once
in a random one, and measured on the held-out pictures.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
from shard_parts import part

import anymask
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.samples import Problems
from anymask.learn import look_at, most_informative

SOURCES = ("carrot_weed", "isbi2012_em", "cwfid", "mt_defect", "via_firetrucks", "m3_oud")
POOL, HELD_OUT, STEPS = 10, 5, 60  # pictures per source; training steps


def ordered(pool: Path) -> list[str]:
    """The pool's keys, the most informative picture first."""
    model = anymask.load("lite")
    samples = list(open_samples([pool]).samples(Problems("refuse")))
    looks = [look_at(model, sample.picture) for sample in samples]
    return [samples[i].key for i in most_informative(looks)]


def main(data: str, out: str, budgets: str = "4,8,16") -> None:
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    with tarfile.open(data) as tar:
        names = sorted({name.rpartition(".")[0] for name in tar.getnames()})
    of = {source: [name for name in names if name.startswith(f"{source}-")] for source in SOURCES}
    pool = [name for found in of.values() for name in found[:POOL]]
    rest = part(Path(data), place / "held-out.tar", [n for found in of.values() for n in found[-HELD_OUT:]])
    orders = {
        "active": ordered(part(Path(data), place / "pool.tar", pool)),
        "random": [str(name) for name in np.random.default_rng(0).permutation(pool)],
    }
    for budget in map(int, budgets.split(",")):
        for name, order in orders.items():
            folder = place / f"{name}-{budget}"
            shard = part(Path(data), place / f"{name}-{budget}.tar", order[:budget])
            command = [
                sys.executable, "-m", "anymask", "finetune", str(shard), "--val", str(rest),
                "-o", str(folder), "--steps", str(STEPS), "--seed", "1",
            ]  # fmt: skip
            subprocess.run(command, check=False)
            verdict = json.loads((folder / "result.json").read_text())["verdict"]
            line = {k: verdict[k] for k in ("before", "after", "difference", "interval_95")}
            print(json.dumps({"order": name, "pictures": budget, **line}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
