"""The screens as pictures: a change of any of them has to be looked at and accepted with --snapshot-update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.dashboard import snapshots
from tests.dashboard.conftest import MakeApp
from tests.ledger.earning import LIST, shown
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import Snapshot

Compare = Callable[..., bool]
SMALL, USUAL, LARGE = (80, 24), (120, 40), (200, 60)


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids=["80x24", "120x40", "200x60"])
def test_fleet(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    assert snap_compare(make_app(), terminal_size=size)


def test_fleet_in_the_light_theme(snap_compare: Compare, make_app: MakeApp) -> None:
    assert snap_compare(make_app(), press=["t"], terminal_size=USUAL)


def test_fleet_in_ascii(snap_compare: Compare, make_app: MakeApp) -> None:
    assert snap_compare(make_app(ascii_only=True), terminal_size=SMALL)


# A rented box with a list of token prices: one GPU earns, one stands idle.
PROFITABLE = shown(
    Prices(
        usd_per_gpu_hour=2.0,
        electricity=Flat(0.12),
        facility=Facility(pue=1.25, carbon=Carbon(348.0, "a grid", 2023)),
        tokens=LIST,
    ),
    free=1,
)

CASES: dict[str, tuple[Snapshot, dict[str, Any]]] = {
    "warming_up": (snapshots.warming_up(), {}),
    "no_price": (snapshots.no_price(), {}),
    "all_at_work": (snapshots.all_at_work(), {}),
    "one_gpu": (snapshots.one_gpu(), {}),
    "64_gpus": (snapshots.many_gpus(), {"press": ["pagedown", "pagedown", "pagedown"]}),
    "every_state": (snapshots.every_state(), {}),
    "replaying": (replace(snapshots.replaying(), tick_ms=snapshots.at("13:03:22")), {}),
    "simulated": (replace(snapshots.BOX, kind="simulated"), {"terminal_size": SMALL}),
    "nothing_found": (snapshots.nothing_found(), {"terminal_size": SMALL}),
    "sources": (snapshots.down_server(), {"press": ["6"]}),
    "shared_and_ailing": (snapshots.shared_and_ailing(), {}),
    "shared_and_ailing_80x24": (snapshots.shared_and_ailing(), {"terminal_size": SMALL}),
    "processors": (snapshots.processors(), {"terminal_size": SMALL}),
    "sources_of_all_kinds": (snapshots.shared_and_ailing(), {"press": ["6"], "terminal_size": (80, 80)}),
    "money": (PROFITABLE, {"press": ["4"]}),
    "money_80x24": (PROFITABLE, {"press": ["4"], "terminal_size": SMALL}),
    "money_without_a_price": (shown(None), {"press": ["4"], "terminal_size": SMALL}),
    "help": (snapshots.BOX, {"press": ["question_mark"], "terminal_size": (80, 84)}),
}


PAST = replace(snapshots.replaying("paused"), tick_ms=snapshots.at("13:03:22"), wall_ms=snapshots.at("13:03:22"))


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x40"])
def test_a_moment_of_the_past_with_its_marks(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app(PAST, marks=snapshots.MARKS)
    app.marked_ms = snapshots.at("12:30")
    assert snap_compare(app, terminal_size=size)


def test_a_moment_of_the_past_in_ascii_at_other_prices(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(PAST, marks=snapshots.MARKS, ascii_only=True, what_if=3.5)
    assert snap_compare(app, terminal_size=SMALL)


def test_the_kinds_of_marks_to_jump_to(snap_compare: Compare, make_app: MakeApp) -> None:
    assert snap_compare(make_app(PAST, marks=snapshots.MARKS), press=["m"], terminal_size=SMALL)


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x40"])
def test_two_moments_side_by_side(snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app(PAST)
    earlier = snapshots.at("12:30")

    async def compare(pilot: Any) -> None:
        await pilot.pause()
        app.marked_ms = earlier
        await pilot.press("c")
        await pilot.pause()

    assert snap_compare(app, run_before=compare, terminal_size=size)


@pytest.mark.parametrize("case", CASES)
def test_case(snap_compare: Compare, make_app: MakeApp, case: str) -> None:
    snapshot, options = CASES[case]
    assert snap_compare(make_app(snapshot), **{"terminal_size": USUAL, **options})
