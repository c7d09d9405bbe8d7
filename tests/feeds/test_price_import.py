"""What the config and --price add to the price book when recording begins, and what is said of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.feeds.quiet_box import BOX, NOON_MS, AdvancedClock, record_ticks
from tokwatch.config import Config, PriceSection, parse
from tokwatch.feeds.history import read_book
from tokwatch.feeds.price_import import config_version, said_version, words
from tokwatch.feeds.start import begin, unrecorded
from tokwatch.ledger.prices.book import ClosedMonth, PriceBook, PriceVersion
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.reader import Reader

DAY_MS = 86_400_000


def section(usd: float = 2.35, from_ms: int | None = None) -> PriceSection:
    begins = None if from_ms is None else datetime.fromtimestamp(from_ms / 1000, UTC)
    return PriceSection(usd_per_gpu_hour=usd, effective_from=begins)


def imported(config: PriceSection, book: PriceBook, now_ms: int) -> PriceBook:
    version = config_version(config, book, now_ms, now_ms)
    return book if version is None else book.with_version(version)


def test_prices_hold_from_when_the_config_says_or_from_when_they_were_first_read() -> None:
    found = [config_version(section(from_ms=from_ms), PriceBook(), NOON_MS, NOON_MS) for from_ms in (None, 1000)]
    assert [(each.effective_from_ms, each.recorded_ms, each.source) for each in found if each] == [
        (NOON_MS, NOON_MS, "config"),
        (1000, NOON_MS, "config"),
    ]


@given(st.lists(st.tuples(st.sampled_from([1.0, 2.0]), st.none() | st.sampled_from([1000, NOON_MS])), max_size=6))
def test_a_config_that_did_not_change_adds_nothing_however_often_it_is_read(
    configs: list[tuple[float, int | None]],
) -> None:
    book = PriceBook()
    for number, (usd, from_ms) in enumerate(configs):
        book = imported(section(usd, from_ms), book, NOON_MS + number)
        assert imported(section(usd, from_ms), book, NOON_MS + number + 1) is book


def test_a_config_without_prices_takes_none_away() -> None:
    assert config_version(PriceSection(), imported(section(), PriceBook(), NOON_MS), NOON_MS, NOON_MS) is None


def test_prices_that_were_set_since_are_not_undone_by_an_unchanged_config() -> None:
    book = imported(section(), PriceBook(), 1000)
    said = said_version(3.0, "USD", book, 2000, 2000)
    assert said is not None
    assert imported(section(), book.with_version(said), NOON_MS).at(NOON_MS) == said


def test_a_price_of_the_command_line_leaves_electricity_and_tokens_as_they_are() -> None:
    book = PriceBook((PriceVersion(1, 0, 0, "config", Prices("EUR", 2.35, electricity=Flat(0.2))),))
    said = said_version(3.0, "EUR", book, NOON_MS, NOON_MS)
    assert said is not None
    assert said.prices == Prices("EUR", 3.0, electricity=Flat(0.2))
    assert said_version(3.0, "EUR", book.with_version(said), NOON_MS + 1, NOON_MS + 1) is None


def told(from_ms: int, book: PriceBook | None = None) -> list[str]:
    version = config_version(section(from_ms=from_ms), book or PriceBook(), NOON_MS, NOON_MS)
    assert version is not None
    return words(version, (book or PriceBook()).with_version(version), NOON_MS)


def test_prices_that_hold_from_now_on_are_told() -> None:
    assert told(NOON_MS) == [
        "the prices of the config are version 1 of the price book, in force from 2026-11-21T12:00:00Z on"
    ]


def test_prices_that_reach_back_say_how_far() -> None:
    assert told(NOON_MS - 3 * DAY_MS)[0].endswith(
        "in force from 2026-11-18T12:00:00Z: the 3 days since are priced anew"
    )


def test_prices_that_begin_in_the_future_are_told_aloud_with_what_holds_until_then() -> None:
    begins = "in force from 2026-12-01T12:00:00Z, which is in 10 days; until then "
    assert told(NOON_MS + 10 * DAY_MS)[0].endswith(begins + "nothing has a price")
    book = PriceBook((PriceVersion(1, 0, 0, "set by you", Prices(usd_per_gpu_hour=1.0)),))
    assert told(NOON_MS + 10 * DAY_MS, book)[0].endswith(begins + "version 1 holds")


def test_prices_that_others_replaced_already_say_so() -> None:
    book = PriceBook((PriceVersion(1, NOON_MS - DAY_MS, 0, "set by you", Prices(usd_per_gpu_hour=1.0)),))
    assert (
        told(NOON_MS - 2 * DAY_MS, book)[1] == "version 1 (set by you) began later, 2026-11-20T12:00:00Z, and holds now"
    )


def test_closed_months_that_prices_reach_into_are_named() -> None:
    book = PriceBook((), (ClosedMonth("2026-09", 0, 0), ClosedMonth("2026-10", 0, 0)))
    assert told(NOON_MS - 30 * DAY_MS, book)[-1] == "closed months keep the prices they had: 2026-10"


# --- with a store -----------------------------------------------------------------------------------------------------


def begun_news(store: Path, text: str, now_ms: int) -> tuple[str, ...]:
    """What the command is to print."""
    begun = begin(store, BOX, parse(text, "config.toml"), started_ms=now_ms)
    assert begun.bookkeeper.book.at(now_ms + 1) == begun.view.book.at(now_ms + 1)
    assert begun.writer.close(10)
    return begun.news


def test_a_recorder_takes_up_a_changed_config_and_says_so_once(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    news = [
        begun_news(store, f"[prices]\nusd_per_gpu_hour = {usd}", NOON_MS + number * 1000)
        for number, usd in enumerate((2.35, 2.35, 2.5))
    ]
    assert [len(each) for each in news] == [1, 0, 1]
    with Reader(store) as reader:
        versions = read_book(reader).versions
    assert [(each.id, each.effective_from_ms) for each in versions] == [(1, NOON_MS), (2, NOON_MS + 2000)]


async def test_a_price_does_not_reach_into_ticks_of_a_clock_that_was_ahead(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    (last_ms,) = await record_ticks(store, AdvancedClock(), 1)
    await asyncio.to_thread(begun_news, store, "[prices]\nusd_per_gpu_hour = 1", NOON_MS - 5000)
    with Reader(store) as reader:
        assert [version.effective_from_ms for version in read_book(reader).versions] == [last_ms + 1]


def test_a_run_that_is_kept_nowhere_has_the_same_prices() -> None:
    book = unrecorded(BOX, Config(prices=section(2.0)), price=3.0).view.book
    assert [(version.source, version.prices.usd_per_gpu_hour) for version in book.versions] == [
        ("config", 2.0),
        ("command line", 3.0),
    ]
