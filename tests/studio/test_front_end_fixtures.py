"""What the front end's tests compare with is what pycocotools and anymask give now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FIXTURES = Path(__file__).parents[2] / "studio" / "tests" / "core" / "fixtures"


def test_masks_are_as_they_are_made() -> None:
    made = subprocess.run(
        [sys.executable, FIXTURES / "make_masks.py"], capture_output=True, text=True, check=True
    )
    assert made.stdout == (FIXTURES / "masks.json").read_text(encoding="utf-8")
