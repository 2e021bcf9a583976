"""Fixtures that several test folders share."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import settings

from tests.stubs import import_peer

# examples are slow on a busy machine; how long one takes proves nothing
settings.register_profile("anymask", deadline=None)
settings.load_profile("anymask")


@pytest.fixture(scope="session")
def segment_anything() -> ModuleType:
    """The published package of Segment Anything."""
    return import_peer("segment_anything")


@pytest.fixture(scope="session")
def mobile_sam() -> ModuleType:
    """The published package of MobileSAM."""
    return import_peer("mobile_sam")
