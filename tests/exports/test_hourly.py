"""`export hourly` on a real store: what is selected, and what is refused."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from msgspec.structs import replace

from tests.exports.box import ENTITIES, FACTS, GPU_0, NOON_MS, QWEN, QWEN_FLOW
from tests.store.records import RUN, tick
from tokwatch.exports.errors import ExportError
from tokwatch.exports.hourly import Asked, export_hourly
from tokwatch.ledger.entries import FlowEntry, GpuEntry, Run, State, TickRecord
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.errors import StoreError
from tokwatch.store.rows import PriceVersion
from tokwatch.store.writer import Writer

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
SIMULATED = replace(RUN, kind="simulated")


def minute(t1_ms: int, state: State = State.SERVING) -> TickRecord:
    """A tick a minute: GPU 0 draws 600 W for the one flow of 8 tok/s."""
    gpu = GpuEntry(
        GPU_0, t1_ms - MINUTE_MS, t1_ms, 36_000_000, MINUTE_MS, 600_000, 800, 71_000, 61, 1755, 0, state, QWEN
    )
    flow = FlowEntry(QWEN_FLOW, t1_ms - MINUTE_MS, t1_ms, 960, 0, 480, 1, 0, 0, 0)
    return TickRecord(tick(t1_ms), gpus=(gpu,), flows=(flow,))


def record(store: Path, *runs: tuple[Run, int, int], usd: float = 2.40, set_ms: int = 0) -> None:
    """Runs of one tick a minute over (from_ms, to_ms]; the first names the box."""
    writer = Writer(store)
    writer.open()
    if usd:
        writer.add_price(PriceVersion(0, set_ms, set_ms, "config", msgspec.json.encode(Prices("USD", usd))))
    named = False
    for run, from_ms, to_ms in runs:
        begun = writer.begin_run(run)
        for at_ms in range(from_ms + MINUTE_MS, to_ms + 1, MINUTE_MS):
            each = minute(at_ms)
            if not named:
                each = replace(each, entities=ENTITIES, events=tuple(replace(fact, tick_ms=at_ms) for fact in FACTS))
                named = True
            writer.submit(replace(each, tick=replace(each.tick, run=begun.id)))
    assert writer.close(10)


def export(store: Path, by: Literal["gpu", "model"] = "gpu", **asked: Any) -> list[dict[str, Any]]:
    out = io.BytesIO()
    exported = export_hourly(store, Asked(by, format="json", **asked), out)
    rows: list[dict[str, Any]] = json.loads(out.getvalue())
    assert len(rows) == exported.rows
    return rows


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_everything_recorded_comes_out_hour_by_hour(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 90 * MINUTE_MS))
    assert [(row["hour_start"], row["observed_s"], row["energy_board_j"]) for row in export(store)] == [
        ("2026-11-21T12:00:00Z", 3600, 2_160_000),
        ("2026-11-21T13:00:00Z", 1800, 1_080_000),
    ]
    models = export(store, "model")
    assert [(row["model"], row["tokens_out"], row["tokens_in_uncached"]) for row in models] == [
        ("qwen", 28_800, 57_600),
        ("qwen", 14_400, 28_800),
    ]
    assert [row["cost_total_usd"] for row in models] == [pytest.approx(2.40), pytest.approx(1.20)]


def test_csv_has_one_line_a_row(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + HOUR_MS))
    out = io.BytesIO()
    assert export_hourly(store, Asked(), out).rows == 1
    header, row, end = out.getvalue().decode().split("\n")
    assert header.startswith("hour_start,hour_end,node,gpu_index")
    assert row.startswith("2026-11-21T12:00:00Z,2026-11-21T13:00:00Z,dgx-03,0,GPU-a")
    assert end == ""


def test_since_and_until_are_widened_to_whole_hours(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 3 * HOUR_MS))
    rows = export(store, since_ms=NOON_MS + HOUR_MS + 5, until_ms=NOON_MS + 2 * HOUR_MS)
    assert [(row["hour_start"], row["observed_s"]) for row in rows] == [("2026-11-21T13:00:00Z", 3600)]
    assert export(store, since_ms=NOON_MS + 9 * HOUR_MS) == []


def test_a_price_edge_in_a_stored_quarter_is_split_by_what_the_store_knows(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + HOUR_MS), set_ms=NOON_MS + 20 * MINUTE_MS)
    [row] = export(store)
    assert (row["cost_total_usd"], row["unpriced_s"]) == (pytest.approx(2.40 * 40 / 60), 20 * 60)


def test_silence_between_two_runs_is_owed_on_reserved_rent_hour_by_hour(store: Path) -> None:
    later_ms = NOON_MS + 10 * 24 * HOUR_MS
    record(store, (RUN, NOON_MS, NOON_MS + HOUR_MS), (RUN, later_ms, later_ms + HOUR_MS))
    rows = export(store)
    assert [row["observed_s"] for row in rows] == [3600, *[0] * 239, 3600]
    assert {row["cost_unobserved_usd"] for row in rows[1:-1]} == {2.40}
    models = export(store, "model", since_ms=NOON_MS + HOUR_MS, until_ms=NOON_MS + 2 * HOUR_MS)
    assert [(row["model"], row["gpu_count"], row["cost_unobserved_usd"]) for row in models] == [
        ("(unobserved)", 1, 2.40)
    ]


def test_silence_without_a_price_is_no_rows(store: Path) -> None:
    later_ms = NOON_MS + 90 * 24 * HOUR_MS
    record(store, (RUN, NOON_MS, NOON_MS + HOUR_MS), (RUN, later_ms, later_ms + HOUR_MS), usd=0)
    assert [row["observed_s"] for row in export(store)] == [3600, 3600]


def test_twenty_minutes_of_outage_still_add_up_to_the_invoice(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 20 * MINUTE_MS), (RUN, NOON_MS + 40 * MINUTE_MS, NOON_MS + HOUR_MS))
    [row] = export(store)
    assert (row["cost_total_usd"], row["cost_unobserved_usd"]) == pytest.approx((1.60, 0.80))
    qwen, unobserved = export(store, "model")
    assert (qwen["cost_total_usd"], qwen["cost_unobserved_usd"]) == (pytest.approx(1.60), None)
    assert (unobserved["cost_total_usd"], unobserved["cost_unobserved_usd"]) == (None, pytest.approx(0.80))


def test_a_session_owes_nothing_for_the_time_outside_of_it(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 10 * MINUTE_MS), (RUN, NOON_MS + 40 * MINUTE_MS, NOON_MS + HOUR_MS))
    [row] = export(store, session="dgx-03-20261121-1241")
    assert row["cost_unobserved_usd"] is None


def test_an_export_made_again_has_the_same_bytes(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 20 * MINUTE_MS), (RUN, NOON_MS + 40 * MINUTE_MS, NOON_MS + HOUR_MS))

    def written(by: Literal["gpu", "model"]) -> bytes:
        out = io.BytesIO()
        export_hourly(store, Asked(by), out)
        return out.getvalue()

    assert (written("gpu"), written("model")) == (written("gpu"), written("model"))


def test_a_restarted_recorder_fills_the_same_hour(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 10 * MINUTE_MS), (RUN, NOON_MS + 40 * MINUTE_MS, NOON_MS + HOUR_MS))
    [row] = export(store)
    assert (row["observed_s"], row["coverage"]) == (1800, 0.5)


def test_a_session_comes_out_alone(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 10 * MINUTE_MS), (RUN, NOON_MS + 40 * MINUTE_MS, NOON_MS + HOUR_MS))
    [row] = export(store, session="dgx-03-20261121-1241")
    assert row["observed_s"] == 1200


def test_a_session_that_is_not_there_is_told_with_those_that_are(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 10 * MINUTE_MS))
    with pytest.raises(ExportError, match=r"no session 'nope'.*dgx-03-20261121-1201"):
        export(store, session="nope")


def test_two_sessions_that_hold_the_same_gpu_at_once_are_refused_until_one_is_named(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 30 * MINUTE_MS))
    writer = Writer(store)
    writer.open()
    run = replace(RUN, kind="imported", source="digest")
    again = [minute(NOON_MS + at * MINUTE_MS + 30_000) for at in range(20, 40)]
    past = [move(each, -30 * 24 * HOUR_MS) for each in again]  # an import may not lie in the future
    assert writer.write_import(run, past)
    assert writer.close(10)
    assert len(export(store)) == 2
    writer = Writer(store)
    writer.open()
    assert writer.write_import(replace(run, source="other digest"), [move(each, MINUTE_MS // 2) for each in past])
    assert writer.close(10)
    with pytest.raises(ExportError, match=r"dgx-03-20261022-1220 and dgx-03-20261022-1221 both hold GPU-a"):
        export(store)
    assert len(export(store, session="dgx-03-20261022-1221")) == 1
    assert len(export(store, since_ms=NOON_MS)) == 1


def move(record: TickRecord, ms: int) -> TickRecord:
    """The same record at another time."""
    return replace(
        record,
        tick=tick(record.tick.tick_ms + ms),
        gpus=tuple(replace(each, t0_ms=each.t0_ms + ms, t1_ms=each.t1_ms + ms) for each in record.gpus),
        flows=tuple(replace(each, t0_ms=each.t0_ms + ms, t1_ms=each.t1_ms + ms) for each in record.flows),
    )


def test_what_was_simulated_comes_out_only_when_it_is_asked_for_and_says_so(store: Path) -> None:
    record(store, (SIMULATED, NOON_MS, NOON_MS + HOUR_MS), (RUN, NOON_MS + 5 * HOUR_MS, NOON_MS + 6 * HOUR_MS))
    every = export(store, simulated=True) + export(store, "model", simulated=True)
    assert [row["simulated"] for row in every if row["observed_s" if "observed_s" in row else "gpu_hours"]] == [
        True,
        False,
        True,
        False,
    ]
    out = io.BytesIO()
    exported = export_hourly(store, Asked(format="jsonl"), out)
    assert (exported.rows, exported.left_out) == (1, ("dgx-03-20261121-1201",))
    assert json.loads(out.getvalue())["hour_start"] == "2026-11-21T17:00:00Z"


def test_a_simulated_session_is_left_out_even_when_it_is_named(store: Path) -> None:
    record(store, (SIMULATED, NOON_MS, NOON_MS + HOUR_MS))
    exported = export_hourly(store, Asked(session="dgx-03-20261121-1201"), io.BytesIO())
    assert (exported.rows, exported.left_out) == (0, ("dgx-03-20261121-1201",))


def test_an_empty_store_has_no_rows(store: Path) -> None:
    record(store)
    assert export(store) == []
    with pytest.raises(ExportError, match="the store is empty"):
        export(store, session="any")


def test_no_store_is_told(store: Path) -> None:
    with pytest.raises(StoreError, match="no store at"):
        export(store)


def test_damaged_facts_are_told(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + HOUR_MS))
    connection = sqlite3.connect(store)
    connection.execute("UPDATE event SET body = '{\"index\": []}' WHERE kind = 'facts'")
    connection.commit()
    connection.close()
    with pytest.raises(ExportError, match="the store is damaged, the facts of entity 2"):
        export(store)
