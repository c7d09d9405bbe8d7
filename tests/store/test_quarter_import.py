"""Quarter hours of many hosts as a store: what goes in is read back, and sessions and exports find it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exports.box import NOON_MS
from tokwatch.exports.hourly import background_of
from tokwatch.exports.selection import select
from tokwatch.ledger.bodies import GpuBody, SettingsBody
from tokwatch.ledger.entries import Run, State
from tokwatch.store.errors import StoreError
from tokwatch.store.quarter_import import QuarterImport
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.seen import Seen
from tokwatch.store.sessions import sessions

RUN = Run(1, "imported", "prometheus", "", "0.1.0", "UTC", NOON_MS)
H100 = GpuBody(0, "GPU-0", "NVIDIA H100", None, None)


def gpu(quarter: int, entity: int, *, observed_ms: int = QUARTER_MS, gap_ms: int = 0) -> GpuQuarter:
    return GpuQuarter(
        quarter_ms=NOON_MS + quarter * QUARTER_MS,
        run=RUN.id,
        entity=entity,
        owner=0,
        state_ms={State.UNALLOCATED: observed_ms},
        gap_ms=gap_ms,
        energy_mj=1000,
        measured_ms=observed_ms,
        power_max_mw=None,
        power_mw_ms=0,
        power_ms=0,
        util_permille_ms=0,
        util_ms=0,
        memory_mib_ms=0,
        memory_ms=0,
        temperature_max_c=None,
        entries=1,
        flags=0,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fleet.db"


def test_rows_of_every_kind_are_read_back_as_they_were_given(path: Path) -> None:
    quarters = Quarters(
        [gpu(0, 2), gpu(1, 2)],
        [FlowQuarter(NOON_MS, 1, 4, QUARTER_MS, 10, 5, 7, 1, 0, 0, None, (), 1, 0)],
        [HostQuarter(NOON_MS, 1, 1, QUARTER_MS, 5000, QUARTER_MS, None, 0, 1, 0)],
    )
    with QuarterImport(path, RUN, NOON_MS + 2 * QUARTER_MS) as store:
        host = store.host("a", NOON_MS)
        assert store.entity("gpu", "a", "GPU-0", parent=host, seen_ms=NOON_MS) == 2
        store.add(quarters)
    with Reader(path) as reader:
        assert reader.quarters(NOON_MS, NOON_MS + 2 * QUARTER_MS) == quarters
        assert [(each.kind, each.host, each.key, each.parent) for each in reader.entities()] == [
            ("host", "a", "a", 0),
            ("gpu", "a", "GPU-0", 1),
        ]


def test_a_thing_has_one_number_and_keeps_it(path: Path) -> None:
    with QuarterImport(path, RUN, NOON_MS + QUARTER_MS) as store:
        assert store.host("a", NOON_MS) == store.host("a", NOON_MS + 1) == 1
        assert store.host("b", NOON_MS) == 2


def test_facts_are_written_when_they_change(path: Path) -> None:
    with QuarterImport(path, RUN, NOON_MS + QUARTER_MS) as store:
        for at_ms, name in ((NOON_MS, "H100"), (NOON_MS + 1, "H100"), (NOON_MS + 2, "H200")):
            store.describe(7, at_ms, GpuBody(0, "GPU-0", name, None, None))
        store.settings(NOON_MS, SettingsBody(slo_ttft_s=0.5))
        store.add(Quarters([gpu(0, 7)], []))
    with Reader(path) as reader:
        told = [(event.kind, event.tick_ms) for event in reader.events(0, NOON_MS + QUARTER_MS)]
        assert told == [("facts", NOON_MS), ("settings", NOON_MS), ("facts", NOON_MS + 2)]


def test_exports_find_all_of_it_once(path: Path) -> None:
    with QuarterImport(path, RUN, NOON_MS + 4 * QUARTER_MS) as store:
        host = store.host("a", NOON_MS)
        entity = store.entity("gpu", "a", "GPU-0", parent=host, seen_ms=NOON_MS)
        store.describe(entity, NOON_MS, H100)
        store.add(Quarters([gpu(quarter, entity) for quarter in range(4)], []))
    with Reader(path) as reader:
        until_ms = NOON_MS + 4 * QUARTER_MS
        selection = select(reader, since_ms=NOON_MS, until_ms=until_ms, session=None)
        assert selection is not None
        assert (selection.from_ms, selection.to_ms) == (NOON_MS, until_ms)
        background = background_of(reader, selection)
        assert background.names.gpu(entity, until_ms) == H100
        assert {session.kind for session in sessions(reader)} == {"imported"}


def test_a_gpu_was_there_from_its_first_sample_to_its_last(path: Path) -> None:
    with QuarterImport(path, RUN, NOON_MS + 3 * QUARTER_MS) as store:
        store.add(Quarters([gpu(0, 1, observed_ms=60_000), gpu(0, 2)], []))
        store.add(Quarters([gpu(1, 1), gpu(1, 2, observed_ms=30_000)], []))
        store.add(Quarters([gpu(2, 1, observed_ms=400_000, gap_ms=500_000)], []))
    with Reader(path) as reader:
        assert reader.seen() == [
            Seen(1, 1, NOON_MS + QUARTER_MS - 60_000, NOON_MS + 3 * QUARTER_MS),
            Seen(2, 1, NOON_MS, NOON_MS + QUARTER_MS + 30_000),
        ]


def test_what_breaks_off_leaves_nothing_behind(path: Path) -> None:
    def broken_off() -> None:
        with QuarterImport(path, RUN, NOON_MS + QUARTER_MS) as store:
            store.host("a", NOON_MS)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken_off()
    assert list(path.parent.iterdir()) == []


def test_the_file_is_the_users_alone(path: Path) -> None:
    with QuarterImport(path, RUN, NOON_MS + QUARTER_MS):
        pass
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "fleet.db").write_text("somebody's")
    with pytest.raises(StoreError, match="is there already"):
        QuarterImport(tmp_path / "fleet.db", RUN, NOON_MS)
