"""The box of each scenario, and what a scenario promises to reach: `@pytest.mark.reaches("parked", "firing")`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.nvml_stub.stub import pynvml_as_found
from tests.scenarios.box import ScriptedBox

__all__ = ["pynvml_as_found"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "reaches(*names): states of a GPU and statuses of alerts that the scenario is known to come to"
    )


@pytest.fixture
async def box(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[ScriptedBox]:
    scripted = ScriptedBox(tmp_path)
    yield scripted
    promised = {name for mark in request.node.iter_markers("reaches") for name in mark.args}
    missed = promised - scripted.reached()
    await scripted.close()
    assert not missed, f"the scenario does not come to {', '.join(sorted(missed))}"
