"""What of the fleet's lists lasts beyond a run."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.fleet.scene import app_of
from tokwatch.dashboard.arrange.language import EVERYTHING
from tokwatch.dashboard.fleet.app import FleetApp
from tokwatch.dashboard.fleet.choices import remembered_grouping, remembered_view, to_remember
from tokwatch.dashboard.fleet.host_columns import HOST_CHOICE, HOST_USUAL
from tokwatch.dashboard.fleet.host_fields import HOST_FIELDS, HOSTS
from tokwatch.dashboard.fleet.listing import HostSort, HostView
from tokwatch.dashboard.fleet.screens.hosts import HostsScreen
from tokwatch.dashboard.fleet.screens.sites import SitesScreen
from tokwatch.dashboard.remembered import Memory, Remembered
from tokwatch.ledger.fleet.groups import GROUPINGS

VIEWS = st.builds(
    HostView,
    sort=st.builds(
        HostSort, st.sampled_from([key for key, field in HOST_FIELDS.items() if field.letter]), st.booleans()
    ),
    group=st.sampled_from(("", *GROUPINGS)),
    columns=st.permutations(HOST_CHOICE).map(lambda keys: tuple(keys[:7])),
)


def view_of(app: FleetApp) -> HostView:
    screen = app.screen_stack[0]
    assert isinstance(screen, HostsScreen)
    return screen.listing.view


@given(VIEWS)
def test_a_view_comes_back_as_it_was(view: HostView) -> None:
    assert remembered_view(Remembered(**to_remember(view))) == view


def test_a_filter_and_opened_groups_do_not_come_back() -> None:
    view = HostView(filter=HOSTS.parse("idle"), opened=frozenset({"oslo"}))
    found = remembered_view(Remembered(**to_remember(view)))
    assert (found.filter, found.opened) == (EVERYTHING, frozenset())


def test_what_this_version_does_not_know_is_as_usual() -> None:
    strange = Remembered(sort="smell", group="colour", columns=("power", "smell", "power"), sites="colour")
    assert remembered_view(strange) == HostView(columns=("power",))
    assert remembered_view(Remembered(sort="memory_bar")).sort == HostSort()
    assert remembered_view(Remembered()).columns == HOST_USUAL
    assert remembered_grouping(strange) == "site"


async def test_the_next_run_begins_as_this_one_was_left(tmp_path: Path) -> None:
    file = tmp_path / "fleet-view.json"
    app = app_of(memory=Memory(file))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("s", "i", "G", "r", "C", "space", "enter")  # without the first column: models
        await pilot.press("3", "G", "c", "t")
        if writing := [each for each in app.workers if each.group == "memory"]:
            await app.workers.wait_for_complete(writing)
        left, theme = view_of(app), app.theme
    app = app_of(memory=Memory(file))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert app.theme == theme
        assert view_of(app) == left
        assert (left.sort, left.group, "models" in left.columns) == (HostSort("idle_usd", True), "region", False)
        await pilot.press("3")
        await pilot.pause()
        assert isinstance(app.screen, SitesScreen)
        assert app.screen.listing.by == "cluster"


async def test_hosts_of_a_site_are_shown_for_this_run_alone(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "fleet-view.json")
    app = app_of(memory=memory)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("3", "enter")
        await pilot.pause()
        assert view_of(app).group == "site"
        assert memory.recall() == Remembered()


async def test_a_view_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "tokwatch").write_text("a file where the directory should be")
    app = app_of(memory=Memory(tmp_path / "tokwatch" / "fleet-view.json"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert ["Cannot read" in note.message for note in app._notifications] == [True]
        assert view_of(app) == HostView()
