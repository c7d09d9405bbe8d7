"""The box of each scenario."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.nvml_stub.stub import pynvml_as_found
from tests.scenarios.box import ScriptedBox

__all__ = ["pynvml_as_found"]


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[ScriptedBox]:
    scripted = ScriptedBox(tmp_path)
    yield scripted
    await scripted.close()
