"""Pulls `tiny` in a process of its own: HOME BOX URL BYTES SHA256 [HANDICAP]; prints what happens.

HANDICAP: "hang" begins the model folder and never finishes it; "small files" cannot write beyond 3 MB.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from anymask.models import importer
from anymask.models.cache import ModelCache
from anymask.models.pull import pull
from anymask.models.spec import Download
from tests.models.samples import registry_with


def begin_and_hang(architecture: str, tensors: Mapping[str, np.ndarray], folder: Path) -> None:
    (folder / "weights.safetensors").write_bytes(b"half")
    print("converting", flush=True)
    time.sleep(600)


def main() -> None:
    home, box, url, size, sha256 = sys.argv[1:6]
    if sys.argv[6:] == ["hang"]:
        importer.fill_model_folder = begin_and_hang
    if sys.argv[6:] == ["small files"]:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
    registry = registry_with(ModelCache(Path(home)), Path(box), tiny=Download(url, int(size), sha256))
    folder = pull("tiny", registry=registry, on_wait=lambda: print("waiting", flush=True))
    folder.verify()
    print(f"ready {'torch' in sys.modules}", flush=True)


if __name__ == "__main__":
    main()
