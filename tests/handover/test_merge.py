"""Several files as one: what each knows is in it, once, and adds up to what they know together."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.handover.fleet import BEGINS_MS, TICKS, Names, make_store
from tests.handover.looking import sessions_of, snapshots
from tests.store.records import NOON_MS, RUN, fill, record
from tokwatch.handover.merge import Merged, merge
from tokwatch.handover.share import Wish, share
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.bodies import PlacementBody
from tokwatch.ledger.entries import Entity
from tokwatch.store.errors import StoreError
from tokwatch.store.foreign import check_foreign
from tokwatch.store.reader import Reader

ENDS_MS = BEGINS_MS + TICKS * 1000
Sums = Counter[str]


def merged(out: Path, *files: Path, prices_of: Path | None = None) -> Merged:
    made = merge(files, out, prices_of=prices_of, replaces=True)
    check_foreign(out)
    return made


def sums(path: Path) -> Sums:
    """What ticks and quarter hours of a store add up to."""
    found: Sums = Counter()
    with Reader(path) as reader:
        for each in reader.records(None, 0, NOON_MS * 2):
            found["ticks"] += 1
            found["energy_mj"] += sum(gpu.energy_mj or 0 for gpu in each.gpus)
            found["output_tokens"] += sum(flow.output_tokens or 0 for flow in each.flows)
        quarters = reader.quarters(0, NOON_MS * 2)
        found["energy_mj of quarters"] = sum(row.energy_mj or 0 for row in quarters.gpus)
        found["output_tokens of quarters"] = sum(row.output_tokens or 0 for row in quarters.flows)
    return found


def cut(source: Path, out: Path, run: int, from_ms: int, to_ms: int) -> Path:
    share(source, out, Wish(run, from_ms, to_ms, keep_names=True), on_tick=lambda tick_ms: None)
    return out


seconds = st.sets(st.integers(1, 4000), min_size=1, max_size=12).map(sorted)


@given(st.lists(seconds, min_size=1, max_size=3))
@settings(max_examples=5, deadline=None)
def test_the_parts_add_up_to_the_whole(hosts: list[list[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.db" for number in range(len(hosts))]
        for number, (path, ticks) in enumerate(zip(files, hosts, strict=True)):
            things = (
                Entity(1, "gpu", f"host {number}", "GPU-0", 0, NOON_MS),
                Entity(9, "server", f"host {number}", "a|vllm", 0, NOON_MS),
                Entity(11, "flow", f"host {number}", '[9, "m", "", "", ""]', 9, NOON_MS),
            )
            records = [record(NOON_MS + second * 1000) for second in ticks]
            fill(path, [replace(records[0], entities=things), *records[1:]], replace(RUN, host=f"host {number}"))
        merged(Path(folder) / "all.db", *files)
        assert sums(Path(folder) / "all.db") == sum(map(sums, files), Counter())


@pytest.fixture(name="two")
def _two(tmp_path: Path) -> tuple[Path, Path]:
    """Two hosts that were recorded at the very same milliseconds."""
    first, second = tmp_path / "a.db", tmp_path / "b.db"
    make_store(first, Names())
    make_store(second, Names(host="dgx-04", boot="other-boot", uuid="GPU-77", address="10.2.3.5:8000"))
    return first, second


def test_ticks_of_one_millisecond_are_moved_on_by_one(two: tuple[Path, Path], tmp_path: Path) -> None:
    merged(tmp_path / "all.db", *two, prices_of=two[0])
    with Reader(tmp_path / "all.db") as reader:
        ticks = [each.tick.tick_ms for each in reader.records(None, 0, NOON_MS * 2)]
    assert ticks[:4] == [BEGINS_MS + 1000, BEGINS_MS + 1001, BEGINS_MS + 2000, BEGINS_MS + 2001]
    assert len(ticks) == 2 * TICKS


def test_each_host_shows_what_it_showed_by_itself(two: tuple[Path, Path], tmp_path: Path) -> None:
    merged(tmp_path / "all.db", *two, prices_of=two[0])
    by_itself = list(snapshots(two[0], sessions_of(two[0])[0], named=""))
    found = next(session for session in sessions_of(tmp_path / "all.db") if session.host == "dgx-03")
    together = list(snapshots(tmp_path / "all.db", found, named=""))
    assert [each["totals"] for each in together] == [each["totals"] for each in by_itself]
    assert [each["traffic"] for each in together] == [each["traffic"] for each in by_itself]


def test_what_refers_to_a_thing_refers_to_it_still(two: tuple[Path, Path], tmp_path: Path) -> None:
    merged(tmp_path / "all.db", *two, prices_of=two[0])
    with Reader(tmp_path / "all.db") as reader:
        keys = {entity.id: (entity.host, entity.key) for entity in reader.entities()}
        for event in reader.events(0, NOON_MS * 2):
            if event.kind == "placement":
                host, _ = keys[event.entity]
                placed = msgspec.json.decode(event.body, type=PlacementBody)
                assert {keys[server][0] for server in placed.servers} == {host}
            if event.kind == "alert" and event.key == "parked":
                alert = msgspec.json.decode(event.body, type=AlertBody)
                assert [keys[gpu][1].startswith("GPU-") for gpu in alert.gpus] == [True]
        for each in reader.records(None, 0, NOON_MS * 2):
            assert {keys[gpu.entity][0] for gpu in each.gpus} == {keys[host.entity][0] for host in each.hosts}


def test_a_file_that_comes_twice_counts_once(two: tuple[Path, Path], tmp_path: Path) -> None:
    merged(tmp_path / "once.db", two[0])
    made = merged(tmp_path / "twice.db", two[0], two[0])
    assert (made.runs, made.twice) == (1, 1)
    assert sums(tmp_path / "twice.db") == sums(tmp_path / "once.db")
    merged(tmp_path / "again.db", tmp_path / "twice.db", two[0])
    assert sums(tmp_path / "again.db") == sums(tmp_path / "once.db")


@given(st.tuples(*(st.integers(0, TICKS) for _ in range(4))))
@settings(max_examples=4, deadline=None)
def test_cuts_that_overlap_count_once(edges: tuple[int, int, int, int]) -> None:
    (a, b), (c, d) = sorted(edges[:2]), sorted(edges[2:])
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "store.db"
        run = make_store(source, Names())
        files = [
            cut(source, Path(folder) / f"{number}.db", run, BEGINS_MS + from_ * 1000 - 1, BEGINS_MS + (to + 1) * 1000)
            for number, (from_, to) in enumerate(((a, b), (c, d)))
        ]
        merged(Path(folder) / "all.db", *files)
        # Ticks before a cut's range come with it, for its first figures: here all of them.
        whole = sums(cut(source, Path(folder) / "whole.db", run, BEGINS_MS - 1, BEGINS_MS + (max(b, d) + 1) * 1000))
        assert sums(Path(folder) / "all.db") == whole


def test_books_that_differ_are_a_question(two: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"different price books.*--prices-of"):
        merged(tmp_path / "all.db", *two)
    merged(tmp_path / "all.db", *two, prices_of=two[1])
    with Reader(tmp_path / "all.db") as reader, Reader(two[1]) as chosen:
        assert [each.book for each in reader.prices()] == [each.book for each in chosen.prices()]


def shared(source: Path, out: Path, run: int = 1) -> Path:
    share(source, out, Wish(run, BEGINS_MS, ENDS_MS), on_tick=lambda tick_ms: None)
    return out


def test_stand_ins_of_two_hosts_stay_two_hosts(two: tuple[Path, Path], tmp_path: Path) -> None:
    files = [shared(two[0], tmp_path / "1.db"), shared(two[1], tmp_path / "2.db")]
    made = merged(tmp_path / "all.db", *files, prices_of=files[0])
    assert made.hosts == ("host-1", "host-1-2")
    assert made.unlike_names
    with Reader(tmp_path / "all.db") as reader:
        gpus = [(entity.host, entity.key) for entity in reader.entities() if entity.kind == "gpu"]
    assert gpus == [("host-1", "GPU-0001"), ("host-1-2", "GPU-0001")]


def test_one_recording_under_two_names_is_refused(two: tuple[Path, Path], tmp_path: Path) -> None:
    files = [shared(two[0], tmp_path / "1.db"), shared(two[0], tmp_path / "2.db")]
    for other in (files[1], two[0]):
        with pytest.raises(StoreError, match="the same recording, and names were replaced"):
            merged(tmp_path / "all.db", files[0], other, prices_of=files[0])
    assert merged(tmp_path / "all.db", files[0], files[0]).twice == 1


def test_ranges_that_were_offered_are_offered_still(two: tuple[Path, Path], tmp_path: Path) -> None:
    file = cut(two[0], tmp_path / "cut.db", 1, BEGINS_MS + 9_999, ENDS_MS)
    merged(tmp_path / "all.db", file, two[1], prices_of=file)
    found = sessions_of(tmp_path / "all.db")
    assert [(session.host, session.named, session.from_ms) for session in found] == [
        ("dgx-04", False, BEGINS_MS + 1000),
        ("dgx-03", True, BEGINS_MS + 9_999),
    ]


def test_a_range_that_comes_twice_is_offered_once(two: tuple[Path, Path], tmp_path: Path) -> None:
    file = cut(two[0], tmp_path / "cut.db", 1, BEGINS_MS + 9_999, ENDS_MS)
    merged(tmp_path / "all.db", file, two[1], prices_of=file)
    merged(tmp_path / "again.db", tmp_path / "all.db", file, prices_of=file)
    assert sessions_of(tmp_path / "again.db") == sessions_of(tmp_path / "all.db")
