"""Settings of the whole suite."""

import os

import pytest
from hypothesis import HealthCheck, settings

# Time limits would make the outcome depend on what else the machine does: they are never a test here.
settings.register_profile("tokwatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tokwatch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests wait for real servers to find out that something died; they have a command of their own."""
    if os.environ.get("TOKWATCH_SLOW"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: TOKWATCH_SLOW=1 pytest -m slow"))
