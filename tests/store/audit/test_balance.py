"""Counters as they stood and increments: which stretches must fit, and which need not."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from tests.store.records import NOON_MS, flow, gpu, tick
from tokwatch.ledger.entries import Absolute, Flag, FlowEntry, GpuEntry, TickRecord
from tokwatch.store.audit.balance import Balance, Kept
from tokwatch.store.audit.finding import Faults

GPU, FLOW = 1, 11


def stood(at: int, entity: int, incarnation: str = "1", *, flags: int = 0, boot: str = "b", **counters: int) -> Kept:
    return Kept(NOON_MS + at, flags, Absolute(entity, incarnation, 0, boot, counters))


def drew(energy_mj: int | None, flags: int = 0) -> GpuEntry:
    return replace(gpu(NOON_MS, entity=GPU), energy_mj=energy_mj, flags=flags)


def made(output_tokens: int | None, flags: int = 0, prompt_tokens: int | None = None) -> FlowEntry:
    counts = dict.fromkeys(("prompt_tokens", "cached_tokens", "output_tokens", "finished", "failed", "aborted"))
    told = {**counts, "preempted": None, "prompt_tokens": prompt_tokens, "output_tokens": output_tokens}
    return replace(flow(NOON_MS, entity=FLOW), **told, flags=flags)


def told(kept: Iterable[Kept], *entries: GpuEntry | FlowEntry | None, imported: bool = False, lost_at: int = -1) -> str:
    """What the audit says; entry n is of tick n, and one a tick."""
    balance = Balance(
        sorted(kept, key=lambda each: each.tick_ms),
        Faults("counters.balance"),
        frozenset({1} if imported else ()),
        lambda entity: f"entity {entity}",
    )
    for at, entry in enumerate(entries):
        gpus = (entry,) if isinstance(entry, GpuEntry) else ()
        flows = (entry,) if isinstance(entry, FlowEntry) else ()
        balance.take(TickRecord(tick(NOON_MS + at), gpus=gpus, flows=flows), missing=at == lost_at)
    return " | ".join(f"{finding.verdict}: {finding.found}" for finding in balance.findings())


ONE = "pass: what was added fits in 1 interval between counters as they stood"


def test_what_stood_and_what_was_added_is_what_stands_next() -> None:
    ends = (stood(0, GPU, energy_mj=100), stood(2, GPU, energy_mj=175))
    assert told(ends, drew(50), drew(60), drew(15)) == ONE
    assert told(ends, drew(50), drew(60), drew(16)) == (
        "fail: entity 1, energy_mj: 100 at 2026-11-21T12:00:00.000Z and 76 added since make 176, but 175 stood at "
        "2026-11-21T12:00:00.002Z"
    )


def test_a_gap_a_held_reading_and_an_estimate_must_fit_too() -> None:
    ends = (stood(0, GPU, energy_mj=100), stood(3, GPU, energy_mj=175, flags=Flag.GAP | Flag.SUSPECT))
    assert told(ends, drew(1), drew(None, Flag.SUSPECT), drew(70, Flag.GAP), drew(5, Flag.ESTIMATED)) == ONE


def test_what_is_counted_elsewhere_is_counted_by_its_own_server_as_well() -> None:
    ends = (stood(0, FLOW, output_tokens=5), stood(1, FLOW, output_tokens=9))
    assert told(ends, made(0), made(4, Flag.OUTPUT_ELSEWHERE)) == ONE


def test_counters_told_by_ranks_are_added_up_and_those_that_come_later_start_at_nothing() -> None:
    first = Kept(NOON_MS, 0, Absolute(FLOW, "1", 0, "b", {"output_tokens@rank=0": 5}))
    last = Kept(NOON_MS + 1, 0, Absolute(FLOW, "1", 0, "b", {"output_tokens@rank=0": 7, "output_tokens@rank=1": 2}))
    assert told((first, last), made(0), made(4)) == ONE
    assert told((last, first._replace(tick_ms=NOON_MS + 2)), None, None, made(0)).endswith(
        "parts of a counter than are kept"
    )


def test_a_baseline_and_a_reset_start_anew() -> None:
    for flag in (Flag.BASELINE, Flag.RESET):
        ends = (stood(0, GPU, energy_mj=100), stood(1, GPU, energy_mj=3, flags=flag), stood(2, GPU, energy_mj=4))
        assert told(ends, drew(0), drew(None, flag), drew(1)) == (
            f"{ONE} | pass: 1 interval not checked: the counter started anew"
        )


def test_another_process_starts_anew_and_another_boot_for_gpus() -> None:
    process = (stood(0, FLOW, output_tokens=9), stood(1, FLOW, "2", output_tokens=1))
    assert "started anew" in told(process, made(0), made(1))
    boot = (stood(0, GPU, energy_mj=9), stood(1, GPU, boot="c", energy_mj=1))
    assert "started anew" in told(boot, drew(0), drew(1))
    same = (stood(0, FLOW, output_tokens=9), stood(1, FLOW, boot="c", output_tokens=10))
    assert told(same, made(0), made(1)) == ONE


def test_processes_that_take_turns_at_one_address_are_not_told_apart() -> None:
    ends = (
        stood(0, FLOW, "1", output_tokens=9),
        stood(1, FLOW, "2", output_tokens=500, flags=Flag.BASELINE),
        stood(2, FLOW, "1", output_tokens=10),
        stood(3, FLOW, "1", output_tokens=11),
    )
    assert "in turns" in told(ends, made(0), made(None, Flag.BASELINE), made(1), made(30))


def test_energy_taken_from_power_is_not_on_the_counter() -> None:
    ends = (stood(0, GPU, energy_mj=100), stood(1, GPU, energy_mj=100))
    assert "energy was taken from power" in told(ends, drew(0), drew(55, Flag.STUCK | Flag.ESTIMATED))


def test_what_was_lost_with_its_tick_is_not_called_wrong() -> None:
    ends = (stood(0, GPU, energy_mj=100), stood(1, GPU, energy_mj=200))
    assert "ticks are missing in between" in told(ends, drew(0), drew(50), lost_at=1)


def test_entries_that_were_let_go_leave_nothing_to_check() -> None:
    ends = (
        stood(-2, GPU, energy_mj=1),
        stood(-1, GPU, energy_mj=9),
        stood(0, GPU, energy_mj=99),
        stood(1, GPU, energy_mj=100),
    )
    assert told(ends, drew(7), drew(1)) == (
        f"{ONE} | pass: 2 intervals not checked: their entries are older than the history that is kept"
    )


def test_imports_have_no_counters() -> None:
    assert told((), drew(7), drew(70), imported=True) == ONE.replace("1 interval", "0 intervals")
