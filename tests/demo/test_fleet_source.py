"""The simulated fleet shows everything that a fleet's screens can show, and its past is what was seen live."""

from __future__ import annotations

import pytest

from tests.feeds.quiet_box import NOON_MS, AdvancedClock
from tokwatch.demo.fleet_prices import demo_book
from tokwatch.demo.fleet_source import PAST_MS, SimulatedFleet
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.snapshot import FleetSnapshot
from tokwatch.ledger.fleet.tally import HostKey


def simulated(hosts: int = 60) -> SimulatedFleet:
    return SimulatedFleet(hosts, AdvancedClock(NOON_MS))


async def snapshot(hosts: int = 60) -> FleetSnapshot:
    return fleet_snapshot(await simulated(hosts).now(), demo_book(hosts))


async def test_it_is_marked_as_simulated() -> None:
    assert (await snapshot()).simulated


async def test_every_trouble_of_a_fleet_is_in_it() -> None:
    found = await snapshot()
    assert found.total.hosts_down == 1
    assert {State.SERVING, State.PARKED, State.UNALLOCATED, State.SATURATED, State.MISROUTED, State.OTHER_WORK} <= {
        row.state for row in found.hosts
    }
    assert any(row.stale and row.up for row in found.hosts)
    assert any(abs(row.clock_skew_s or 0) > 1 for row in found.hosts)
    assert any(len(row.states) > 1 for row in found.hosts)
    assert any(len(row.models) > 1 for row in found.hosts)
    assert any(row.misrouted for row in found.models)
    assert any(row.tok_s.value == 0 for row in found.models)  # a deployment that nobody asks


@pytest.mark.parametrize("hosts", [30, 60, 300])
async def test_a_site_is_near_its_cap_at_noon(hosts: int) -> None:
    sites = {row.name: row.power_of_cap.value for row in (await snapshot(hosts)).sites}
    assert 0.85 < (sites["oslo"] or 0) < 1.0
    assert (sites["dublin"] or 0) < 0.85


async def test_the_past_is_what_was_seen_live() -> None:
    fleet, later = simulated(), AdvancedClock(NOON_MS)
    then = await fleet.now()
    later.advance(3600)
    assert await SimulatedFleet(60, later).at(NOON_MS) == then


async def test_it_goes_back_six_hours_and_no_further() -> None:
    fleet = simulated()
    assert await fleet.span_ms() == (NOON_MS - PAST_MS, NOON_MS)
    assert (await fleet.at(0)).at_ms == NOON_MS - PAST_MS


async def test_there_is_a_door_to_look_through() -> None:
    door = simulated().door(HostKey("osl-000"), None)
    assert door is not None
    assert door.argv[1:] == ("-m", "tokwatch", "demo")
