"""No state and no status of an alert is without a scenario that comes to it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import get_args

import tests.scenarios
from tokwatch.ledger.alerts.body import Status
from tokwatch.ledger.entries import State
from tokwatch.ledger.gpu_rows import state_name


def promises() -> Iterator[str]:
    """What the marks of all scenarios name, whichever of them run now. Each that runs is held to its own."""
    for module in pkgutil.iter_modules(tests.scenarios.__path__, "tests.scenarios."):
        for test in vars(importlib.import_module(module.name)).values():
            for mark in getattr(test, "pytestmark", ()):
                if mark.name == "reaches":
                    yield from mark.args


def test_every_state_and_every_status_of_an_alert_has_a_scenario() -> None:
    assert set(promises()) == {*map(state_name, State), *get_args(Status)}
