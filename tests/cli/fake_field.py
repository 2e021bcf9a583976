"""The `anymask` command with the model of the field of boxes: `python -m tests.cli.fake_field ...`.

A model named "slow" takes a while per window, so that a test can kill the command in the middle.
"""

from __future__ import annotations

import time
from typing import Any

import anymask.predict.load as loading
from anymask.cli.main import main
from anymask.core.images import Picture
from anymask.predict.model import Model
from tests.automatic.huge.field import SHA256, RegionRuntime


class SlowRuntime(RegionRuntime):
    def encode(self, picture: Picture) -> dict[str, Any]:
        time.sleep(0.3)
        return super().encode(picture)


def load(name: str = "lite", **_: Any) -> Model:
    return Model(SlowRuntime(64) if name == "slow" else RegionRuntime(64), sha256=SHA256)


if __name__ == "__main__":
    loading.load = load  # type: ignore[assignment]
    main()
