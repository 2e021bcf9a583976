"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from tests.stubs import import_peer

# No deadline: how long an example takes says more about the machine's load than about the code. CI draws the
# same examples every time, so that it judges the change and not the draw; everywhere else they are new ones.
settings.register_profile(
    "anymask",
    deadline=None,
    max_examples=60,
    database=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("anymask")


@pytest.fixture(scope="session")
def segment_anything() -> ModuleType:
    """The published package of Segment Anything."""
    return import_peer("segment_anything")


@pytest.fixture(scope="session")
def mobile_sam() -> ModuleType:
    """The published package of MobileSAM."""
    return import_peer("mobile_sam")
