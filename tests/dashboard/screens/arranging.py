"""Reading the list of Fleet, and typing into its filter."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input

from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_list import GpuRows
from tokwatch.ledger.snapshot import GpuRow

KEYS = {" ": "space", ">": "greater_than_sign", ":": "colon", "-": "minus", "$": "dollar_sign"}


def fleet_of(app: TokwatchApp) -> FleetScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, FleetScreen)
    return screen


def rows_of(app: TokwatchApp, kind: type[Canvas] = GpuRows) -> list[str]:
    return [line.text().rstrip() for line in fleet_of(app).query_one(kind).drawn()]


def numbers(app: TokwatchApp) -> list[int]:
    return [item.index for item in fleet_of(app).gpus.items() if isinstance(item, GpuRow)]


def under_cursor(app: TokwatchApp) -> object:
    item = fleet_of(app).gpus.item()
    return item.index if isinstance(item, GpuRow) else item.name if item else None


async def typed(pilot: Pilot[str], text: str) -> None:
    """Key by key, as a user types: every beginning of the text is a filter of its own."""
    await pilot.press(*(KEYS.get(letter, letter) for letter in text))
    await pilot.pause()


async def entered(pilot: Pilot[str], text: str) -> None:
    pilot.app.screen.query_one(Input).value = text
    await pilot.pause()
