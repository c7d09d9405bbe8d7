"""`money`: a stored period as a Report, read from quarter-hour rows a week at a time."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from tokwatch.exports.background import Background
from tokwatch.exports.errors import ExportError
from tokwatch.exports.hourly import background_of
from tokwatch.exports.hours import HOUR_MS, utc
from tokwatch.exports.money.account import Account
from tokwatch.exports.money.break_even import rent_or_own, self_or_api
from tokwatch.exports.money.curves import curves
from tokwatch.exports.money.demand import Asking
from tokwatch.exports.money.gather import Gathering, Period
from tokwatch.exports.money.otherwise import at_other_terms, other_mix
from tokwatch.exports.money.report import PriceUsed, Report
from tokwatch.exports.money.rows import OF_GPUS, Books, By
from tokwatch.exports.money.statement import Terms, statement
from tokwatch.exports.selection import Selection, select, stretches
from tokwatch.ledger.local_time import zone_of
from tokwatch.ledger.prices.facility import Facility
from tokwatch.store.errors import StoreError
from tokwatch.store.reader import Reader

DAY_MS: Final = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a period: the last 24 stored hours, unless told otherwise."""

    since_ms: int | None = None
    until_ms: int | None = None
    session: str | None = None
    by: By = "deployment"
    rent_usd_per_gpu_hour: float | None = None
    what_if: dict[str, float] | None = None
    mix: tuple[str, str, float] | None = None
    curve: bool = False
    demand: bool = False


def money(store: Path, question: Question) -> Report | None:
    """The report, None where nothing is stored of the period. The store is only read.

    Raises StoreError where the store cannot be read, ExportError where the question makes no sense.
    """
    try:
        with Reader(store) as reader:
            selection = _selected(reader, question)
            return None if selection is None else _report(reader, selection, question)
    except (sqlite3.Error, msgspec.DecodeError) as error:
        raise StoreError(f"cannot read the store {store}: {error}; check it with `tokwatch doctor --store`") from error


def _selected(reader: Reader, question: Question) -> Selection | None:
    since_ms = question.since_ms
    if since_ms is None and question.session is None:
        ends = [end_ms for end_ms in (reader.last_tick(), question.until_ms) if end_ms is not None]
        since_ms = min(ends) - DAY_MS if ends else None
    return select(reader, since_ms=since_ms, until_ms=question.until_ms, session=question.session)


def _report(reader: Reader, selection: Selection, question: Question) -> Report | None:
    background = background_of(reader, selection)
    runs = [run for run in reader.runs() if selection.runs is None or run.id in selection.runs]
    timezone = runs[-1].timezone if runs else "UTC"
    gathering = Gathering(background, selection.to_ms, each_gpu=question.by in OF_GPUS, each_quarter=question.curve)
    asking = Asking(background.names, zone_of(timezone), timezone)
    for quarters, hours in stretches(reader, selection):
        gathering.take(quarters, hours)
        if question.demand:
            asking.take(quarters.flows)
    period = gathering.period
    if not period.accounts and period.unobserved.empty:
        return None
    _refuse_two_currencies(period)
    return composed(period, background, selection, question, timezone, asking if question.demand else None)


def _refuse_two_currencies(period: Period) -> None:
    if len(period.currencies) > 1:
        told = " and ".join(sorted(period.currencies))
        raise ExportError(f"the amounts of this period are in {told}: choose one with --since and --until")


def composed(
    period: Period,
    background: Background,
    selection: Selection,
    question: Question,
    timezone: str,
    asking: Asking | None = None,
) -> Report:
    """Everything that was asked, from sums."""
    books = Books(period, background.names, selection.to_ms)
    whole = books.whole
    version = background.book.at(selection.to_ms - 1)
    token_list = background.token_list((selection.to_ms - 1) // HOUR_MS * HOUR_MS)
    facility = version.prices.facility if version else Facility()
    terms = Terms(period.watched_ms / HOUR_MS, token_list)
    capacities = background.settings_at(selection.to_ms).capacity
    return Report(
        from_utc=utc(selection.from_ms),
        to_utc=utc(selection.to_ms),
        timezone=timezone,
        hours=terms.hours,
        currency=next(iter(period.currencies), version.prices.currency if version else "USD"),
        simulated=period.simulated,
        hosts=tuple(sorted({background.names.host(gpu) for gpu in period.gpus})),
        gpus=len(period.gpus),
        prices=_prices_used(whole, background),
        by=question.by,
        whole=statement("total", whole, books.terms(period.gpus, terms)),
        rows=books.statements(question.by, terms),
        rent_or_own=rent_or_own(period.of_gpu_model, question.rent_usd_per_gpu_hour),
        self_or_api=self_or_api(books.accounts, token_list, terms.hours, capacities),
        curves=curves(period, books, token_list) if question.curve else (),
        demand=asking.demand if asking else None,
        what_if=at_other_terms(whole, facility, question.what_if) if question.what_if else None,
        mix=other_mix(books.statements("model", terms), question.mix) if question.mix else None,
        notes=_notes(period, books, question),
    )


def _prices_used(whole: Account, background: Background) -> tuple[PriceUsed, ...]:
    used = whole.charges.versions | whole.unobserved.versions
    return tuple(
        PriceUsed(each.id, utc(each.effective_from_ms), each.source, each.restates, each.reason)
        for each in background.book.versions
        if each.id in used
    )


def _notes(period: Period, books: Books, question: Question) -> tuple[str, ...]:
    """What a reader has to know beside the figures."""
    notes = []
    for who, account in books.without_gpus.items():
        tokens = account.made.all_tokens
        if tokens.total:
            why = "placed on no GPU" if period.verified.get(who, True) else "of another user"
            notes.append(f"not in the money: {tokens.output:.0f} output tokens of {who.deployment}, {why}")
    if question.by in OF_GPUS:
        notes.append("tokens are counted by server: those of a deployment are divided among its GPUs by their time")
    return tuple(notes)
