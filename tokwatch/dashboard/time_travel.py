"""Moving in time: the actions behind the keys that jump to marks, compare and ask what if, and over which feed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.reactive import var

from tokwatch.dashboard import formats
from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import TIME_STRIP_FROM
from tokwatch.dashboard.mark_words import KEY_OF_KIND, words_of_mark
from tokwatch.dashboard.moving import SPEEDS as SPEEDS
from tokwatch.dashboard.moving import Moving, Shown
from tokwatch.dashboard.moving import Severity as Severity
from tokwatch.feeds import Feed
from tokwatch.feeds.mark import Kind
from tokwatch.ledger.snapshot import Snapshot


class TimeTravel(Moving):
    """An app over a feed. Subclasses open the feed and keep `frame` up to date."""

    frame: var[Frame] = var(Frame(), init=False)
    _feed: Feed | None = None
    marked_ms: int | None = None  # the first of two moments to be compared

    def end_with(self, error: Exception) -> None:
        """The feed has failed: end, and say why."""
        raise NotImplementedError

    @property
    def shown(self) -> Shown | None:
        snapshot = self.frame.snapshot
        if snapshot is None:
            return None
        return Shown(snapshot.tick_ms, snapshot.mode, snapshot.timezone, snapshot.utc_offset_s)

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

    # The feed

    def ready_feed(self) -> Feed | None:
        """The feed; None before it is open, which is said."""
        if self._feed is None:
            self.clear_notifications()  # once is enough, however many keys are pressed
            self.say("Still starting: nothing is being read yet.")
        return self._feed

    def ready_player(self) -> Feed | None:
        return self.ready_feed()
