from __future__ import annotations

from pathlib import Path

import pytest

from anymask.train.shards import ShardCache, build_cache
from tests.train.toys import toy_shard


@pytest.fixture
def cache(tmp_path: Path) -> ShardCache:
    """Six drawn pictures with two masks each."""
    return ShardCache(build_cache([toy_shard(tmp_path / "toys.tar")], tmp_path / "cache"))
