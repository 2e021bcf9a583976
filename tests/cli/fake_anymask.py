"""The `anymask` command with a fake model in place of the loaded one: `python -m tests.cli.fake_anymask ...`.

A model named "slow" takes half a second per picture, so that a test can interrupt it in the middle.
"""

from __future__ import annotations

import time
from typing import Any

import anymask.predict.load as loading
from anymask.cli.main import main
from anymask.core.images import Picture
from anymask.predict.model import Model
from tests.fake_runtime import SHA256, FakeRuntime


class SlowRuntime(FakeRuntime):
    def encode(self, picture: Picture) -> dict[str, Any]:
        time.sleep(0.5)
        return super().encode(picture)


def load(name: str = "lite", **_: Any) -> Model:
    return Model(SlowRuntime() if name == "slow" else FakeRuntime(), sha256=SHA256)


if __name__ == "__main__":
    loading.load = load  # type: ignore[assignment]
    main()
