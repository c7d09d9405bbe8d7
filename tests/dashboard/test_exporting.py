"""Exporting: what can be made of the moment on screen, and how it went in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import BOX, at
from tests.feeds.quiet_box import AdvancedClock, record_ticks
from tokwatch.cli import make_parser
from tokwatch.dashboard.exporting import Taking, chooser, folder, free_name, takings, told
from tokwatch.dashboard.long_work import Done, LongWork, Work

STORE = Path("/var/lib/tokwatch/store.db")


def taking(key: str, **changes: object) -> Taking:
    return next(each for each in takings(replace(BOX, **changes), STORE) if each.key == key)


def argument(of: Taking, name: str) -> str:
    return of.arguments[of.arguments.index(name) + 1]


def test_the_day_is_that_of_the_moment_on_screen_in_the_time_of_its_box() -> None:
    late = taking("d", timezone="Asia/Kathmandu", tick_ms=at("20:00"))  # 01:45 of the next day there
    assert (argument(late, "--since"), argument(late, "--until")) == ("2026-05-05", "2026-05-06")
    assert argument(late, "--tz") == "Asia/Kathmandu"
    assert late.file == "tokwatch-dgx-03-2026-05-05-gpu.csv"


def test_the_month_ends_where_the_next_one_begins() -> None:
    december = taking("f", tick_ms=at("10:00", day=4) + 214 * 86_400_000)
    assert (argument(december, "--since"), argument(december, "--until")) == ("2026-12-01", "2027-01-01")


def test_a_simulated_box_exports_what_it_simulates() -> None:
    assert "--simulated" not in taking("d").arguments
    assert "--simulated" in taking("d", kind="simulated").arguments


@pytest.mark.parametrize("host", ["../../etc", "a/b c", "\x1b]0;x\x07", "", "x" * 500, "模型"])
def test_a_file_stays_in_its_folder_whatever_the_host_is_called(host: str) -> None:
    for each in takings(replace(BOX, host=host), STORE):
        assert Path(each.file).name == each.file
        assert each.file.isascii()
        assert each.file.startswith("tokwatch-")
        assert len(each.file) < 120


def test_every_one_is_a_command_that_tokwatch_knows() -> None:
    for each in takings(BOX, STORE):
        make_parser().parse_args([*each.arguments, *(["--out", "x"] if each.writes_itself else [])])


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "a-2.csv").symlink_to("nowhere")
    assert free_name(tmp_path, "a.csv").name == "a-3.csv"


def test_files_go_home_where_the_working_directory_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder() == tmp_path
    monkeypatch.setattr("os.access", lambda *_: False)
    assert folder() == Path.home()


@pytest.mark.parametrize(
    ("done", "words", "severity"),
    [
        (Done(0, False, ()), "Written: /tmp/a.csv", "information"),
        (Done(1, False, ("tokwatch: the disk is full",)), "a.csv was not written: the disk is full", "error"),
        (Done(3, False, ()), "a.csv was not written: exit code 3", "error"),
        (Done(130, True, ("tokwatch: interrupted",)), "Cancelled: a.csv was not written.", "warning"),
    ],
)
def test_how_it_went_is_said_in_a_sentence(done: Done, words: str, severity: str) -> None:
    assert told(Path("/tmp/a.csv"), done) == (words, severity)


async def test_e_and_enter_choose_the_day(make_app: MakeApp) -> None:
    app = make_app()
    chosen: list[Taking | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.push_screen(chooser(takings(BOX, STORE), Path("/tmp")), chosen.append)
        await pilot.press("enter")
        app.push_screen(chooser(takings(BOX, STORE), Path("/tmp")), chosen.append)
        await pilot.press("down", "enter")
        app.push_screen(chooser(takings(BOX, STORE), Path("/tmp")), chosen.append)
        await pilot.press("f")
        app.push_screen(chooser(takings(BOX, STORE), Path("/tmp")), chosen.append)
        await pilot.press("escape")
    assert [each.key if each else None for each in chosen] == ["d", "m", "f", None]


def files_in(folder: Path) -> list[str]:
    """Beside the store."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("store"))


# --- the command beside the screen ------------------------------------------------------------------------------------


async def test_a_day_is_exported_beside_the_screen_with_its_progress(tmp_path: Path) -> None:
    store, out = tmp_path / "store.db", tmp_path / "day.csv"
    await record_ticks(store, AdvancedClock(), 5, price=2.0)
    shown: list[Work] = []
    done = await LongWork("exporting", shown.append).run(("export", "hourly", "--store", str(store)), out)
    assert (done.code, done.said) == (0, ())
    assert out.read_text().startswith("hour_start,")
    assert shown[-1].part == 1.0
    assert files_in(tmp_path) == ["day.csv"]


async def test_a_command_that_fails_leaves_no_file_and_its_words(tmp_path: Path) -> None:
    out = tmp_path / "day.csv"
    work = LongWork("exporting", lambda work: None)
    done = await work.run(("export", "hourly", "--store", str(tmp_path / "none.db")), out)
    assert done.code != 0
    assert "none.db" in done.said[-1]
    assert files_in(tmp_path) == []


async def test_a_file_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    store, out = tmp_path / "store.db", tmp_path / "day.csv"
    await record_ticks(store, AdvancedClock(), 2)
    out.write_text("mine")
    with pytest.raises(FileExistsError):
        await LongWork("exporting", lambda work: None).run(("export", "hourly", "--store", str(store)), out)
    assert out.read_text() == "mine"


async def test_cancelled_before_it_began_it_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    store, out = tmp_path / "store.db", tmp_path / "day.csv"
    await record_ticks(store, AdvancedClock(), 2)
    work = LongWork("exporting", lambda work: None)
    work.cancel()
    done = await work.run(("export", "hourly", "--store", str(store)), out)
    assert done.cancelled
    assert not out.exists()
