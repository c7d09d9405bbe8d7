"""What was spent this month, from the quarter hours of the store: the budget's side of the books."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from pathlib import Path

import msgspec

from tokwatch.exports.hourly import background_of
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.pricing import Pricing
from tokwatch.exports.selection import Selection
from tokwatch.feeds.history import lineage
from tokwatch.ledger.alerts.budget import Spending, month_span_ms
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.entries import Run
from tokwatch.ledger.local_time import zone_of
from tokwatch.store.errors import StoreError
from tokwatch.store.quarter_rows import GpuQuarter
from tokwatch.store.reader import Reader


def spent_this_month(store: Path, run: Run, now_ms: int) -> Spending | None:
    """What the GPUs of the run's host cost since the first of its local month, watched or owed for between two times
    that they were. None while nothing of it is stored, or nothing of it has a price. Raises StoreError.
    """
    from_ms, _ = month_span_ms(now_ms, zone_of(run.timezone))
    try:
        with Reader(store) as reader:
            runs = tuple(each.id for each in lineage(reader.runs(), run))
            first_ms, last_ms = reader.tick_after(runs, from_ms), reader.last_tick(runs)
            if first_ms is None or last_ms is None or last_ms <= first_ms:
                return None
            usd = _spent(reader, Selection(runs, from_ms, last_ms)).total_usd
    except (sqlite3.Error, msgspec.DecodeError) as error:
        raise StoreError(f"cannot read the store {store}: {error}; check it with `tokwatch doctor --store`") from error
    return None if usd is None else Spending(usd, first_ms, last_ms)


def _spent(reader: Reader, selection: Selection) -> Charges:
    quarters = reader.quarters(selection.from_ms, selection.to_ms, selection.runs, traffic=False)
    pricing = Pricing(quarters, background_of(reader, selection))
    spent = pricing.charges(*quarters.gpus)
    rows: dict[tuple[int, int], list[GpuQuarter]] = defaultdict(list)
    for quarter in quarters.gpus:
        rows[quarter.entity, hour_of(quarter.quarter_ms)].append(quarter)
    for gpu in {gpu for gpu, _ in rows}:
        for hour_ms in range(hour_of(selection.from_ms), selection.to_ms, HOUR_MS):
            spent.add(pricing.unobserved(gpu, hour_ms, rows.get((gpu, hour_ms), ())))
    return spent
