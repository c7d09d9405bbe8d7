"""What `tokwatch prices` shows: the versions of the price book, and what is in force now, explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from collectors.labels import clean_label
from tokwatch.config import PriceSection
from tokwatch.exports.names import Names
from tokwatch.feeds.history import read_book
from tokwatch.feeds.price_import import config_version, utc
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.electricity import Electricity, Flat, Series, TimeOfUse, next_change
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import Own, Parts, PricedGpu, Rent
from tokwatch.ledger.prices.token_prices import Tokens
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.reader import Reader

_LINE_LIMIT = 1000
_Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriceReport:
    """A price book at one moment, and the GPUs that it prices."""

    book: PriceBook
    now_ms: int
    gpus: tuple[PricedGpu, ...]
    not_imported: bool  # the config has other prices than the book

    @property
    def in_force(self) -> PriceVersion | None:
        return self.book.at(self.now_ms)


def report(reader: Reader, section: PriceSection, now_ms: int) -> PriceReport:
    """What a store and a config say."""
    book, entities = read_book(reader), reader.entities()
    names = Names(entities, reader.last_events(now_ms, kinds=["facts"]))
    facts = [(entity.host, names.gpu(entity.id, now_ms)) for entity in entities if entity.kind == "gpu"]
    gpus = tuple(PricedGpu(gpu.uuid, gpu.name, host) for host, gpu in facts if gpu is not None)
    return PriceReport(book, now_ms, gpus, config_version(section, book, now_ms, now_ms) is not None)


def holds(shown: PriceReport, version: PriceVersion) -> str:
    """Whether a version is in force, in a word or two."""
    if version.effective_from_ms > shown.now_ms:
        return "to come"
    if shown.in_force is not None and version.id == shown.in_force.id:
        return "in force"
    edges = [version.effective_from_ms, shown.now_ms]
    if any(found is not None and found.id == version.id for _, _, found in shown.book.segments(*edges)):
        return "restated" if version.restates else "past"
    return "replaced"


# --- JSON -------------------------------------------------------------------------------------------------------------


def as_json(shown: PriceReport) -> dict[str, Any]:
    """Everything, for programs."""
    prices = shown.in_force.prices if shown.in_force else None
    return {
        "at": utc(shown.now_ms),
        "in_force": shown.in_force.id if shown.in_force else None,
        "config_imported": not shown.not_imported,
        "versions": [_version_json(shown, version) for version in shown.book.versions],
        "closed": [
            {"month": each.month, "last_version": each.last_version, "closed": utc(each.closed_ms)}
            for each in shown.book.closed
        ],
        "gpus": [_gpu_json(prices, gpu) for gpu in shown.gpus],
        "electricity": _electricity_json(prices, shown.now_ms) if prices else None,
        "energy_basis": prices.facility.basis if prices else None,
    }


def _version_json(shown: PriceReport, version: PriceVersion) -> dict[str, Any]:
    return {
        "id": version.id,
        "from": utc(version.effective_from_ms),
        "to": None if version.effective_to_ms is None else utc(version.effective_to_ms),
        "recorded": utc(version.recorded_ms),
        "source": version.source,
        "reason": version.reason,
        "holds": holds(shown, version),
        "prices": msgspec.to_builtins(version.prices),
    }


def _gpu_json(prices: Prices | None, gpu: PricedGpu) -> dict[str, Any]:
    terms = prices.terms_of(gpu) if prices else None
    parts = terms.hourly if terms else None
    return {
        "host": gpu.host,
        "gpu": gpu.uuid,
        "model": gpu.model,
        "basis": _basis(terms),
        "elastic": terms.elastic if isinstance(terms, Rent) else None,
        "electricity_by_itself": None if terms is None else not terms.power_included,
        "usd_per_hour": None if parts is None else parts._asdict() | {"energy": None, "fixed": parts.total},
    }


def _basis(terms: Rent | Own | None) -> str | None:
    if terms is None:
        return None
    return "rent" if isinstance(terms, Rent) else "own"


def _electricity_json(prices: Prices, now_ms: int) -> dict[str, Any] | None:
    if prices.electricity is None:
        return None
    change = next_change(prices.electricity, now_ms)
    return {
        "kind": _kind(prices.electricity),
        "usd_per_kwh": prices.electricity.at(now_ms),
        "changes": None if change is None else utc(change[0]),
        "then_usd_per_kwh": None if change is None else change[1],
    }


def _kind(electricity: Electricity) -> str:
    kinds: dict[type, str] = {Flat: "flat", TimeOfUse: "time of use", Series: "series"}
    return kinds[type(electricity)]


# --- words ------------------------------------------------------------------------------------------------------------


def as_text(shown: PriceReport) -> str:
    """Everything, for people. Names in a store that somebody shared are as hostile as a page's."""
    return "\n".join(clean_label(line, _LINE_LIMIT) for line in _lines(shown))


