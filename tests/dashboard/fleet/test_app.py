"""The fleet's app: tabs, time, failures, help, and terminals that can little."""

from __future__ import annotations

import sys

import pytest
from msgspec.structs import replace

from tests.dashboard.baseline import text_of
from tests.dashboard.fleet.scene import PARTIAL, REFUSED, app_of, fail, feed_of, fleet_of, paused
from tests.dashboard.hostile import HOSTILE
from tests.feeds.quiet_box import NOON_MS
from tests.ledger.fleet.made import NOW_MS, book, fleet, flow, host
from tokwatch.dashboard.cells import REPLACEMENT
from tokwatch.dashboard.fleet.doors import run, through
from tokwatch.dashboard.fleet.listing import Group
from tokwatch.dashboard.fleet.widgets.replica_list import ReplicaRows
from tokwatch.feeds.fleet import HostDoor
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.snapshot import FleetSnapshot
from tokwatch.ledger.fleet.tally import SourceNote
from tokwatch.ledger.prices.book import PriceBook


async def test_before_anything_is_answered_it_says_what_it_does() -> None:
    app = app_of(fleet_of())
    feed_of(app)._queue.get_nowait()
    async with app.run_test(size=(80, 24)) as pilot:
        for key in "1234":
            await pilot.press(key)
            await pilot.pause()
            assert "asking for the fleet" in "\n".join(text_of(app))


