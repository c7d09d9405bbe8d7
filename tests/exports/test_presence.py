"""When a GPU is known to have been there: between two readings, as far as runs belong together."""

from __future__ import annotations

from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN
from tokwatch.exports.presence import Presence
from tokwatch.ledger.entries import Run
from tokwatch.store.seen import Seen

RUNS = [replace(RUN, id=1), replace(RUN, id=2), replace(RUN, id=3, boot_id="boot-2")]
BEFORE, AFTER = NOON_MS, NOON_MS + 100


def known(*seen: tuple[int, int, int], runs: list[Run] = RUNS, one_boot: bool = False) -> int:
    """Of a hundred milliseconds from noon on, by (run, from, to)."""
    presence = Presence([Seen(7, run, NOON_MS + a, NOON_MS + b) for run, a, b in seen], runs)
    return presence.known_ms(7, BEFORE, AFTER, one_boot=one_boot)


def test_a_gap_lies_between_the_readings_of_two_runs() -> None:
    assert known((1, 10, 20), (2, 70, 80)) == 70
    assert known((1, -50, -10), (3, 160, 170)) == 100
    assert known((1, -50, -10)) == 0


def test_a_box_that_started_anew_was_not_held_in_between() -> None:
    assert known((1, 10, 20), (3, 70, 80), one_boot=True) == 20
    assert known((1, 10, 20), (2, 70, 80), one_boot=True) == 70


def test_an_import_stands_alone() -> None:
    runs = [replace(RUN, id=1, kind="imported", source="a"), replace(RUN, id=2)]
    assert known((1, 10, 20), (2, 70, 80), runs=runs) == 20


def test_what_two_kinds_of_runs_know_is_counted_once() -> None:
    runs = [replace(RUN, id=1, kind="simulated"), replace(RUN, id=2)]
    assert known((1, 10, 50), (2, 40, 80), runs=runs) == 70


def test_nothing_is_asked_outside_of_what_was_chosen() -> None:
    chosen = Presence([Seen(7, 1, NOON_MS, AFTER)], RUNS, (NOON_MS + 40, NOON_MS + 60))
    assert chosen.known_ms(7, BEFORE, AFTER, one_boot=False) == 20
    assert chosen.gpus(BEFORE, NOON_MS + 40) == []
    assert chosen.gpus(BEFORE, NOON_MS + 41) == [7]
