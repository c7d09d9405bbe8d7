"""What quarter rows are read against to become hours: names, prices, limits, and when which GPU was there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from tokwatch.exports.errors import ExportError
from tokwatch.exports.hours import HOUR_MS
from tokwatch.exports.names import Names
from tokwatch.exports.presence import Presence
from tokwatch.ledger.bodies import SettingsBody, body
from tokwatch.ledger.entries import Event
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.prices.token_prices import Tokens as TokenList

SCHEMA_VERSION = 2  # of the hourly tables: raised when a column changes its meaning


class StateTimes(Protocol):
    """Milliseconds a GPU spent in each State within (from_ms, to_ms] of some runs: `Reader.state_ms`."""

    def __call__(
        self, entity: int, from_ms: int, to_ms: int, runs: Collection[int] | None = None
    ) -> dict[int, int]: ...


@dataclass(frozen=True, slots=True)
class Background:
    names: Names
    book: PriceBook
    state_ms: StateTimes
    simulated: frozenset[int] = frozenset()  # runs
    presence: Presence = field(default_factory=Presence)
    settings: tuple[Event, ...] = ()  # in the order they happened

    def currency(self, hour_ms: int) -> str | None:
        """The currency of an hour's amounts: that in force when it ends."""
        version = self.book.at(hour_ms + HOUR_MS - 1)
        return version.prices.currency if version else None

    def token_list(self, hour_ms: int) -> TokenList:
        """Token prices, tiers and values of tasks in force when an hour ends."""
        version = self.book.at(hour_ms + HOUR_MS - 1)
        return version.prices.tokens if version else TokenList()

    def settings_at(self, at_ms: int) -> SettingsBody:
        """Settings in force at an instant; the first ones also before they were told."""
        if not self.settings:
            return SettingsBody()
        place = max(0, bisect_right(self.settings, at_ms, key=lambda event: event.tick_ms) - 1)
        try:
            return body(self.settings[place], SettingsBody)
        except msgspec.DecodeError as error:
            raise ExportError(
                f"the store is damaged, its settings: {error}; check it with `tokwatch doctor --store`"
            ) from error
