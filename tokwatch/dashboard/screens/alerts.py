"""Alerts: what wants attention, what waits, what is over, what is muted, and the one under the cursor in full."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding

from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import ROOMY_FROM
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.alert_detail import AlertDetail, Told
from tokwatch.dashboard.widgets.alert_entries import Fault, gpus_of
from tokwatch.dashboard.widgets.alert_rows import covering_ids
from tokwatch.dashboard.widgets.alert_table import AlertClosing, AlertHeading, AlertTable
from tokwatch.dashboard.widgets.alert_words import exactly, name_of
from tokwatch.dashboard.widgets.cursor_rows import CursorRows
from tokwatch.feeds.questions.alert_past import AlertPast, AlertsAround
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.local_time import zone_of
from tokwatch.ledger.snapshot import AlertRow, Snapshot

_CHROME = 4  # heading, rule, rule, closing row
_DETAIL = 13  # rows
_TALL = 30  # rows of the body from which the list leaves room for the detail
_MINUTE_MS = 60_000


class AlertsScreen(FrameScreen):
    """Firing ones are in the Snapshot; for the others the past is asked when a state or an alert has changed."""

    BINDINGS = [
        Binding("down,j", "cursor(1)", "Next alert", id="alerts.next"),
        Binding("up,k", "cursor(-1)", "Previous alert", id="alerts.previous"),
        Binding("pagedown", "cursor(10)", "Ten alerts down", id="alerts.down"),
        Binding("pageup", "cursor(-10)", "Ten alerts up", id="alerts.up"),
        Binding("enter", "open", "Open its GPU, or all of it", id="alerts.open"),
        Binding("b", "begin", "Go back to the moment it began", id="alerts.begin"),
        Binding("u", "mute", "Mute it for a while", id="alerts.mute"),
        Binding("U", "unmute", "Take its mute back", id="alerts.unmute"),
        Binding("escape", "app.leave", "Back", id="alerts.back"),
    ]
    TAB = "Alerts"
    KEYS = (
        ("⏎", "open"),
        ("b", "begin"),
        ("u", "mute"),
        ("U", "unmute"),
        ("←→", "time"),
        ("?", "help"),
        ("space", "pause"),
        ("i", "source"),
        ("e", "export"),
    )
    PAST_KEYS = (
        ("⏎", "open"),
        ("b", "begin"),
        ("space", "play"),
        ("n", "mark"),
        ("←→", "step"),
        ("?", "help"),
        ("i", "source"),
        ("e", "export"),
    )
    DEFAULT_CSS = """
    AlertsScreen AlertDetail { margin: 1 0 0 0; }
    """
    _planned: tuple[int, int, int] | None = None
    _asked_when: tuple[object, ...] | None = None

    def body(self) -> ComposeResult:
        look = self.tokwatch.look
        yield AlertHeading(look)
        yield AlertTable(look)
        yield AlertClosing(look)
        yield AlertDetail(look)

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        above = 1 if height >= ROOMY_FROM else 0
        room = height - 1 - above - self.bottom_rows
        detail = _DETAIL if room >= _TALL else 0
        table = self.query_one(AlertTable)
        rows = max(1, min(table.rows_of(frame), room - _CHROME - (detail + 1 if detail else 0)))
        if (rows, detail, above) == self._planned:
            return
        self._planned = rows, detail, above
        self.query_one(AlertHeading).styles.height = 2
        self.query_one(AlertHeading).styles.margin = (above, 0, 0, 0)
        self.query_one(AlertClosing).styles.height = 2
        table.styles.height = rows
        self.query_one(AlertDetail).display = detail > 0
        self.query_one(AlertDetail).styles.height = detail

    def show(self, frame: Frame) -> None:
        super().show(frame)
        self._show_detail()
        if frame.snapshot is None or frame.kept:  # nobody can be asked yet
            return
        if (when := _may_differ(frame.snapshot)) != self._asked_when:
            self._asked_when = when
            self.ask(AlertPast(frame.snapshot.tick_ms), self._take_around, group="alerts")

    def _take_around(self, around: AlertsAround) -> None:
        self.query_one(AlertTable).take(around)
        self.lay_out(self.tokwatch.frame, self.size.width, self.size.height)
        self._show_detail()

    def _show_detail(self) -> None:
        self.query_one(AlertDetail).take(self._entry)

    @property
    def _entry(self) -> Told | None:
        entry = self.query_one(AlertTable).entry
        return entry if isinstance(entry, Told) else None

    # Moving about

    def action_cursor(self, by: int) -> None:
        self.query_one(AlertTable).move_cursor(by)

    def on_cursor_rows_moved(self, _: CursorRows.Moved) -> None:
        self._show_detail()

    def action_open(self) -> None:
        entry, snapshot = self._entry, self.tokwatch.frame.snapshot
        if entry is None or snapshot is None:
            return
        gpus = entry.gpus if isinstance(entry, AlertRow | Fault) else ()
        row = next((row for row in snapshot.gpus if row.index in gpus), None)
        if row is None:
            from tokwatch.dashboard.screens.alert import AlertScreen

            self.app.push_screen(AlertScreen(entry))
        else:
            from tokwatch.dashboard.screens.gpu import GpuScreen

            self.app.push_screen(GpuScreen(row.entity))

    def action_begin(self) -> None:
        match self._entry:
            case AlertRow(since_ms=at_ms) | Mute(made_ms=at_ms):
                self.tokwatch.go_to_moment(at_ms)
            case Fault() as fault if fault.warning.at_ms is not None:
                self.tokwatch.go_to_moment(fault.warning.at_ms)
            case _:
                self.tokwatch.say("Nobody told when this began.")

    # Mutes

    def action_mute(self) -> None:
        from tokwatch.dashboard.screens.mute_prompt import MutePrompt, Muting

        entry, snapshot = self._entry, self.tokwatch.frame.snapshot
        if snapshot is None or not self._may_mute():
            return
        if not isinstance(entry, AlertRow) or entry.status == "resolved":
            self.tokwatch.say("Only an alert that is not over can be muted.")
            return

        def mute(muting: Muting | None) -> None:
            if muting is not None:
                self.run_worker(self._mute(entry, snapshot, muting.until_ms, muting.reason), group="mute")

        what = plain(f"{name_of(entry)} {_where(entry, snapshot)}".rstrip())
        zone = zone_of(snapshot.timezone)
        self.app.push_screen(MutePrompt(what, now_ms=snapshot.wall_ms, zone=zone), mute)

    async def _mute(self, alert: AlertRow, snapshot: Snapshot, until_ms: int, reason: str) -> None:
        feed = self.tokwatch.ready_feed()
        if feed is None:
            return
        gpus = [row.uuid or str(row.index) for row in snapshot.gpus if row.index in alert.gpus]
        why_not = await feed.mute(alert.key, gpus, until_ms, reason)
        until = exactly(until_ms, snapshot)
        self._say(why_not or f"Muted until {until}; the recorder follows within five seconds, U takes it back.")

    def action_unmute(self) -> None:
        entry, snapshot = self._entry, self.tokwatch.frame.snapshot
        if snapshot is None or not self._may_mute():
            return
        mutes = self.query_one(AlertTable).around.mutes
        numbers: tuple[int, ...] = ()
        if isinstance(entry, Mute):
            numbers = (entry.id,)
        elif isinstance(entry, AlertRow):
            numbers = covering_ids(entry, snapshot, mutes)
        if not numbers:
            self.tokwatch.say("No mute that is known here covers this.")
            return
        ended = [mute for mute in mutes if mute.id in numbers]
        self.run_worker(self._unmute(ended), group="mute")

    async def _unmute(self, mutes: Sequence[Mute]) -> None:
        feed = self.tokwatch.ready_feed()
        if feed is None:
            return
        why_not = await feed.unmute([mute.id for mute in mutes])
        self._say(why_not or f"Over: {'; '.join(f'mute {mute.id} ({mute})' for mute in mutes)}.")

    def _say(self, words: str) -> None:
        """And ask again: mutes are not in the Snapshot."""
        self._asked_when = None
        self.tokwatch.say(plain(words))

    def _may_mute(self) -> bool:
        frame = self.tokwatch.frame
        if not frame.live and frame.can_go_live:
            self.tokwatch.say("Mutes hold from now on: press end to go back to now first.")
        elif not frame.live:
            self.tokwatch.say("This session is over: nobody is told of its alerts any more.")
        return frame.live


def _may_differ(snapshot: Snapshot) -> tuple[object, ...]:
    """While these are the same, so is what the past adds: the minute, every GPU's state, every alert's status."""
    return (
        snapshot.mode == "live",
        snapshot.tick_ms // _MINUTE_MS if snapshot.mode == "live" else snapshot.tick_ms,
        tuple((row.entity, row.state, row.confirmed) for row in snapshot.gpus),
        tuple((alert.key, alert.status, alert.muted, alert.muted_gpus) for alert in snapshot.alerts),
    )


def _where(alert: AlertRow, snapshot: Snapshot) -> str:
    gpus = gpus_of(alert, snapshot)
    return f"on {gpus}" if gpus else ""
