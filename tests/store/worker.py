"""A process that claims and finishes tasks until there are none; prints the image of each.

python -m tests.store.worker URL PROJECT_ID USER_ID
"""

from __future__ import annotations

import sys

from anymask.store import Store


def main(url: str, project_id: str, user_id: str) -> None:
    with Store.open(url) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        while (task := store.tasks.claim(project_id, user_id)) is not None:
            assert task.lease_token is not None
            print(task.image_id, flush=True)
            store.tasks.finish(task.id, task.lease_token, seconds=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
