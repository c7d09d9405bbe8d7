"""A shared file tells no name: not in its rows, its packed bodies or free pages, nor on the screen of its replay."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.handover.fleet import BEGINS_MS, TICKS, Names, make_store
from tests.handover.looking import everything_in, sessions_of, snapshots
from tokwatch.handover.share import Shared, Wish, share
from tokwatch.store.cut import read_cut
from tokwatch.store.reader import Reader

ENDS_MS = BEGINS_MS + TICKS * 1000


def secret(number: int) -> st.SearchStrategy[str]:
    """A name that occurs nowhere by chance; each of a fleet has another number."""
    letters = st.text("bcdfghjkmpqvwxz", min_size=6, max_size=10)
    shape = st.sampled_from(
        ["{}", "{}-7b", "{}.example.org", "{} {}", "{}/{}", "{}_x:y", "{}'s", "GPU-{}", "{}[*]", "Ü{}"]
    )
    return st.builds(lambda word, text: text.replace("{}", f"{word}Q{number}"), letters, shape)


fleets = st.builds(Names, *(secret(number) for number in range(12)))


def cut(source: Path, out: Path, run: int, *, keep_names: bool = False, prices: bool = True) -> Shared:
    wish = Wish(run, BEGINS_MS + 10_000, ENDS_MS, keep_names=keep_names, prices=prices)
    return share(source, out, wish, on_tick=lambda tick_ms: None)


def seen_in(file: Path, shown: list[dict[str, Any]]) -> str:
    return (everything_in(file) + msgspec.json.encode(shown)).decode(errors="replace").casefold()


@given(fleets)
@settings(max_examples=8, deadline=None)
def test_no_name_of_any_fleet_leaves_the_house(names: Names) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "store.db", Path(folder) / "cut.db"
        cut(source, out, make_store(source, names))
        (session,) = sessions_of(out)
        shown = list(snapshots(out, session))
        everything = seen_in(out, shown)
        assert [name for name in names.all() if name.casefold() in everything] == []
        words = {word for name in names.all() for word in name.casefold().split() if "q" in word}
        assert [word for word in words if word in everything] == []
        assert len(shown) == 20


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> tuple[Path, int]:
    path = tmp_path / "store.db"
    return path, make_store(path, Names())


def test_the_same_name_is_the_same_stand_in_everywhere(source: tuple[Path, int], tmp_path: Path) -> None:
    cut(source[0], tmp_path / "cut.db", source[1])
    shown = list(snapshots(tmp_path / "cut.db", sessions_of(tmp_path / "cut.db")[0]))[-1]
    assert shown["host"] == "host-1"
    assert [gpu["uuid"] for gpu in shown["gpus"]] == ["GPU-0001"]
    assert [(server["address"], server["model"], server["owner"]) for server in shown["servers"]] == [
        ("server-1", "model-1", "user-1")
    ]
    assert shown["gpus"][0]["serves"].startswith("model-1")
    assert [(row["model"], row["tenant"]) for row in shown["traffic"]] == [("model-1", "tenant-1")]


def test_what_names_nobody_stays(source: tuple[Path, int], tmp_path: Path) -> None:
    cut(source[0], tmp_path / "cut.db", source[1])
    shown = list(snapshots(tmp_path / "cut.db", sessions_of(tmp_path / "cut.db")[0]))[-1]
    assert shown["hardware"] == "1× H100 80GB HBM3"
    assert shown["engines"] == [["vllm", 1]]
    assert shown["servers"][0]["problem"] == "server-1 closed the connection"
    assert shown["servers"][0]["facts"] == [["precision", "fp8"], ["served as", "model-1"]]
    assert shown["totals"]["usd_per_hour"]["value"] == 2.5  # by the GPU's UUID, which is another one now


def test_free_text_in_other_words_than_ours_is_removed(source: tuple[Path, int], tmp_path: Path) -> None:
    cut(source[0], tmp_path / "cut.db", source[1])
    shown = list(snapshots(tmp_path / "cut.db", sessions_of(tmp_path / "cut.db")[0]))[-1]
    assert shown["gpus"][0]["note"] == "(removed); Xid 79: GPU fell off the bus"
    assert {probe["found"] for probe in shown["probes"]} == {"(removed)"}
    assert shown["problems"] == ["(removed)"]


def test_events_of_a_kind_nobody_knows_are_left_out_and_counted(source: tuple[Path, int], tmp_path: Path) -> None:
    assert cut(source[0], tmp_path / "cut.db", source[1]).left_out == {"gossip": 1}


def test_names_are_kept_when_asked_for(source: tuple[Path, int], tmp_path: Path) -> None:
    shared = cut(source[0], tmp_path / "cut.db", source[1], keep_names=True)
    assert shared.replaced == {}
    (session,) = sessions_of(tmp_path / "cut.db")
    (before,) = sessions_of(source[0])
    whole = list(snapshots(source[0], before, named=session.id))
    shown = list(snapshots(tmp_path / "cut.db", session))
    assert shown == whole[-20:]
    everything = seen_in(tmp_path / "cut.db", shown)
    assert [name for name in Names().all() if name.casefold() not in everything] == []  # where they are, they are found


def test_prices_stay_home_when_asked_for(source: tuple[Path, int], tmp_path: Path) -> None:
    cut(source[0], tmp_path / "cut.db", source[1], prices=False)
    with Reader(tmp_path / "cut.db") as reader:
        assert (reader.prices(), reader.closes()) == ([], [])
        assert [mute.reason for mute in reader.mutes()] == ["(removed)"]
    shown = list(snapshots(tmp_path / "cut.db", sessions_of(tmp_path / "cut.db")[0]))[-1]
    assert shown["totals"]["usd_per_hour"]["value"] is None


def test_the_file_says_how_it_was_made(source: tuple[Path, int], tmp_path: Path) -> None:
    cut(source[0], tmp_path / "cut.db", source[1])
    with Reader(tmp_path / "cut.db") as reader:
        told = read_cut(reader.meta())
    assert told is not None
    assert (told.from_ms, told.to_ms, told.names_replaced, told.prices) == (BEGINS_MS + 10_000, ENDS_MS, True, True)


def test_only_its_owner_may_read_it(source: tuple[Path, int], tmp_path: Path) -> None:
    cut(source[0], tmp_path / "cut.db", source[1])
    assert (tmp_path / "cut.db").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir() if not each.name.startswith("store.db")] == ["cut.db"]
