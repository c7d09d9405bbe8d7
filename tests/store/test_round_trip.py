"""What goes into the store comes out of it equal."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.records import NOON_MS, RUN, fill, flow, gpu, record, tick
from tests.store.strategies import histograms, runs_of_records
from tokwatch.ledger.entries import Absolute, Entity, Event, Flag, HistogramEntry, TickRecord
from tokwatch.store.connection import open_for_writing
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.reader import Reader
from tokwatch.store.rows import PriceVersion
from tokwatch.store.writer import Writer


@given(runs_of_records())
@settings(max_examples=40, deadline=None)
def test_any_record_is_read_back_equal(records: list[TickRecord]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        run = fill(path, records)
        with Reader(path) as reader:
            assert list(reader.records([run], 0, NOON_MS * 2)) == records


@given(st.lists(st.lists(histograms(), max_size=4).map(tuple), max_size=20))
@settings(max_examples=30, deadline=None)
def test_histograms_survive_packing(flows: list[tuple[HistogramEntry, ...]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        connection = open_for_writing(Path(directory) / "store.db")
        codec = HistogramCodec(connection)
        packed = [codec.pack(each) for each in flows]
        assert [HistogramCodec(connection).unpack(blob) for blob in packed] == flows
        connection.close()


def test_a_quiet_tick_of_four_histograms_takes_twelve_bytes(tmp_path: Path) -> None:
    connection = open_for_writing(tmp_path / "store.db")
    quiet = tuple(HistogramEntry(name, (0.1, 0.2), (0, 0, 0), 0) for name in ("ttft", "tpot", "itl", "e2e"))
    packed = HistogramCodec(connection).pack(quiet)
    assert packed is not None
    assert len(packed) == 12
    connection.close()


def test_records_come_in_order_and_from_is_left_out(tmp_path: Path) -> None:
    records = [record(NOON_MS + second * 1000) for second in range(1, 601)]  # more than are read at once
    run = fill(tmp_path / "store.db", records)
    with Reader(tmp_path / "store.db") as reader:
        assert list(reader.records([run], NOON_MS, NOON_MS * 2)) == records
        assert list(reader.records(None, NOON_MS + 1000, NOON_MS + 3000)) == records[1:3]
        assert list(reader.records([run + 1], 0, NOON_MS * 2)) == []


def test_two_ticks_in_one_second_are_two_rows(tmp_path: Path) -> None:
    records = [record(NOON_MS), record(NOON_MS + 1), record(NOON_MS + 400)]
    run = fill(tmp_path / "store.db", records)
    with Reader(tmp_path / "store.db") as reader:
        assert list(reader.records([run], 0, NOON_MS * 2)) == records


def test_a_clock_that_steps_back_an_hour_loses_nothing(tmp_path: Path) -> None:
    # The caller's store time goes on; entries keep their true length and so overlap on the axis.
    records = [record(NOON_MS + 1000), record(NOON_MS + 1001), record(NOON_MS + 1002)]
    run = fill(tmp_path / "store.db", records)
    with Reader(tmp_path / "store.db") as reader:
        assert list(reader.records([run], 0, NOON_MS * 2)) == records
        assert sum(reader.state_ms(1, 0, NOON_MS * 2).values()) == 3000


def test_ticks_are_found_by_run(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first = fill(path, [record(NOON_MS), record(NOON_MS + 1000)])
    second = fill(path, [record(NOON_MS + 5000)])
    with Reader(path) as reader:
        assert reader.last_tick() == NOON_MS + 5000
        assert reader.last_tick([first]) == NOON_MS + 1000
        assert reader.last_tick([first, second], at_or_before_ms=NOON_MS + 4999) == NOON_MS + 1000
        assert reader.last_tick([second], at_or_before_ms=NOON_MS) is None
        assert reader.tick_after([second], 0) == NOON_MS + 5000
        assert reader.tick_after(None, NOON_MS) == NOON_MS + 1000
        assert reader.tick_after([first, second], NOON_MS + 5000) is None


def event(tick_ms: int, body: str, *, entity: int = 1, kind: str = "state", key: str = "") -> Event:
    return Event(tick_ms, entity, kind, key, body.encode())


def test_the_event_in_force_is_the_last_one_at_or_before(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    t = [NOON_MS + second * 1000 for second in range(4)]
    one = [
        TickRecord(tick(t[0]), events=(event(t[0], "1"), event(t[0], '"b"', entity=2), event(t[0], "0", entity=0))),
        TickRecord(tick(t[1]), events=(event(t[1], "2"), event(t[1], '"x"', kind="alert", key="parked"))),
    ]
    first = fill(path, one)
    second = fill(path, [TickRecord(tick(t[3]), events=(event(t[3], "9", entity=0),))])
    with Reader(path) as reader:
        in_force = reader.last_events(t[2])
        assert [(each.kind, each.entity, each.body) for each in in_force] == [
            ("alert", 1, b'"x"'),
            ("state", 0, b"0"),
            ("state", 1, b"2"),
            ("state", 2, b'"b"'),
        ]
        assert reader.last_events(t[0] - 1) == []
        assert [each.body for each in reader.last_events(t[3], entities=[0])] == [b"9"]
        # Entity 0 is the whole store: whose it is, its tick's run tells.
        assert [each.body for each in reader.last_events(t[3], runs=[first], entities=[0])] == [b"0"]
        assert [each.body for each in reader.last_events(t[3], runs=[second])] == [b"9"]
        assert [each.body for each in reader.last_events(t[3], kinds=["alert"])] == [b'"x"']
        assert [each.body for each in reader.events(t[0], t[3])] == [b"2", b'"x"', b"9"]
        assert [each.body for each in reader.events(0, t[3], kinds=["state"], runs=[first])] == [
            b"1",
            b'"b"',
            b"0",
            b"2",
        ]


def test_entities_runs_and_prices_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    entity = Entity(1, "gpu", "dgx-03", "GPU-5f3a", 0, NOON_MS)
    writer = Writer(path)
    writer.open()
    run = writer.begin_run(RUN)
    writer.submit(TickRecord(tick(NOON_MS), entities=(entity,)))
    price = writer.add_price(PriceVersion(0, NOON_MS, NOON_MS + 5, "config", b'{"usd_per_gpu_hour": 2.2}'))
    assert writer.close(10)
    with Reader(path) as reader:
        assert reader.entities() == [entity]
        assert reader.runs() == [run]
        assert reader.prices() == [price]


def test_names_from_a_store_somebody_shared_are_cleaned(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    hostile = Entity(1, "gpu", "dgx\x1b[2J", "GPU\x1b]52;c;\x07", 0, NOON_MS)
    fill(path, [TickRecord(tick(NOON_MS), entities=(hostile,))])
    with Reader(path) as reader:
        assert "\x1b" not in reader.entities()[0].host + reader.entities()[0].key


def absolute(counter: int, entity: int = 1) -> Absolute:
    return Absolute(entity, "driver 570", NOON_MS * 1000, "boot-1", {"energy_mj": counter})


def test_the_latest_absolutes_are_what_the_next_run_starts_from(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [TickRecord(tick(NOON_MS + n), absolutes=(absolute(n), absolute(2**62, 11))) for n in range(3)])
    writer = Writer(path)
    opened = writer.open()
    writer.close(10)
    assert opened.absolutes == (absolute(2), absolute(2**62, 11))
    assert opened.last_tick_ms == NOON_MS + 2
    assert opened.last_run is not None
    assert opened.last_run.boot_id == "boot-1"


def test_counters_are_kept_at_the_start_a_reset_and_the_end(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    quality = [Flag.BASELINE, 0, Flag.RESET, 0, 0]
    fill(
        path,
        [
            TickRecord(
                tick(NOON_MS + n),
                gpus=(gpu(NOON_MS + n, flags=int(flags)),),
                flows=(flow(NOON_MS + n),),
                absolutes=(absolute(n), absolute(n, 11)),
            )
            for n, flags in enumerate(quality)
        ],
    )
    connection = open_for_writing(path)
    kept = connection.execute(
        "SELECT (id >> 20) - ?, id & 1048575, flags, counters FROM absolute ORDER BY id", (NOON_MS,)
    ).fetchall()
    connection.close()
    assert kept == [
        (0, 1, Flag.BASELINE, '{"energy_mj":0}'),
        (0, 11, 0, '{"energy_mj":0}'),
        (2, 1, Flag.RESET, '{"energy_mj":2}'),
        (4, 1, 0, '{"energy_mj":4}'),
        (4, 11, 0, '{"energy_mj":4}'),
    ]
