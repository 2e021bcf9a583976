"""Settings of the property tests in this folder."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No deadline: how long one example takes says more about the machine's load than about the code.
settings.register_profile(
    "core", deadline=None, max_examples=60, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("core")
