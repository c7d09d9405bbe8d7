"""Moving: the actions behind the keys that pause, play, step and go to a time, over any feed that can do so."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from textual.app import App

from tokwatch.dashboard import formats

Severity = Literal["information", "warning", "error"]
SPEEDS = (1.0, 2.0, 5.0, 10.0, 60.0, 300.0, 3600.0)


class Player(Protocol):
    """What of a feed moves in time; see feeds.Feed and feeds.fleet.FleetFeed."""

    @property
    def can_go_live(self) -> bool: ...

    @property
    def speed(self) -> float: ...

    @property
    def span_ms(self) -> tuple[int, int] | None: ...

    def pause(self) -> None: ...

    def play(self) -> None: ...

    def step(self, ticks: int, /) -> None: ...

    def seek(self, at_ms: int, /) -> None: ...

    def set_speed(self, speed: float, /) -> None: ...

    def go_live(self) -> None: ...


class Shown(NamedTuple):
    """The moment on screen."""

    at_ms: int
    mode: str  # "live" | "replay" | "paused"
    timezone: str
    utc_offset_s: int


class Moving(App[str]):
    """An app that moves in time. Subclasses know their feed and what is on screen."""

    # Notes stand above the time strip and the transport, which they are mostly about.
    CSS = "ToastRack { margin-bottom: 3; }"

    def ready_player(self) -> Player | None:
        """The feed; None before it is open, which is said."""
        raise NotImplementedError

    @property
    def shown(self) -> Shown | None:
        """What is on screen; None before anything is."""
        raise NotImplementedError

    def _check_age(self) -> None:
        """Takes what the feed now says of itself into the frame."""
        raise NotImplementedError

    # Pace

    def action_toggle_pause(self) -> None:
        if feed := self.ready_player():
            shown = self.shown
            if shown is None or shown.mode != "paused":
                feed.pause()
            elif not feed.can_go_live and feed.span_ms is not None and shown.at_ms >= feed.span_ms[1]:
                self.clear_notifications()  # once is enough, however often it is pressed
                self.say("This is the end of the replay: home goes to its start.")
            else:
                feed.play()
            self._check_age()

    def action_step(self, ticks: int) -> None:
        if feed := self.ready_player():
            feed.step(ticks)

    def action_slower(self) -> None:
        if feed := self.ready_player():
            feed.set_speed(max((speed for speed in SPEEDS if speed < feed.speed), default=SPEEDS[0]))
            self._check_age()

    def action_faster(self) -> None:
        if feed := self.ready_player():
            feed.set_speed(min((speed for speed in SPEEDS if speed > feed.speed), default=SPEEDS[-1]))
            self._check_age()

    # Places

    def action_start(self) -> None:
        if (feed := self.ready_player()) and feed.span_ms:
            feed.seek(feed.span_ms[0])

    def action_live(self) -> None:
        if feed := self.ready_player():
            feed.go_live()

    def action_go_to(self) -> None:
        from tokwatch.dashboard.screens.prompt import Prompt
        from tokwatch.ledger.local_time import zone_of
        from tokwatch.moments import TIMES_IN_SHORT, Moment, parse_moment

        feed, shown = self.ready_player(), self.shown
        if feed is None or shown is None:
            return
        shown_ms, zone = shown.at_ms, zone_of(shown.timezone)

        def read(text: str) -> Moment:
            first_ms, last_ms = feed.span_ms or (shown_ms, shown_ms)
            return parse_moment(text, shown_ms=shown_ms, first_ms=first_ms, last_ms=last_ms, zone=zone)

        def go(moment: Moment | None) -> None:
            if moment is not None:
                feed.seek(moment.at_ms)
                self._say_about(moment.at_ms, moment.note, shown, feed.span_ms)

        self.push_screen(Prompt("GO TO", TIMES_IN_SHORT, read), go)

    def go_to_moment(self, at_ms: int) -> None:
        """To the last stored tick at or before a moment; says so where nothing goes back that far."""
        feed, shown = self.ready_player(), self.shown
        if feed is not None and shown is not None:
            feed.seek(at_ms)
            self._say_about(at_ms, "", shown, feed.span_ms)

    def _say_about(self, at_ms: int, note: str, shown: Shown, span: tuple[int, int] | None) -> None:
        if note:
            self.say(note)
        elif span is not None and not span[0] <= at_ms <= span[1]:
            edge, words = (span[0], "before the first") if at_ms < span[0] else (span[1], "after the last")
            when = f"{formats.local(edge, shown.utc_offset_s):%Y-%m-%d %H:%M:%S}"
            self.say(f"That is {words} moment that is stored, {when}.")

    # Words

    def say(self, text: str, severity: Severity = "information") -> None:
        """A note to the user, gone after some seconds."""
        self.notify(text, severity=severity, markup=False)
