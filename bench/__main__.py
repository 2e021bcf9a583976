"""`python -m bench [PART ...]`: measure, print tables, write JSON."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from anymask.core.errors import AnymaskError
from anymask.evaluate.timing import foreign_load
from bench.parts import PARTS, Setup
from bench.report import Part, table, write_json
from bench.subjects import RandomSubjects


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the parts that are named, or all. Returns 1 if one could not be measured."""
    options = _parse(arguments)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    load = foreign_load(2.0)
    print(f"load of others at the beginning: {load:.2f} cores", flush=True)
    measured: list[Part] = []
    with tempfile.TemporaryDirectory(prefix="anymask-bench-") as folder:
        os.environ["ANYMASK_HOME"] = folder  # also for the processes it starts: nothing is left behind
        setup = Setup(RandomSubjects(Path(folder)), options.rounds)
        for name in options.part or PARTS:
            part = _measure(name, setup)
            if part is not None:
                print(f"\n{table(part)}", flush=True)
                measured.append(part)
    print(f"\nwritten: {write_json(options.json, measured, load)}")
    return int(len(measured) < len(options.part or PARTS))


def _measure(name: str, setup: Setup) -> Part | None:
    try:
        return PARTS[name](name, setup)
    except (AnymaskError, ImportError, RuntimeError) as error:
        print(f"\n{name}: not measured: {error}", file=sys.stderr, flush=True)
        return None


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; default: all")
    parser.add_argument("--rounds", type=int, default=7, help="samples per contender (default: 7)")
    parser.add_argument("--json", type=Path, default=Path("out/bench.json"), help="where the figures go")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.part if name not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; give at least 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
