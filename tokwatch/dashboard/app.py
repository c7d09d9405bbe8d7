"""The app: follows a Feed, turns each Snapshot into one Frame, and holds the keys that all screens share."""

from __future__ import annotations

import signal
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from rich.text import Text
from textual.screen import Screen

from tokwatch.dashboard.appearance import Preferences
from tokwatch.dashboard.bell import Bell
from tokwatch.dashboard.ending import end_on_signals, report
from tokwatch.dashboard.frame import Frame, SnapshotArrived
from tokwatch.dashboard.keys import SHARED
from tokwatch.dashboard.opening import Opening
from tokwatch.dashboard.pace import SLOW_LINK_S, Pace, is_behind
from tokwatch.dashboard.remembered import Memory
from tokwatch.dashboard.remembering import Remembering
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.terminal import Terminal
from tokwatch.dashboard.wire import Wire
from tokwatch.feeds import Feed
from tokwatch.feeds.question import Question, TakenBack
from tokwatch.ledger.snapshot import Snapshot

if TYPE_CHECKING:  # not part of the first frame
    from pathlib import Path

    from rich.console import RenderableType
    from textual.driver import Driver

    from tokwatch.dashboard.keeping import Keeper

Answer = TypeVar("Answer")

LATE_AFTER = 5  # intervals without a Snapshot
_CHECK_S = 1.0
_PAUSED_STEP_MS = 60_000


