"""What ails a GPU: which slowed clocks are a fault, and how long an Xid is news."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.readings import Reason
from tests.ledger.box import NO_PRICE, PRICE, Box, restored
from tests.ledger.readings import NOON_MS, flow, gpu, page
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.snapshot import GpuRow, GpuWarning

POWER_CAP, POWER_BRAKE = 0x4, 0x80
FELL_OFF = "Xid 79: GPU fell off the bus"


def box_with(xids: Mapping[int, tuple[int, ...]], seconds: range = range(5)) -> Box:
    """One GPU, with Xids by second."""
    box = Box()
    for second in seconds:
        box.turn(second, [gpu(second, xids=xids.get(second, ()))])
    return box


def row_of(box: Box) -> GpuRow:
    (row,) = box.snapshot(PRICE).gpus
    return row


# --- clocks -----------------------------------------------------------------------------------------------------------


def slowed(bits: int | None) -> GpuRow:
    box = Box()
    reasons = (("throttle", Reason.UNSUPPORTED),) if bits is None else ()
    box.turn(0, [gpu(0, throttle=bits, reasons=reasons)])
    return row_of(box)


def test_a_power_cap_is_told_and_is_no_fault() -> None:
    row = slowed(POWER_CAP)
    assert (row.throttle, row.throttle_alert, row.warnings) == (("power cap",), False, ())


def test_a_power_brake_is_a_fault_and_the_rows_note() -> None:
    row = slowed(POWER_CAP | POWER_BRAKE)
    assert (row.throttle, row.throttle_alert) == (("power brake", "power cap"), True)
    assert row.warnings == (GpuWarning("power brake"),)
    assert row.note.endswith("power brake")


def test_what_slows_a_throttled_gpu_is_said_once() -> None:
    box = Box()
    for second in range(31):
        box.turn(second, [gpu(second, throttle=POWER_BRAKE)], [page(second, flow(output_tokens=9 * second))])
    row = row_of(box)
    assert (row.state, row.note) == ("throttled", "slowed down: power brake")
    assert row.warnings == (GpuWarning("power brake"),)


def test_clocks_at_their_highest_and_clocks_nobody_knows_of_are_told_apart() -> None:
    assert (slowed(0).throttle, slowed(None).throttle) == ((), None)


# --- Xids -------------------------------------------------------------------------------------------------------------


def test_the_last_xid_is_told_in_words_with_its_time() -> None:
    row = row_of(box_with({1: (79,), 3: (31,)}))
    assert (row.xid, row.xid_at_ms) == ("Xid 31: memory page fault, mostly the program's fault", NOON_MS + 3000)


def test_xids_of_one_tick_are_told_together() -> None:
    assert row_of(box_with({1: (79, 45, 79)})).xid.split("; ")[1] == FELL_OFF


def test_an_xid_that_comes_again_is_news_again() -> None:
    box = box_with({1: (79,), 4: (79,)})
    assert [event.kind for record in box.records for event in record.events].count("xid") == 2
    assert row_of(box).xid_at_ms == NOON_MS + 4000


def test_an_xid_is_a_warning_for_ten_minutes_and_told_for_ever() -> None:
    box = box_with({1: (79,)}, range(601))
    assert row_of(box).warnings == (GpuWarning(FELL_OFF, NOON_MS + 1000),)
    box.turn(601, [gpu(601)])
    assert (row_of(box).warnings, row_of(box).xid) == ((), FELL_OFF)


def test_a_gpu_without_xids_has_none() -> None:
    row = row_of(box_with({}))
    assert (row.xid, row.xid_at_ms, row.note) == ("", None, row.note)


def test_a_seek_shows_the_same_xid_as_live() -> None:
    box = box_with({1: (79, 45), 3: (31,)})
    sought = snapshot(restored(box.records, box.run, NO_PRICE), mode="live")
    assert sought == box.snapshot()


def test_a_recorder_that_takes_over_keeps_the_xid() -> None:
    box = box_with({1: (79,)})
    box.restart(6)
    box.turn(6, [gpu(6)])
    assert row_of(box).xid == FELL_OFF
