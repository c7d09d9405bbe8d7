"""The rows of the engine table hold together."""

from __future__ import annotations

import pytest

from collectors.discovery.command_line import mentions_engine, recognise
from collectors.discovery.engines import ENGINES, Engine


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_every_launch_pattern_leads_to_its_own_row(engine: Engine) -> None:
    for pattern in engine.launched_by:
        argv = [*(["python3"] if pattern.startswith("-m ") else []), *pattern.split()]
        launch = recognise(argv)
        assert mentions_engine(argv)
        assert launch is not None
        assert launch.engine is engine


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_flags_are_written_with_dashes_because_underscores_are_read_as_dashes(engine: Engine) -> None:
    switches = () if engine.metrics_switch is None else (engine.metrics_switch,)
    for flag in (*engine.flags_with_value, *engine.tls, *switches):
        assert flag.startswith("-")
        assert "_" not in flag


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_an_engine_that_may_have_no_page_says_how_to_get_one(engine: Engine) -> None:
    may_lack_it = engine.metrics_switch is not None or engine.metrics_on_own_port or engine.metrics_path is None
    assert bool(engine.no_metrics_hint) == may_lack_it
