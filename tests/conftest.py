"""Fixtures that several test folders share."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.stubs import import_peer


@pytest.fixture(scope="session")
def segment_anything() -> ModuleType:
    """The published package of Segment Anything."""
    return import_peer("segment_anything")


@pytest.fixture(scope="session")
def mobile_sam() -> ModuleType:
    """The published package of MobileSAM."""
    return import_peer("mobile_sam")
