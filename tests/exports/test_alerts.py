"""`export alerts`: one row an episode, with the dollars that `tokwatch alerts` tells of it."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.exports.box import ENTITIES, FACTS, GPU_0, NOON_MS
from tests.exports.test_hourly import HOUR_MS, MINUTE_MS, SIMULATED, minute
from tests.store.records import RUN
from tokwatch.commands.alerts import read_listing
from tokwatch.exports.alerts import AlertEpisode, Asked, episodes, export_alerts
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.bodies import event
from tokwatch.ledger.entries import Event, Run, State
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.states import StateBody
from tokwatch.store.rows import PriceVersion
from tokwatch.store.writer import Writer

Told = tuple[int, str, AlertBody]  # minute after noon, key, what is told


def parked(since: int, status: str = "firing", fired: int | None = None, cleared: int | None = None) -> AlertBody:
    """GPU 0 without work; minutes after noon."""
    plain = AlertBody(
        state=State.PARKED,
        status="pending",
        severity="warning",
        text="loaded, no request",
        gpus=(GPU_0,),
        since_ms=at(since),
        fired_ms=None if fired is None else at(fired),
        cleared_ms=None if cleared is None else at(cleared),
        members=((GPU_0, at(since)),),
    )
    return msgspec.convert({**msgspec.to_builtins(plain), "status": status}, AlertBody)


def at(minutes: int) -> int:
    return NOON_MS + minutes * MINUTE_MS


def record(store: Path, told: Sequence[Told], idle: range = range(0), minutes: int = 120, run: Run = RUN) -> None:
    """A tick a minute after noon at 2.40 USD an hour; GPU 0 is parked in the minutes that end in `idle`."""
    writer = Writer(store)
    writer.open()
    writer.add_price(PriceVersion(0, 0, 0, "config", msgspec.json.encode(Prices("USD", 2.40))))
    begun = writer.begin_run(run)
    for number in range(1, minutes + 1):
        tick_ms = at(number)
        events = [event(tick_ms, 0, "alert", body, key) for on, key, body in told if on == number]
        if number == 1:
            events += [replace(fact, tick_ms=tick_ms) for fact in FACTS]
            events.append(event(tick_ms, GPU_0, "state", StateBody(State.PARKED, at(0), confirmed=True, note="")))
        entry = minute(tick_ms, State.PARKED if number in idle else State.SERVING)
        entities = ENTITIES if number == 1 else ()
        tick = replace(entry.tick, run=begun.id)
        writer.submit(replace(entry, tick=tick, entities=entities, events=tuple(events)))
    assert writer.close(10)


def rows(store: Path, **asked: Any) -> list[dict[str, Any]]:
    out = io.BytesIO()
    exported = export_alerts(store, Asked("jsonl", **asked), out)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(found) == exported.rows
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


ONE_HOUR = [
    (11, "parked", parked(10, "pending")),
    (15, "parked", parked(10, "firing", 15)),
    (70, "parked", parked(10, "resolving", 15, 70)),
    (72, "parked", parked(10, "resolved", 15, 70)),
]


def test_an_alert_from_its_beginning_to_its_end_with_what_it_cost(store: Path) -> None:
    record(store, ONE_HOUR, idle=range(11, 71))
    [row] = rows(store)
    assert (row["key"], row["of"], row["state"], row["severity"], row["status"]) == (
        *("parked", "state", "parked", "warning", "resolved"),
    )
    assert (row["began"], row["fired"]) == ("2026-11-21T12:10:00Z", "2026-11-21T12:15:00Z")
    assert (row["cleared"], row["resolved"]) == ("2026-11-21T13:10:00Z", "2026-11-21T13:12:00Z")
    assert (row["host"], row["gpus"], row["gpu_count"], row["lasted_s"]) == ("dgx-03", "0", 1, 3600)
    assert (row["cost_usd"], row["currency"], row["cost_in_part"]) == (pytest.approx(2.40), "USD", False)
    assert (row["muted"], row["text"], row["simulated"]) == (False, "loaded, no request", False)


def test_one_that_stands_costs_what_the_list_of_alerts_says(store: Path) -> None:
    record(store, ONE_HOUR[:2], idle=range(11, 121))
    [row] = rows(store)
    [listed] = read_listing(store, at(120)).alerts
    assert (row["status"], row["cleared"], row["resolved"], row["lasted_s"]) == ("firing", None, None, 110 * 60)
    assert row["cost_usd"] == pytest.approx(listed.usd_so_far.value) == pytest.approx(2.40 * 110 / 60)


def test_one_that_was_over_before_it_was_due_has_no_time_of_firing(store: Path) -> None:
    over = replace(parked(10, "resolved"), gpus=(), members=())
    record(store, [(11, "parked", parked(10, "pending")), (13, "parked", over)], idle=range(11, 14))
    [row] = rows(store)
    assert (row["fired"], row["resolved"], row["gpus"]) == (None, "2026-11-21T12:13:00Z", "0")
    assert row["cost_usd"] == pytest.approx(2.40 * 3 / 60)


def test_an_alert_that_is_raised_again_has_a_row_for_each_time(store: Path) -> None:
    again = [(90, "parked", parked(80, "firing", 90)), (95, "parked", replace(parked(80, "firing", 90), muted=True))]
    record(store, [*ONE_HOUR, *again], idle=range(11, 121))
    assert [(row["began"], row["muted"]) for row in rows(store)] == [
        *(("2026-11-21T12:10:00Z", False), ("2026-11-21T13:20:00Z", True)),
    ]


def test_a_rule_on_a_figure_costs_nothing_that_is_known(store: Path) -> None:
    told = replace(
        parked(5, "firing", 6), state=State.UNKNOWN, gpus=(), members=(), of="figure", text="=idle > 5: it is 7"
    )
    record(store, [(6, "too idle", told)])
    [row] = rows(store)
    assert (row["of"], row["state"], row["gpus"], row["cost_usd"], row["currency"]) == ("figure", None, "", None, None)
    out = io.BytesIO()
    export_alerts(store, Asked("csv"), out)
    assert ",'=idle > 5: it is 7," in out.getvalue().decode()  # defused for spreadsheets


def test_episodes_with_a_part_in_the_range_are_in_it(store: Path) -> None:
    record(store, [*ONE_HOUR, (110, "parked", parked(109, "pending"))], minutes=150)
    assert len(rows(store, since_ms=NOON_MS + HOUR_MS)) == 2
    assert [row["began"] for row in rows(store, until_ms=NOON_MS + HOUR_MS)] == ["2026-11-21T12:10:00Z"]
    assert [row["status"] for row in rows(store, since_ms=NOON_MS + 2 * HOUR_MS)] == ["pending"]


def test_a_simulation_is_left_out_and_named(store: Path) -> None:
    record(store, ONE_HOUR, run=SIMULATED)
    out = io.BytesIO()
    exported = export_alerts(store, Asked(), out)
    assert (exported.rows, len(exported.left_out)) == (0, 1)
    assert out.getvalue().decode() == ",".join(AlertEpisode.__struct_fields__) + "\n"
    assert [row["simulated"] for row in rows(store, simulated=True)] == [True]


def test_events_of_several_alerts_are_told_apart() -> None:
    told = [(1, "a", "pending"), (1, "b", "firing"), (2, "a", "resolved"), (3, "a", "firing"), (4, "b", "resolved")]
    events: list[Event] = [event(at(on), 0, "alert", parked(0, status), key) for on, key, status in told]
    assert [(key, [each.status for _, each in bodies]) for key, bodies in episodes(events)] == [
        ("a", ["pending", "resolved"]),
        ("a", ["firing"]),
        ("b", ["firing", "resolved"]),
    ]
