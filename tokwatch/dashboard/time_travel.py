"""Moving in time: the actions behind the keys that pause, play, step, seek, jump, compare and ask what if."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from textual.app import App
from textual.reactive import var

from tokwatch.dashboard import formats
from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import TIME_STRIP_FROM
from tokwatch.dashboard.mark_words import KEY_OF_KIND, words_of_mark
from tokwatch.feeds import Feed
from tokwatch.feeds.mark import Kind
from tokwatch.ledger.snapshot import Snapshot

Severity = Literal["information", "warning", "error"]
SPEEDS = (1.0, 2.0, 5.0, 10.0, 60.0, 300.0, 3600.0)


class TimeTravel(App[str]):
    """An app over a feed. Subclasses open the feed and keep `frame` up to date."""

    # Notes stand above the time strip and the transport, which they are mostly about.
    CSS = "ToastRack { margin-bottom: 3; }"
    frame: var[Frame] = var(Frame(), init=False)
    _feed: Feed | None = None
    marked_ms: int | None = None  # the first of two moments to be compared

    def _check_age(self) -> None:
        """Takes what the feed now says of itself into the frame."""
        raise NotImplementedError

    def end_with(self, error: Exception) -> None:
        """The feed has failed: end, and say why."""
        raise NotImplementedError

    # Pace

    def action_toggle_pause(self) -> None:
        if feed := self.ready_feed():
            snapshot = self.frame.snapshot
            if snapshot is None or snapshot.mode != "paused":
                feed.pause()
            elif not feed.can_go_live and feed.span_ms is not None and snapshot.tick_ms >= feed.span_ms[1]:
                self.clear_notifications()  # once is enough, however often it is pressed
                self.say("This is the end of the replay: home goes to its start.")
            else:
                feed.play()
            self._check_age()

    def action_step(self, ticks: int) -> None:
        if feed := self.ready_feed():
            feed.step(ticks)

    def action_slower(self) -> None:
        if feed := self.ready_feed():
            feed.set_speed(max((speed for speed in SPEEDS if speed < feed.speed), default=SPEEDS[0]))
            self._check_age()

    def action_faster(self) -> None:
        if feed := self.ready_feed():
            feed.set_speed(min((speed for speed in SPEEDS if speed > feed.speed), default=SPEEDS[-1]))
            self._check_age()

    # Places

    def action_start(self) -> None:
        if (feed := self.ready_feed()) and feed.span_ms:
            feed.seek(feed.span_ms[0])

    def action_live(self) -> None:
        if feed := self.ready_feed():
            feed.go_live()

    def action_go_to(self) -> None:
        from tokwatch.dashboard.screens.prompt import Prompt
        from tokwatch.ledger.local_time import zone_of
        from tokwatch.moments import TIMES_IN_SHORT, Moment, parse_moment

        feed, snapshot = self.ready_feed(), self.frame.snapshot
        if feed is None or snapshot is None:
            return
        shown_ms, zone = snapshot.tick_ms, zone_of(snapshot.timezone)

        def read(text: str) -> Moment:
            first_ms, last_ms = feed.span_ms or (shown_ms, shown_ms)
            return parse_moment(text, shown_ms=shown_ms, first_ms=first_ms, last_ms=last_ms, zone=zone)

        def go(moment: Moment | None) -> None:
            if moment is not None:
                feed.seek(moment.at_ms)
                self._say_about(moment.at_ms, moment.note, snapshot, feed.span_ms)

        self.push_screen(Prompt("GO TO", TIMES_IN_SHORT, read), go)

    def go_to_moment(self, at_ms: int) -> None:
        """To the last stored tick at or before a moment; says so where nothing goes back that far."""
        feed, snapshot = self.ready_feed(), self.frame.snapshot
        if feed is not None and snapshot is not None:
            feed.seek(at_ms)
            self._say_about(at_ms, "", snapshot, feed.span_ms)

    def _say_about(self, at_ms: int, note: str, snapshot: Snapshot, span: tuple[int, int] | None) -> None:
        if note:
            self.say(note)
        elif span is not None and not span[0] <= at_ms <= span[1]:
            edge, words = (span[0], "before the first") if at_ms < span[0] else (span[1], "after the last")
            when = f"{formats.local(edge, snapshot.utc_offset_s):%Y-%m-%d %H:%M:%S}"
            self.say(f"That is {words} moment that is stored, {when}.")

    # Marks

    def action_jump(self, forward: bool) -> None:
        self.jump(None, forward)

    def action_jump_to_kind(self) -> None:
        from tokwatch.dashboard.screens.chooser import Chooser, Option

        if self.ready_feed() is None or self.frame.snapshot is None:
            return
        onward = [Option(key, (kind, True), kind) for kind, key in KEY_OF_KIND.items()]
        back = [Option(key.upper(), (kind, False), kind) for kind, key in KEY_OF_KIND.items()]
        self.push_screen(
            Chooser("NEXT MARK", onward, "a capital letter goes to the one before", unshown=back),
            lambda chosen: self.jump(*chosen) if chosen is not None else None,
        )

    def jumps(self) -> Iterator[tuple[Kind, bool, str]]:
        """Every kind of mark in both directions, with its name as an action."""
        for kind in KEY_OF_KIND:
            name = {"idle": "idle stretch", "price": "price change"}.get(kind, kind)
            yield kind, True, f"To the next {name}"
            yield kind, False, f"To the {name} before"

    def jump(self, kind: Kind | None, forward: bool) -> None:
        """To the next mark of a kind, or of any, or to the one before; says so where there is none."""
        if feed := self.ready_feed():
            self.run_worker(self._jump(feed, kind, forward), group="jump", exclusive=True)

    async def _jump(self, feed: Feed, kind: Kind | None, forward: bool) -> None:
        try:
            mark = await feed.jump(kind, forward=forward)
        except Exception as error:  # noqa: BLE001  the boundary to the feed: end, and say why
            self.end_with(error)
            return
        self.clear_notifications()
        if mark is None:
            self.say(f"No {kind or 'mark'} {'after' if forward else 'before'} this moment.")
        elif self.size.height < TIME_STRIP_FROM:  # there is no room that says where it went
            self.say(plain(words_of_mark(mark)))

    # Two moments

    def action_compare(self) -> None:
        """The first time the moment is marked, the second time both are shown side by side."""
        from tokwatch.dashboard.screens.compare import CompareScreen

        feed, snapshot = self.ready_feed(), self.frame.snapshot
        if feed is None or snapshot is None or isinstance(self.screen, CompareScreen):
            return
        self.clear_notifications()
        if self.marked_ms is None:
            self.marked_ms = snapshot.tick_ms
            when = formats.clock(snapshot.tick_ms, snapshot.utc_offset_s)
            self.say(f"{when} is marked as A: go to another moment and press c again.")
        elif self.marked_ms == snapshot.tick_ms:
            self.say("This is the moment marked as A: go to another one and press c again.")
        else:
            self.push_screen(CompareScreen(feed.window, self.marked_ms, snapshot.tick_ms))
            self.marked_ms = None
        self._check_age()

    # Prices

    def action_set_price(self) -> None:
        from tokwatch.dashboard.screens.prompt import Prompt
        from tokwatch.moments import parse_price

        feed, snapshot = self.ready_feed(), self.frame.snapshot
        if feed is None or snapshot is None:
            return
        if not self.frame.live:
            self._ask_what_if(feed, snapshot)
            return
        if not feed.takes_prices:
            self.say("Another process records this box: give it --price, or [prices] in its config.")
            return
        self.push_screen(
            Prompt(
                "PRICE",
                "such as 2.35; in force from now on",
                lambda text: parse_price(text, formats.currency_sign(snapshot.currency)),
                note=f"{plain(snapshot.currency)} for one GPU for one hour",
            ),
            lambda price: feed.set_price(price) if price is not None else None,
        )

    def _ask_what_if(self, feed: Feed, snapshot: Snapshot) -> None:
        from tokwatch.dashboard.screens.prompt import Prompt
        from tokwatch.moments import parse_price

        def read(text: str) -> tuple[float | None]:
            return (parse_price(text, formats.currency_sign(snapshot.currency)) if text.strip() else None,)

        def suppose(chosen: tuple[float | None] | None) -> None:
            if chosen is not None:
                feed.suppose_price(*chosen)

        self.push_screen(
            Prompt(
                "WHAT IF",
                "such as 2.35; empty: as it did. Only what is shown changes, nothing that is stored",
                read,
                note=f"every GPU had cost so many {plain(snapshot.currency)} an hour",
            ),
            suppose,
        )

    # Words

    def ready_feed(self) -> Feed | None:
        """The feed; None before it is open, which is said."""
        if self._feed is None:
            self.clear_notifications()  # once is enough, however many keys are pressed
            self.say("Still starting: nothing is being read yet.")
        return self._feed

    def say(self, text: str, severity: Severity = "information") -> None:
        """A note to the user, gone after some seconds."""
        self.notify(text, severity=severity, markup=False)
