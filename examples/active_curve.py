"""Labels saved by labelling the most informative pictures first: a curve against random orders.

    python examples/active_curve.py val.tar OUT [POOL] [BUDGETS]

Pictures of sources that `lite` never saw are split into a pool and held-out ones. `lite` is tuned on the
first pictures of the pool, as many as a budget says (4,8,16), once in the order of
`anymask.learn.most_informative` and RANDOM times in a random one, and measured on the held-out pictures.
POOL: "even" has as many of each source; "uneven" has many fields of crops and a few of three other kinds, as
pools are where one camera took most pictures. Runs that are done are not made again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from shard_parts import keys_of, part

import anymask
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.samples import Problems
from anymask.learn import look_at, most_informative

POOLS = {
    "even": dict.fromkeys(
        ("carrot_weed", "isbi2012_em", "cwfid", "mt_defect", "via_firetrucks", "m3_oud"), 10
    ),
    "uneven": {"carrot_weed": 26, "isbi2012_em": 4, "nasa_superalloy": 4, "drosophila_vnc_em": 4},
}
MODEL = "lite@0.2.0"  # whose figures docs/learn.md shows
HELD_OUT, STEPS, RANDOM = 5, 60, 3  # pictures per source; training steps; random orders


def ordered(pool: Path) -> list[str]:
    """The pool's keys, the most informative picture first."""
    model = anymask.load(MODEL)
    samples = list(open_samples([pool]).samples(Problems("refuse")))
    looks = [look_at(model, sample.picture) for sample in samples]
    return [samples[i].key for i in most_informative(looks)]


def tuned(folder: Path, shard: Path, held_out: Path) -> dict[str, Any]:
    """What tuning `lite` on a shard does to the held-out pictures."""
    if not (folder / "result.json").exists():
        command = [
            sys.executable, "-m", "anymask", "finetune", str(shard), "--val", str(held_out),
            "-o", str(folder), "--steps", str(STEPS), "--seed", "1", "--model", MODEL,
        ]  # fmt: skip
        subprocess.run(command, check=False)
    verdict = json.loads((folder / "result.json").read_text())["verdict"]
    return {k: verdict[k] for k in ("before", "after", "difference", "interval_95")}


def main(data: str, out: str, pool_name: str = "even", budgets: str = "4,8,16") -> None:
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    names = keys_of(Path(data))
    wanted = POOLS[pool_name]
    of = {source: [name for name in names if name.startswith(f"{source}-")] for source in wanted}
    pool = [name for source, count in wanted.items() for name in of[source][:count]]
    rest = part(Path(data), place / "held-out.tar", [n for found in of.values() for n in found[-HELD_OUT:]])
    orders = {"active": ordered(part(Path(data), place / "pool.tar", pool))}
    for seed in range(RANDOM):
        orders[f"random{seed}"] = [str(name) for name in np.random.default_rng(seed).permutation(pool)]
    for budget in map(int, budgets.split(",")):
        for name, order in orders.items():
            folder = place / f"{name}-{budget}"
            shard = part(Path(data), place / f"{name}-{budget}.tar", order[:budget])
            kinds = Counter(key.rpartition("-")[0] for key in order[:budget])
            line = {"order": name, "pictures": budget, **tuned(folder, shard, rest), "of": kinds}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
