"""The API's description for the front end's client.

python -m anymask.studio.openapi > studio/openapi.json
"""

from __future__ import annotations

import json
import sys

from anymask.studio.app import studio_api


def document() -> str:
    """The OpenAPI document as text; the same for the same routes."""
    description = studio_api().openapi()
    # A release changes no route; the committed document would be out of date after each.
    description["info"]["version"] = "1"
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