class TokwatchApp(Remembering, Opening):
    """The dashboard over a feed, or over something that opens one after the first paint.

    `first` is the last known Snapshot of an earlier run, shown with its age until a new one comes. `run()` returns
    "demo" when the user asked for the demo. After a failure `return_code` is not 0 and `failure` says why.
    """

    ENABLE_COMMAND_PALETTE = True
    TITLE = "tokwatch"
    BINDINGS = [*SHARED]

    def __init__(
        self,
        feed: Feed | Callable[[], Awaitable[Feed]],
        *,
        terminal: Terminal = Terminal(),  # noqa: B008  frozen
        preferences: Preferences = Preferences(),  # noqa: B008
        first: Snapshot | None = None,
        now: Callable[[], float] = time.time,
        bell: Bell | None = None,
        keeper: Keeper | None = None,
        memory: Memory | None = None,
    ) -> None:
        super().__init__(terminal=terminal, preferences=preferences, memory=memory)
        self._pace = Pace()
        self._waiting: Snapshot | None = None  # for its turn to be drawn
        self._rings = bell or Bell()
        self._keeper = keeper
        self._wire = Wire()
        self._bytes_s: float | None = None
        self.failure: BaseException | None = None
        self._source = feed
        self._now = now
        self._arrived_s: float | None = None  # when the newest Snapshot came
        self._sources_opened_itself = False
        self._seen_any = False
        if first is not None:
            self.set_reactive(TokwatchApp.frame, self._kept_frame(first))

    # Life

    def get_default_screen(self) -> Screen[None]:
        return FleetScreen()

    def get_driver_class(self) -> type[Driver]:
        from tokwatch.dashboard.driver import TerminalDriver  # not on a machine without a terminal

        return TerminalDriver

    def ring_with(self, bell: Bell) -> None:
        """Rings by another rule from now on."""
        self._rings = bell

    def on_mount(self) -> None:
        if not self.is_headless:
            end_on_signals(self._end)
        self.set_interval(_CHECK_S, self._check_age)
        if self._keeper is not None:
            self._keeper.watch(self)
        self.call_after_refresh(self._start_following)

    async def on_unmount(self) -> None:
        if self._feed is not None:
            await self._feed.close()

    def _start_following(self) -> None:
        self.run_worker(self._follow(), name="follow", exit_on_error=False)

    async def _follow(self) -> None:
        try:
            source = self._source
            self._feed = await source() if callable(source) else source
            async for snapshot in self._feed.snapshots():
                self.post_message(SnapshotArrived(snapshot))
        except Exception as error:  # noqa: BLE001  the boundary to the feed: end, and say why
            self.end_with(error)

    async def ask(self, question: Question[Answer]) -> Answer | None:
        """The stored past's answer; None before the feed is open, and where it failed, which ends the app."""
        if self._feed is None:
            return None
        try:
            return await self._feed.ask(question)
        except TakenBack:  # while everything ends
            return None
        except Exception as error:  # noqa: BLE001  the boundary to the feed: end, and say why
            self.end_with(error)
            return None

    @property
    def store(self) -> Path | None:
        """The file that the past is read from; None before the feed is open."""
        return None if self._feed is None else self._feed.store

    def exit(self, result: str | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        if self._keeper is not None:
            self._keeper.take(self)
        super().exit(result, return_code, message)

    def end_with(self, error: Exception) -> None:
        if self.failure is not None:  # what comes after the first failure is of its making
            return
        self.failure = error
        self.exit(return_code=1, message=Text(report(error)))

    def _fatal_error(self) -> None:
        """A defect of the program's own: as Textual tells it, without the locals of every frame."""
        assert self._exception is not None
        self.failure = self._exception
        self._exit_renderables.append(Text(report(self._exception)))
        self._close_messages_no_wait()

    def _end(self, number: signal.Signals) -> None:
        self.exit(return_code=128 + number)

    # Frames

    def on_snapshot_arrived(self, message: SnapshotArrived) -> None:
        if self._arrived_s is None:
            self.load_the_rest()
        self._arrived_s = self._now()
        self._waiting = message.snapshot
        self._draw_when_due()
        if self._rings.rings(message.snapshot):
            self.bell()
        self._open_sources_when_empty(message.snapshot)

    def _draw_when_due(self) -> None:
        least_s = SLOW_LINK_S if self.look.calm else 0.0
        if self._waiting is not None and not is_behind(self) and self._pace.is_due(self._waiting, least_s):
            # Before the frame, not in it: frames that are made only to see whether they differ would all differ.
            written: int | None = getattr(self._driver, "written_bytes", None)
            self._bytes_s = None if written is None else self._wire.take(self._now(), written)
            self.frame, self._waiting = self._frame(self._waiting), None

    def _frame(self, snapshot: Snapshot, *, age_s: float | None = None) -> Frame:
        feed = self._feed
        assert feed is not None  # it sent the Snapshot
        return Frame(
            snapshot,
            age_s=age_s,
            speed=feed.speed,
            span_ms=_standing(feed.span_ms, snapshot),
            can_go_live=feed.can_go_live,
            marks=feed.marks,
            marked_ms=self.marked_ms,
            what_if=feed.what_if,
            terminal_bytes_s=self._bytes_s,
        )

    def say_starting(self, text: str) -> None:
        """What the opening of the feed is busy with. On screen until the first Snapshot; call it on the event loop."""
        if self.frame.snapshot is None:
            self.frame = Frame(starting=text)

    def show_kept(self, first: Snapshot) -> None:
        """The last stored moment, with its age, until the first new one; call it on the event loop."""
        if self.frame.snapshot is None or self.frame.kept:
            self.frame = self._kept_frame(first)

    def _kept_frame(self, first: Snapshot) -> Frame:
        return Frame(first, kept=True, age_s=max(0.0, self._now() - first.wall_ms / 1000))

    def _check_age(self) -> None:
        """Keeps ages and spans true while no Snapshot comes. Nothing is repainted when they read the same."""
        self._draw_when_due()
        snapshot = self.frame.snapshot
        if snapshot is None or is_behind(self):
            return
        if self.frame.kept:
            self.frame = self._kept_frame(snapshot)
        elif self._arrived_s is not None:
            silent_s = self._now() - self._arrived_s
            late = snapshot.mode == "live" and silent_s > LATE_AFTER * snapshot.interval_s
            self.frame = self._frame(snapshot, age_s=silent_s if late else None)

    def _open_sources_when_empty(self, snapshot: Snapshot) -> None:
        """With nothing found Sources is the screen that helps; the home screen comes back with the first find."""
        empty = snapshot.nothing_found
        if empty and snapshot.probes and not self._seen_any and not self._sources_opened_itself:
            self._sources_opened_itself = True
            self.action_show_screen("Sources")
        elif not empty and not self._seen_any:
            self._seen_any = True
            if self._sources_opened_itself:
                self.action_show_fleet()

    # What is remembered


def _standing(span_ms: tuple[int, int] | None, snapshot: Snapshot) -> tuple[int, int] | None:
    """While paused the end of what can be looked at moves by whole minutes: nothing is sent in between."""
    if span_ms is None or snapshot.mode != "paused":
        return span_ms
    return span_ms[0], max(snapshot.tick_ms, span_ms[1] - span_ms[1] % _PAUSED_STEP_MS)
