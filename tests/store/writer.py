"""A process that saves masks until it is killed; prints the ids that were acknowledged, a line each time.

python -m tests.store.writer URL IMAGE_ID
"""

from __future__ import annotations

import sys

from anymask.store import Store
from tests.store.building import correction, new_mask


def main(url: str, image_id: str) -> None:
    with Store.open(url) as store:
        while True:
            begun = [new_mask(image_id) for _ in range(3)]
            store.masks.save_many(begun)
            print(*(mask.id for mask in begun), flush=True)
            corrected = correction(begun[0])
            store.masks.save(corrected)
            print(corrected.id, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
