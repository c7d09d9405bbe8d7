"""Quarter hours of a host: nothing is lost at their edges, and what nobody watched is a gap."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.fleet.reports import PARKED, SERVING, hello, report
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.host_counters import HostCounters
from tokwatch.ledger.fleet.host_quarters import QUARTER_MS, HostQuarter, HostQuarters, quarter_of

WATTS = 500
TOKENS_A_SECOND = 7


class Host:
    """Two GPUs at 500 W and a flow of 7 tokens a second, as reports come."""

    def __init__(self) -> None:
        self.counters = HostCounters(hello())
        self.quarters = HostQuarters("h1")
        self.closed: list[HostQuarter] = []

    def at(self, at_s: float, *, state: int = SERVING) -> None:
        told = report(at_s, energy_j=WATTS * at_s, output=round(TOKENS_A_SECOND * at_s), state=state)
        self.counters.add(told)
        at_ms = round(1000 * at_s)
        if self.quarters.is_due(at_ms):
            self.closed += self.quarters.add(self.counters, told, at_ms)

    def all(self) -> list[HostQuarter]:
        rest = self.quarters.rest()
        return self.closed + ([rest] if rest is not None else [])


def energy_mj(quarters: list[HostQuarter]) -> int:
    return sum(gpu.energy_mj or 0 for quarter in quarters for gpu in quarter.gpus)


def output(quarters: list[HostQuarter]) -> int:
    return sum(flow.counts[2] or 0 for quarter in quarters for flow in quarter.flows)


def test_a_quarter_hour_is_over_with_the_first_report_beyond_its_edge() -> None:
    host = Host()
    for second in range(880, 902):
        host.at(second)
    (quarter,) = host.closed
    assert (quarter.quarter_ms, quarter.first_ms, quarter.last_ms) == (0, 880_000, QUARTER_MS)
    for gpu in quarter.gpus:
        assert (gpu.state_ms, gpu.energy_mj, gpu.measured_ms) == ({SERVING: 20_000}, 20_000 * WATTS, 20_000)
        assert (gpu.power_mw_ms / gpu.power_ms, gpu.power_max_mw, gpu.memory_ms) == (500_000, 500_000, 20_000)
        assert [server.model for server in gpu.servers] == ["qwen"]
    assert (output([quarter]), quarter.flows[0].covered_ms) == (140, 20_000)


def test_what_passes_an_edge_is_split_by_time() -> None:
    host = Host()
    host.at(899.5)
    host.at(900.5)
    (first,), rest = host.closed, host.all()[1]
    assert (energy_mj([first]), energy_mj([rest])) == (WATTS * 1000, WATTS * 1000)


def test_a_gap_is_counted_and_its_states_are_not_known() -> None:
    host = Host()
    host.at(100)
    host.at(160)
    host.at(165)
    (gpu, _) = host.all()[0].gpus
    assert (gpu.gap_ms, gpu.state_ms, gpu.energy_mj) == (60_000, {SERVING: 5000}, 65_000 * WATTS)


def test_a_gap_over_several_quarter_hours_has_a_part_in_each() -> None:
    host = Host()
    host.at(800)
    host.at(3000)
    assert [quarter.quarter_ms for quarter in host.all()] == [0, QUARTER_MS, 2 * QUARTER_MS, 3 * QUARTER_MS]
    assert energy_mj(host.all()) == 2 * 2_200_000 * WATTS


def test_energy_drawn_while_idle_stands_apart() -> None:
    host = Host()
    host.at(100)
    for second in range(101, 120):
        host.at(second, state=PARKED)
    (gpu, _) = host.all()[0].gpus
    assert gpu.idle_energy_mj == gpu.energy_mj


def test_the_quarter_hour_that_goes_on_is_told_once_a_minute_without_being_closed() -> None:
    host = Host()
    told = 0
    for second in range(600):
        host.at(second)
        told += host.quarters.checkpoint() is not None
    assert 9 <= told <= 11
    assert host.closed == []


def test_what_was_told_of_it_does_not_change_any_more() -> None:
    host = Host()
    host.at(100)
    host.at(110)
    before = host.quarters.rest()
    assert before is not None
    energy = before.gpus[0].energy_mj
    host.at(120)
    assert before.gpus[0].energy_mj == energy
    assert before.gpus[0].state_ms == {SERVING: 10_000}


def test_a_clock_that_is_set_back_adds_nothing_twice() -> None:
    host = Host()
    host.at(100)
    host.at(110)
    told = report(111, energy_j=WATTS * 111, output=0)
    host.counters.add(told)
    assert host.quarters.add(host.counters, told, 50_000) == []
    host.at(120)
    assert energy_mj(host.all()) == 2 * 20_000 * WATTS


def test_an_edge_ends_the_earlier_quarter_hour() -> None:
    assert (quarter_of(QUARTER_MS), quarter_of(QUARTER_MS + 1)) == (0, QUARTER_MS)


@settings(max_examples=60)
@given(st.lists(st.integers(1, 40_000), min_size=2, max_size=60), st.integers(1, 3 * QUARTER_MS))
def test_whatever_the_pauses_the_parts_add_up_to_the_whole(steps_ms: list[int], start_ms: int) -> None:
    host = Host()
    at_ms = start_ms
    host.at(at_ms / 1000)
    for step_ms in steps_ms:
        at_ms += step_ms
        host.at(at_ms / 1000)
    quarters = host.all()
    looked_ms = max((quarter.last_ms for quarter in quarters), default=start_ms)
    watched_ms = looked_ms - start_ms
    assert energy_mj(quarters) == 2 * WATTS * watched_ms
    for gpu in (0, 1):
        parts = [part for quarter in quarters for part in quarter.gpus if part.about.index == gpu]
        assert sum(sum(part.state_ms.values()) + part.gap_ms for part in parts) == watched_ms


def test_a_state_that_this_version_does_not_know_is_unknown() -> None:
    host = Host()
    for second in range(10):
        host.at(second, state=1000)
    (rest,) = host.all()
    assert all(set(gpu.state_ms) == {State.UNKNOWN.value} for gpu in rest.gpus)
