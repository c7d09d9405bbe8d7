"""Hosts: finding, arranging and opening them with keys."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Static

from tests.dashboard.baseline import text_of
from tests.dashboard.fleet.scene import FleetAppInTest, app_of, feed_of, fleet_of
from tests.ledger.fleet.made import book, fleet, flow, host
from tokwatch.dashboard.fleet.host_columns import host_columns
from tokwatch.dashboard.fleet.listing import Group
from tokwatch.dashboard.fleet.screens.host import HostScreen
from tokwatch.dashboard.fleet.screens.hosts import HostsScreen
from tokwatch.dashboard.fleet.widgets.replica_list import ReplicaRows
from tokwatch.feeds.fleet import HostDoor
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.balance import LEFT_OUT
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.snapshot import FleetSnapshot
from tokwatch.ledger.fleet.tally import HostKey


def home(app: FleetAppInTest) -> HostsScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, HostsScreen)
    return screen


async def after(pilot: Pilot[Any], *keys: str) -> list[str]:
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, FleetAppInTest)
    return text_of(app)


async def test_a_filter_shows_its_effect_while_it_is_typed() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        rows = await after(pilot, "slash", *"state:down")
        assert [row.split()[1] for row in rows if "down 14m" in row] == ["ash-003"]
        assert "1 of 60 shown" in "\n".join(rows)
        rows = await after(pilot, "enter", "escape")
        assert "all 60" in "\n".join(rows)


async def test_a_filter_finds_hosts_with_a_free_gpu_among_others() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "slash", *"state:free site:oslo", "enter")
        hosts = home(app).listing.of(fleet_of()).hosts
        assert hosts
        assert all(row.site == "oslo" and row.gpus_idle for row in hosts)


async def test_what_cannot_be_read_is_told_and_not_kept() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "slash", *"colour>3", "enter")
        hint = str(app.screen.query_one("#hint", Static).content)
        assert hint.startswith("no figure is called colour: tok/s")
        await after(pilot, "escape")
        assert len(home(app).listing.of(fleet_of()).hosts) == 60


async def test_sorting_puts_the_dearest_idleness_first_and_the_cursor_on_it() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "s", "i")
        items = home(app).hosts.items()
        idle = [row.idle_usd_per_hour.value or 0.0 for row in items if not isinstance(row, Group)]
        assert idle == sorted(idle, reverse=True)
        assert home(app).hosts.item == items[0]
        await after(pilot, "s", "i")
        assert home(app).listing.view.sort.falling is False


async def test_groups_begin_closed_and_open_with_enter() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        rows = await after(pilot, "G", "r")
        assert sum("▸" in row and "20 hosts" in row for row in rows) == 3
        await after(pilot, "down", "enter")
        items = home(app).hosts.items()
        assert sum(isinstance(item, Group) for item in items) == 3
        assert {item.region for item in items if not isinstance(item, Group)} == {"eu-west"}
        await after(pilot, "enter")
        assert len(home(app).hosts.items()) == 3


@pytest.mark.parametrize(
    ("key", "by"), [("r", "region"), ("c", "cluster"), ("i", "site"), ("m", "model"), ("s", "state")]
)
async def test_every_grouping_adds_up(key: str, by: str) -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "G", key)
        items = home(app).hosts.items()
        assert home(app).listing.view.group == by
        assert sum(item.row.hosts for item in items if isinstance(item, Group)) == 60


async def test_groups_of_states_come_as_they_need_to_be_seen_and_their_hosts_stand_under_them() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        rows = await after(pilot, "G", "s", "enter")
        names = [item.row.name for item in home(app).hosts.items() if isinstance(item, Group)]
        assert (names[:2], names[-1]) == (["down", "saturated"], "serving")
        (group,), (under,) = ([row for row in rows if text in row] for text in ("▾ down", "ash-003"))
        assert under.index("ash-003") == group.index("down")


# --- hosts of one name ------------------------------------------------------------------------------------------------


def of_one_name() -> FleetSnapshot:
    """Each cluster has a gpu-01; that of b is left out."""
    busy = host("gpu-01", flow(running=40, waiting=4), cluster="a")
    quiet = host("gpu-01", flow(running=0, output=0), cluster="b", states=((State.PARKED, 8),))
    return fleet_snapshot(fleet(busy, quiet, host("gpu-02", flow(), cluster="a")), book())


async def test_hosts_of_one_name_say_where_they_are_and_can_all_be_walked_over() -> None:
    app = app_of(of_one_name())
    async with app.run_test(size=(120, 40)) as pilot:
        rows = "\n".join(await after(pilot, "down", "down"))
        assert home(app).hosts.cursor == 2
        assert "gpu-01 (a)" in rows
        assert "gpu-01 (b)" in rows
        assert "gpu-02 (a)" not in rows


async def test_the_cursor_stays_with_the_host_of_its_cluster() -> None:
    snapshot = of_one_name()
    app = app_of(snapshot)
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "down")
        feed_of(app).send(replace(snapshot, hosts=snapshot.hosts[::-1]))
        await pilot.pause()
        item = home(app).hosts.item
        assert item is not None
        assert not isinstance(item, Group)
        assert item.key == HostKey("gpu-01", cluster="b")


async def test_of_hosts_of_one_name_the_one_under_the_cursor_is_opened_and_looked_into() -> None:
    app = app_of(of_one_name())
    doors = {HostKey("gpu-01", cluster=cluster): HostDoor((cluster,), cluster) for cluster in "ab"}
    feed_of(app).doors = dict(doors)
    async with app.run_test(size=(120, 40)) as pilot:
        rows = await after(pilot, "down", "enter")
        assert "gpu-01 (b)" in rows[2]
        assert "left out" in "\n".join(rows)
        await after(pilot, "o")
        await after(pilot, "escape", "2", "enter")
        replicas = app.screen.query_one(ReplicaRows).replicas()
        assert [(each.label, each.verdict) for each in replicas] == [
            ("gpu-01 (a)", "2.0× the mean"), ("gpu-01 (b)", LEFT_OUT), ("gpu-02", ""),
        ]  # fmt: skip
        await after(pilot, "down", "o")
        assert [door.words for door in app.gone_through] == ["b", "b"]


async def test_a_host_stays_open_while_its_place_is_not_told_unless_it_may_be_another() -> None:
    snapshot = of_one_name()
    app = app_of(snapshot)
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "enter")
        unplaced = fleet_snapshot(fleet(host("gpu-01", flow())), book())
        feed_of(app).send(unplaced)
        await pilot.pause()
        assert text_of(app)[2].split()[0] == "gpu-01"
        elsewhere = fleet_snapshot(fleet(host("gpu-01", flow(), cluster="b")), book())
        feed_of(app).send(elsewhere)
        await pilot.pause()
        assert "gpu-01 is not told of at this moment" in "\n".join(text_of(app))


async def test_a_host_that_cannot_be_told_from_another_is_not_guessed() -> None:
    app = app_of(of_one_name())
    feed_of(app).no_door = SourceError("gpu-01 (b): its labels cannot be asked for")
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "o")
        told = [note.message for note in app._notifications]
        assert told == ["There is no way into gpu-01 (b): its labels cannot be asked for."]
        assert app.gone_through == []


# --- the cursor, and opening ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 50, 60, 64, 72])
async def test_no_number_is_cut_however_narrow_the_terminal(width: int) -> None:
    app = app_of()
    async with app.run_test(size=(width, 15)) as pilot:
        await after(pilot)
        places = host_columns(width, home(app).listing.view.columns)
        assert max(place.end for place in places.values()) <= width - 1


async def test_the_cursor_stays_with_its_host_when_the_order_changes() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "down", "down")
        before = fleet_of()
        feed_of(app).send(replace(before, hosts=before.hosts[::-1]))
        await pilot.pause()
        item = home(app).hosts.item
        assert item is not None
        assert not isinstance(item, Group)
        assert item.host == before.hosts[2].host


async def test_a_thousand_hosts_can_be_walked_to_the_end() -> None:
    app = app_of(fleet_of(1000))
    async with app.run_test(size=(120, 40)) as pilot:
        rows = await after(pilot, "greater_than_sign")
        assert any(row.strip().startswith("▌ osl-333") for row in rows)
        assert "1 000 hosts" in rows[0]
        rows = await after(pilot, "less_than_sign")
        assert any(row.strip().startswith("▌ osl-000") for row in rows)


async def test_enter_opens_a_host_and_enter_again_its_door() -> None:
    app = app_of()
    door = HostDoor(("ssh", "-t", "--", "osl-000", "tokwatch"), "tokwatch on osl-000, over ssh")
    feed_of(app).doors[fleet_of().hosts[0].key] = door
    async with app.run_test(size=(120, 40)) as pilot:
        rows = await after(pilot, "enter")
        assert isinstance(app.screen, HostScreen)
        assert rows[2].split() == ["osl-000", "8×", "H100", "80GB", "HBM3"]
        await after(pilot, "enter")
        assert app.gone_through == [door]
        await after(pilot, "escape", "o")
        assert app.gone_through == [door, door]


async def test_a_host_without_a_door_says_so() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "o")
        assert [note.message for note in app._notifications] == ["There is no way into this host: its source has none."]


async def test_a_host_that_is_gone_later_is_told_to_be() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot, "enter")
        feed_of(app).send(replace(fleet_of(), hosts=fleet_of().hosts[1:]))
        await pilot.pause()
        assert "osl-000 is not told of at this moment" in "\n".join(text_of(app))


async def test_columns_are_chosen_with_the_list_in_sight() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        rows = await after(pilot, "C", "space", "enter")  # the first one: models
        assert "MODELS" not in "\n".join(rows)


async def test_the_list_can_be_taken_away_as_a_table() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await after(pilot)
        lines = home(app).table().splitlines()
        assert len(lines) == 61
        assert lines[0].split("\t")[:4] == ["HOST", "STATE", "MODELS", "TOK/S"]
        down = next(line for line in lines if line.startswith("ash-003"))
        assert down.split("\t")[:4] == ["ash-003", "down", "DeepSeek-V3", ""]


async def test_nothing_is_drawn_anew_when_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await after(pilot)
        refreshed: list[object] = []
        for canvas in home(app).canvases:
            monkeypatch.setattr(canvas, "refresh", lambda *regions, **_: refreshed.append(regions))
        feed_of(app).send(replace(fleet_of()))
        await pilot.pause()
        assert refreshed == []
