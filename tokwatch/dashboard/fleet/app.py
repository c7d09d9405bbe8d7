"""The fleet's app: follows a FleetFeed, turns each FleetSnapshot into one frame, and holds the shared keys."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.app import SystemCommand
from textual.reactive import var
from textual.screen import Screen

from tokwatch.dashboard import formats
from tokwatch.dashboard.appearance import Preferences
from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.ending import end_on_signals, report
from tokwatch.dashboard.fleet.base import FleetScreenBase
from tokwatch.dashboard.fleet.frame import FleetArrived, FleetFrame
from tokwatch.dashboard.fleet.keys import FLEET_KEYS
from tokwatch.dashboard.fleet.screens.hosts import HostsScreen
from tokwatch.dashboard.moving import Moving, Shown
from tokwatch.dashboard.pace import SLOW_LINK_S, is_behind
from tokwatch.dashboard.remembered import Memory
from tokwatch.dashboard.remembering import Remembering
from tokwatch.dashboard.terminal import Terminal
from tokwatch.dashboard.wire import Wire
from tokwatch.feeds.fleet import FleetFeed, HostDoor
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.ledger.fleet.snapshot import FleetSnapshot
from tokwatch.ledger.fleet.tally import HostKey
from tokwatch.ledger.local_time import zone_of

if TYPE_CHECKING:
    from textual.driver import Driver

_CHECK_S = 1.0


class FleetApp(Remembering, Moving):
    """The dashboard over a FleetFeed. After a failure `return_code` is not 0 and `failure` says why."""

    ENABLE_COMMAND_PALETTE = True
    TITLE = "tokwatch fleet"
    BINDINGS = [*FLEET_KEYS]
    frame: var[FleetFrame] = var(FleetFrame(), init=False)

    def __init__(
        self,
        feed: FleetFeed,
        *,
        terminal: Terminal = Terminal(),  # noqa: B008  frozen
        preferences: Preferences = Preferences(),  # noqa: B008
        timezone: str = "UTC",
        now: Callable[[], float] = time.time,
        memory: Memory | None = None,
    ) -> None:
        """timezone: IANA name of the clocks on screen."""
        super().__init__(terminal=terminal, preferences=preferences, memory=memory)
        self.feed = feed
        self.failure: BaseException | None = None
        self._timezone = timezone
        self._now = now
        self._waiting: FleetSnapshot | None = None  # for its turn to be drawn
        self._drawn_s = 0.0
        self._answered_s: float | None = None  # when the source last answered
        self._wire = Wire()
        self._bytes_s: float | None = None

    # Life

    def get_default_screen(self) -> Screen[None]:
        return HostsScreen()

    def get_driver_class(self) -> type[Driver]:
        from tokwatch.dashboard.driver import TerminalDriver  # not on a machine without a terminal

        return TerminalDriver

    def on_mount(self) -> None:
        if not self.is_headless:
            end_on_signals(self._end)
        self.set_interval(_CHECK_S, self._check_age)
        self.call_after_refresh(self._start_following)

    async def on_unmount(self) -> None:
        await self.feed.close()

    def _start_following(self) -> None:
        self.run_worker(self._follow(), name="follow", exit_on_error=False)

    async def _follow(self) -> None:
        try:
            async for snapshot in self.feed.snapshots():
                self.post_message(FleetArrived(snapshot))
        except Exception as error:  # noqa: BLE001  the boundary to the feed: end, and say why
            self.end_with(error)

    def end_with(self, error: Exception) -> None:
        """A failure that nothing can be shown of."""
        if self.failure is None:
            self.failure = error
            self.exit(return_code=1, message=Text(report(error)))

    def _end(self, number: signal.Signals) -> None:
        self.exit(return_code=128 + number)

    # Frames

    def on_fleet_arrived(self, message: FleetArrived) -> None:
        if not message.snapshot.problems:
            self._answered_s = self._now()
        self._waiting = message.snapshot
        self._draw_when_due()

    def _draw_when_due(self) -> None:
        least_s = SLOW_LINK_S if self.look.calm else 0.0
        if self._waiting is None or is_behind(self):
            return
        if self._waiting.mode == "live" and self._now() - self._drawn_s < least_s:
            return
        written: int | None = getattr(self._driver, "written_bytes", None)
        self._bytes_s = None if written is None else self._wire.take(self._now(), written)
        snapshot, self._waiting = self._waiting, None
        self._drawn_s = self._now()
        self.frame = self._frame(snapshot)

    def _frame(self, snapshot: FleetSnapshot) -> FleetFrame:
        silent = bool(snapshot.problems) and self._answered_s is not None
        return FleetFrame(
            snapshot,
            silent_s=float(int(self._now() - (self._answered_s or 0.0))) if silent else None,
            speed=self.feed.speed,
            span_ms=_standing(self.feed.span_ms, snapshot),
            can_go_live=self.feed.can_go_live,
            utc_offset_s=self._utc_offset_s(snapshot.at_ms),
            terminal_bytes_s=self._bytes_s,
        )

    def _utc_offset_s(self, at_ms: int) -> int:
        offset = datetime.fromtimestamp(at_ms / 1000, zone_of(self._timezone)).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())

    def _check_age(self) -> None:
        """Keeps ages and spans true while nothing comes. Nothing is repainted when they read the same."""
        self._draw_when_due()
        if self.frame.snapshot is not None and not is_behind(self):
            self.frame = self._frame(self.frame.snapshot)

    # Time

    def ready_player(self) -> FleetFeed | None:
        return self.feed

    @property
    def shown(self) -> Shown | None:
        snapshot = self.frame.snapshot
        if snapshot is None:
            return None
        return Shown(snapshot.at_ms, snapshot.mode, self._timezone, self.frame.utc_offset_s)

    # Screens

    def action_show_screen(self, name: str) -> None:
        """Opens a tab over Hosts, which stays below all of them."""
        from tokwatch.dashboard.fleet.screens import models, sites, sources

        screen = self.screen
        if isinstance(screen, FleetScreenBase) and name == screen.TAB and not screen.DRILLED:
            return
        self.show_hosts()
        others: dict[str, type[FleetScreenBase]] = {
            "Models": models.ModelsScreen,
            "Sites": sites.SitesScreen,
            "Sources": sources.FleetSourcesScreen,
        }
        if name in others:
            self.push_screen(others[name]())

    def show_hosts(self) -> HostsScreen:
        """The home screen, and nothing over it."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        home = self.screen
        assert isinstance(home, HostsScreen)
        return home

    def action_leave(self) -> None:
        """To the screen below; nothing on Hosts."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def action_help(self) -> None:
        from tokwatch.dashboard.fleet.screens.help import FleetHelpScreen

        if isinstance(self.screen, FleetScreenBase) and not isinstance(self.screen, FleetHelpScreen):
            self.push_screen(FleetHelpScreen(self.screen))

    def action_command_palette(self) -> None:
        from tokwatch.dashboard.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        from tokwatch.dashboard.palette import keys_and_themes

        return keys_and_themes(self, screen)

    # Taking away

    def action_copy_table(self) -> None:
        from tokwatch.dashboard.taking_away import to_clipboard

        screen = self.screen
        if isinstance(screen, FleetScreenBase):
            text = screen.table()
            lines = len(text.splitlines())
            what = f"{screen.TAB}, {lines} line{'' if lines == 1 else 's'}"
            to_clipboard(self, text, what, ending=screen.TABLE_ENDING, stem=self._stem())

    def action_save_picture(self) -> None:
        from tokwatch.dashboard.taking_away import save_svg

        save_svg(self, self._stem().replace("-", " ", 2), self._stem())

    def _stem(self) -> str:
        """tokwatch-fleet-2026-05-04-140322, on the clocks on screen."""
        shown = self.shown
        when = formats.local(shown.at_ms, shown.utc_offset_s) if shown else datetime.now()
        return f"tokwatch-fleet-{when:%Y-%m-%d-%H%M%S}"

    # Hosts

    def look_into(self, host: HostKey) -> None:
        """Through the door of a host; says so where there is none."""
        try:
            door = self.feed.door(host)
        except SourceError as error:
            self.say(f"There is no way into {plain(str(error))}.", "warning")
            return
        if door is None:
            self.say("There is no way into this host: its source has none.", "warning")
        else:
            self.go_through(door)

    def go_through(self, door: HostDoor) -> None:
        """Lends the terminal to what the door runs."""
        from tokwatch.dashboard.fleet.doors import go_through

        go_through(self, door)


def _standing(span_ms: tuple[int, int] | None, snapshot: FleetSnapshot) -> tuple[int, int] | None:
    """While paused the end of what can be looked at moves by whole minutes: nothing is sent in between."""
    if span_ms is None or snapshot.mode != "paused":
        return span_ms
    return span_ms[0], max(snapshot.at_ms, span_ms[1] - span_ms[1] % 60_000)
