"""Does synthetic data help where real data is scarce? Two fine-tunings that differ in nothing else.

    python examples/synthesize_helps.py val.tar OUT [KEYS] [REAL] [SYNTHETIC]

REAL pictures whose names match KEYS train `lite`, once alone and once with SYNTHETIC pictures composed from
their own objects on their own backgrounds; all other pictures that match are held out. The two models are
compared on these, mask by mask.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from shard_parts import keys_of, part

STEPS = 120
MODEL = "lite@0.2.0"  # whose figures docs/synthesize.md shows


def anymask(*arguments: object, codes: tuple[int, ...] = (0,)) -> None:
    """Run the command; finetune ends with 1 where it proves nothing, which is a result here."""
    command = [sys.executable, "-m", "anymask", *map(str, arguments)]
    code = subprocess.run(command, check=False).returncode
    if code not in codes:
        sys.exit(f"{' '.join(command)} ended with {code}")


def main(data: str, out: str, start: str = "mt_defect-", real: str = "8", synthetic: str = "80") -> None:
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    names = [name for name in keys_of(Path(data)) if name.startswith(start)]
    step = max(1, len(names) // int(real))
    chosen = names[::step][: int(real)]
    few = part(Path(data), place / "few.tar", chosen)
    rest = part(Path(data), place / "held-out.tar", [name for name in names if name not in chosen])
    made = place / "synthetic"
    anymask("synthesize", few, "-n", synthetic, "-o", made, "--cut-off", "--set", "blend=poisson")
    for name, sources in (("alone", [few]), ("with", [few, made])):
        course = ("--model", MODEL, "--steps", STEPS, "--seed", 1)
        anymask("finetune", *sources, "--val", rest, "-o", place / name, *course, codes=(0, 1))
    anymask(
        "evaluate", "compare", place / "alone/after.json", place / "with/after.json", "--html",
        place / "compare.html",
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