def _lines(shown: PriceReport) -> Iterator[str]:
    if not shown.book.versions:
        yield "The price book is empty: write [prices] in the config (see `tokwatch prices example`)."
    else:
        yield from _version_lines(shown)
    if shown.not_imported:
        yield "The config has other prices: they are taken up when recording begins, or by `tokwatch prices import`."
    if shown.book.closed:
        yield f"Closed months: {', '.join(each.month for each in shown.book.closed)}"
    version = shown.in_force
    if version is None:
        yield "Nothing has a price now."
        return
    prices = version.prices
    yield ""
    yield f"In force now, {utc(shown.now_ms)}: version {version.id}. Amounts in {prices.currency}."
    yield ""
    yield from _gpu_lines(shown.gpus, prices)
    yield ""
    yield from _electricity_lines(prices, shown.now_ms)
    yield from _facility_lines(prices.facility)
    yield from _token_lines(prices.tokens)


def _version_lines(shown: PriceReport) -> Iterator[str]:
    rows: list[_Row] = [("version", "from", "to", "source", "", "reason")]
    for version in shown.book.versions:
        until = "" if version.effective_to_ms is None else utc(version.effective_to_ms)
        begins = utc(version.effective_from_ms)
        rows.append((str(version.id), begins, until, version.source, holds(shown, version), version.reason))
    yield from _table(rows)


def _gpu_lines(gpus: tuple[PricedGpu, ...], prices: Prices) -> Iterator[str]:
    """GPUs of one host, model and price share a line."""
    if not gpus:
        yield "No GPU was recorded yet."
        return
    counts: dict[tuple[str, str, Rent | Own | None], int] = {}
    for gpu in gpus:
        key = gpu.host, gpu.model or "–", prices.terms_of(gpu)
        counts[key] = counts.get(key, 0) + 1
    rows: list[_Row] = [("per GPU and hour", "host", "GPUs", "basis", *Parts._fields[:-1], "fixed", "electricity")]
    for (host, model, terms), count in counts.items():
        if terms is None:
            rows.append((model, host, str(count), "no price", *[""] * len(Parts._fields), ""))
            continue
        parts = terms.hourly
        amounts = [_amount(part) if part else "" for part in parts[:-1]]
        power = "included" if terms.power_included else "by itself"
        basis = "rent, elastic" if isinstance(terms, Rent) and terms.elastic else _basis(terms) or ""
        rows.append((model, host, str(count), basis, *amounts, _amount(parts.total), power))
    yield from _table(rows)


def _electricity_lines(prices: Prices, now_ms: int) -> Iterator[str]:
    if prices.electricity is None:
        yield "Electricity: no price."
        return
    usd_per_kwh, change = prices.electricity.at(now_ms), next_change(prices.electricity, now_ms)
    now = "no price now" if usd_per_kwh is None else f"{_amount(usd_per_kwh)} a kWh"
    then = ""
    if change is not None:
        then = f", from {utc(change[0])} " + ("no price" if change[1] is None else _amount(change[1]))
    yield f"Electricity ({_kind(prices.electricity)}): {now}{then}."


def _facility_lines(facility: Facility) -> Iterator[str]:
    pue = "no PUE is set" if facility.pue is None else f"PUE {facility.pue:g}"
    hosts = {
        "": "the hosts' own power is not counted",
        "measured": "the hosts' own power as measured",
        "per gpu": f"{facility.host_w_per_gpu} W of host per GPU",
        "ratio": f"{facility.host_ratio} W of host per board watt",
    }
    yield f"Energy in money covers: {facility.basis} ({pue}; {hosts[facility.host]})."
    if facility.carbon is not None:
        yield f"Carbon: {facility.carbon.g_per_kwh:g} g/kWh, {facility.carbon.label}, {facility.carbon.year}."


def _token_lines(tokens: Tokens) -> Iterator[str]:
    for title, prices in (("sold per million tokens", tokens.prices), ("an API asks for", tokens.api)):
        if not prices:
            continue
        rows: list[_Row] = [(title, "tier", "input", "cached", "cache write", "output")]
        for each in prices:
            amounts = ["" if price is None else _amount(price) for price in each.prices]
            rows.append((each.model or "all other models", each.tier, *amounts))
        yield ""
        yield from _table(rows)
    if tokens.tiers:
        yield "Tiers: " + ", ".join(f"{tier} × {factor:g}" for tier, factor in tokens.tiers.items())
    for rule in tokens.tier_of:
        whose = next(
            (f"{key} {getattr(rule, key)}" for key in ("tenant", "model", "deployment") if getattr(rule, key)), ""
        )
        yield f"Tier {rule.tier}: {whose}"
    for task in tokens.tasks:
        yield f"A request of {task.model or 'any other model'} is worth {_amount(task.usd_per_request)}"


def _amount(value: float) -> str:
    return f"{value:.5f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.2f}"


def _table(rows: list[_Row]) -> Iterator[str]:
    """Columns of one width each; those without a cell are left out."""
    used = [place for place in range(len(rows[0])) if any(row[place] for row in rows[1:])]
    widths = {place: max(len(row[place]) for row in rows) for place in used}
    for row in rows:
        yield "  ".join(row[place].ljust(widths[place]) for place in used).rstrip()