@pytest.mark.parametrize(
    ("key", "words"),
    [("1", "no host is told of"), ("2", "no model is told of"), ("3", "no host is told of"), ("4", "none set")],
)
async def test_a_fleet_without_a_host_has_every_screen(key: str, words: str) -> None:
    app = app_of(fleet_snapshot(fleet(), PriceBook()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press(key)
        await pilot.pause()
        assert app.failure is None
        assert words in "\n".join(text_of(app))


async def test_a_failure_and_a_partial_answer_stand_on_every_screen() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await fail(pilot, app)
        for key in "1234":
            await pilot.press(key)
            await pilot.pause()
            rows = text_of(app)
            assert "× NO ANSWER for 42s" in rows[0]
            assert REFUSED in "\n".join(rows)
            assert PARTIAL in "\n".join(rows)


async def test_how_the_source_is_asked_stands_on_every_screen_where_the_user_should_know() -> None:
    unsafe = "prom:9090: certificates are not checked (insecure): anybody between may answer"
    app = app_of(fleet_of(notices=(unsafe,)))
    async with app.run_test(size=(120, 40)) as pilot:
        for key in "1234":
            await pilot.press(key)
            await pilot.pause()
            rows = text_of(app)
            assert f"{unsafe}" in "\n".join(rows)
            assert "partial answer" not in "\n".join(rows)


async def test_keys_of_time_reach_the_feed() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("space", "left", "right", "shift+left", "right_square_bracket", "end", "home")
        first_ms = NOON_MS - 6 * 3_600_000
        assert feed_of(app).told == [
            ("pause",), ("step", -1), ("step", 1), ("step", -60), ("set_speed", 2.0), ("go_live",), ("seek", first_ms),
        ]  # fmt: skip
        await pilot.press("g", *"-10m", "enter")
        await pilot.pause()
        assert feed_of(app).told[-1] == ("seek", NOON_MS - 600_000)


async def test_the_past_shows_where_it_stands() -> None:
    app = app_of(paused(fleet_of()))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        rows = text_of(app)
        assert "PAUSED" in rows[0]
        assert "1h 00m behind" in rows[0]
        assert "▼" in rows[-2]


async def test_a_group_of_sites_leads_to_its_hosts() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("3", "down", "down", "enter")
        await pilot.pause()
        item = app.show_hosts().hosts.item
        assert isinstance(item, Group)
        assert (item.row.name, item.opened) == ("oslo", True)


async def test_replicas_keep_their_places_while_their_requests_go_up_and_down() -> None:
    def busy(first: int, second: int) -> FleetSnapshot:
        hosts = (host("h1", flow(running=first)), host("h2", flow(running=second)))
        return fleet_snapshot(fleet(*hosts), PriceBook())

    app = app_of(busy(20, 21))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("2", "enter")
        for now in (busy(20, 21), busy(21, 20)):
            feed_of(app).send(now)
            await pilot.pause()
            replicas = app.screen.query_one(ReplicaRows).replicas()
            assert [replica.host for replica in replicas] == ["h1", "h2"]


async def test_hosts_in_trouble_are_told_the_worst_first() -> None:
    late = {"t1_ms": NOW_MS - 60_000}
    hosts = (host("h1", clock_skew_ms=4_000), host("h2", **late), host("h3", up=False, **late))
    app = app_of(fleet_snapshot(fleet(*hosts), PriceBook()))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("4")
        await pilot.pause()
        rows = [row.split()[1:3] for row in text_of(app) if row.split()[2:3] and row.split()[2] in ("h1", "h2", "h3")]
        assert rows == [["down", "h3"], ["stale", "h2"], ["clock", "h1"]]


async def test_a_deployment_leads_to_its_replicas_and_those_to_hosts() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("2", "down", "down", "enter")
        await pilot.pause()
        assert "left out: no request while others queue" in "\n".join(text_of(app))
        await pilot.press("enter")
        await pilot.pause()
        assert text_of(app)[2].split()[0] in {"ash-018", "osl-002"}
        await pilot.press("1")
        await pilot.pause()
        assert len(app.screen_stack) == 1


async def test_a_deployment_that_nobody_asks_says_why_it_has_no_latency() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("2", *["down"] * 4, "enter")
        await pilot.pause()
        assert "TTFT – no request finished  TPOT – no request finished  uneven – no requests" in text_of(app)[3]


async def test_help_tells_the_keys_the_filter_and_the_states() -> None:
    app = app_of()
    async with app.run_test(size=(200, 120)) as pilot:
        await pilot.pause()
        await pilot.press("question_mark")
        await pilot.pause()
        text = "\n".join(text_of(app))
        for words in (
            "Group by region, cluster",
            "state:down,stale",
            "no request here, while some wait",
            "Pause or play",
        ):
            assert words in text
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen_stack) == 1


async def test_every_key_of_the_palette_is_an_action() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert "Into the host: its own dashboard" in titles
        assert any(title.startswith("Theme ") for title in titles)


async def test_a_defect_of_the_feed_ends_the_app_with_words() -> None:
    app = app_of()
    feed_of(app).fails = ValueError("a defect")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
    assert isinstance(app.failure, ValueError)
    assert app.return_code == 1
    assert feed_of(app).closed


@pytest.mark.parametrize("theme", ["light", "colour-blind-dark"])
async def test_themes_change_under_every_screen(theme: str) -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        before = text_of(app)
        app.show_theme(theme)
        await pilot.pause()
        assert text_of(app)[3:20] == before[3:20]


async def test_on_a_terminal_of_ascii_everything_is_ascii() -> None:
    app = app_of(ascii_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        for keys in ((), ("2",), ("enter",), ("3",), ("4",), ("question_mark",)):
            await pilot.press(*keys)
            await pilot.pause()
            assert all(row.isascii() for row in text_of(app))


# --- hostile names ----------------------------------------------------------------------------------------------------


def hostile() -> FleetSnapshot:
    """Every text of every host, model and source attacks whoever displays it."""
    hosts = [
        replace(
            host(f"{number}{text}", flow(text, engine=text), flow(f"b{text}")),
            gpu_model=text, region=text, cluster=text, agent=text, problem=text, up=number % 3 > 0,
        )
        for number, text in enumerate(HOSTILE)
    ]  # fmt: skip
    notes = tuple(SourceNote(text, False, text, text) for text in HOSTILE)
    tally = fleet(*hosts, source=HOSTILE[0], warnings=HOSTILE, notes=notes)
    return fleet_snapshot(tally, book(), problems=HOSTILE[:2])


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_no_name_reaches_the_terminal_as_more_than_text(size: tuple[int, int]) -> None:
    app = app_of(hostile())
    walks = (
        (), ("enter",), ("escape", "G", "m"), ("enter",), ("2",), ("enter",), ("enter",), ("3", "G", "m"), ("enter",),
        ("4",), ("question_mark",),
    )  # fmt: skip
    async with app.run_test(size=size) as pilot:
        for keys in walks:
            await pilot.press(*keys)
            await pilot.pause()
            assert app.failure is None
            for row in text_of(app):
                assert all(char.isprintable() or char == REPLACEMENT for char in row)


# --- doors ------------------------------------------------------------------------------------------------------------


def test_a_door_tells_how_its_program_ended() -> None:
    assert run(HostDoor((sys.executable, "-c", "raise SystemExit(3)"), "a program")) == 3


@pytest.mark.parametrize(
    ("argv", "how"),
    [
        ((sys.executable, "-c", ""), ""),
        ((sys.executable, "-c", "raise SystemExit(3)"), "ended with exit code 3"),
        ((sys.executable, "-c", "import os; os.kill(os.getpid(), 15)"), "was ended by signal 15"),
        (("/nowhere/ssh",), "could not be started: [Errno 2] No such file or directory: '/nowhere/ssh'"),
        (("ssh", "\0"), "could not be started: embedded null byte"),
    ],
)
def test_a_door_that_fails_says_how_and_never_keeps_the_terminal(argv: tuple[str, ...], how: str) -> None:
    assert through(HostDoor(argv, "a program")) == how


async def test_without_a_terminal_to_lend_a_door_says_so() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        super(type(app), app).go_through(HostDoor(("true",), "a look"))
        await pilot.pause()
        assert [note.message for note in app._notifications] == [
            "This terminal cannot be lent to another program: a look."
        ]
