"""The FOCUS table: the time of each GPU as charges, which add up to the cost and the joules of `gpu_hour`.

One row a charge period, GPU, and model × tenant × tier that kept it busy, or state that was paid for without work. As
in the other tables, what a GPU cost while nobody watched it is not in the total; here it is in no row at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from operator import itemgetter

import msgspec

from tokwatch.exports.allocation import BY_PRICE, BY_TOKENS, Payer, Share, allocate
from tokwatch.exports.background import Background
from tokwatch.exports.focus.billing import SELF_HOSTED, Billing
from tokwatch.exports.focus.charge import NO_TRAFFIC, Charge, TrafficPart
from tokwatch.exports.focus.numbers import plain
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.model_row import model_of
from tokwatch.exports.periods import Period, Periods
from tokwatch.exports.pricing import Pricing
from tokwatch.exports.showback import shown_back
from tokwatch.exports.traffic import Traffic, tier_of
from tokwatch.ledger.entries import State
from tokwatch.ledger.goodput import service_level
from tokwatch.ledger.weights import split_counts
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.quarters import Quarters

_Key = tuple[int, Payer, State | None]  # GPU, who pays, what for: None is being busy
_REVENUE_PLACES = 9


def focus_rows(
    quarters: Quarters, background: Background, periods: Periods | None = None, billing: Billing = SELF_HOSTED
) -> list[msgspec.Struct]:
    """Rows by charge period, node and GPU; structs of `row_type(billing.version)`. Periods are UTC hours unless told.

    quarters: those of whole periods.
    """
    periods = periods or Periods()
    months = Periods("month", periods.zone_name)
    pricing, flows = Pricing(quarters, background), shown_back(quarters, background.names)
    gpus: dict[int, list[GpuQuarter]] = defaultdict(list)
    for gpu in quarters.gpus:
        gpus[hour_of(gpu.quarter_ms)].append(gpu)
    found: dict[tuple[Period, str], _Charges] = {}

    def charges(quarter_ms: int) -> _Charges:
        # Amounts of a period in which the currency changed cannot be added up: it has rows in both.
        hour_ms = hour_of(quarter_ms)
        key = period, currency = periods.of(quarter_ms), _currency(hour_ms, background)
        if key not in found:
            found[key] = _Charges(period, months.of(period.start_ms), currency, hour_ms, background)
        return found[key]

    for hour_ms in sorted(gpus.keys() | flows.keys()):
        token_list, parts = background.token_list(hour_ms), flows.get(hour_ms, ())
        of_units, allocation = allocate(gpus[hour_ms], parts, background.names, pricing, token_list)
        for flow, part in of_units:
            of_period = charges(part.quarter.quarter_ms)
            of_period.add_flow(Payer(flow.servers, flow), part.quarter, part.name.servers[0])
        for gpu in gpus[hour_ms]:
            for state, share in allocation.shares_by_state(gpu):
                charges(gpu.quarter_ms).add_share(gpu, state, share)
    return [row for _, of_period in sorted(found.items(), key=itemgetter(0)) for row in of_period.rows(billing)]


def _currency(hour_ms: int, background: Background) -> str:
    """That of an hour's amounts: in force when it ends, else last within it; "" where no price was."""
    of_hour = background.currency(hour_ms)
    if of_hour is not None:
        return of_hour
    versions = [version for *_, version in background.book.segments(hour_ms, hour_ms + HOUR_MS) if version]
    return versions[-1].prices.currency if versions else ""


class _Charges:
    """Collects the charges of one charge period in one currency."""

    def __init__(self, period: Period, month: Period, currency: str, hour_ms: int, background: Background) -> None:
        """currency: "" where no price was in force. hour_ms: an hour of the period that has this currency."""
        self._period, self._month, self._currency, self._hour_ms = period, month, currency, hour_ms
        self._background = background
        self._charges: dict[_Key, Charge] = {}
        self._watched_ms: Counter[int] = Counter()  # GPU → time
        self._traffic = cache(self._traffic_of)

    def add_flow(self, payer: Payer, quarter: FlowQuarter, server: int) -> None:
        """Tokens and requests of a quarter hour."""
        self._traffic(payer).add(quarter, server)

    def add_share(self, gpu: GpuQuarter, state: State | None, share: Share) -> None:
        """A part of a GPU's quarter hour."""
        key = gpu.entity, share.payer, state
        if key not in self._charges:
            self._charges[key] = Charge(self._period, self._month, *key)
        charge = self._charges[key]
        charge.charges.add(share.charges)
        charge.methods |= {method for method in (BY_TOKENS, BY_PRICE) if method == share.allocation}
        charge.simulated |= gpu.run in self._background.simulated
        self._watched_ms[gpu.entity] += share.charges.held_ms

    def rows(self, billing: Billing) -> list[msgspec.Struct]:
        """Those that have a price, in order."""
        parts, found = self._traffic_parts(), []
        for key, charge in sorted(self._charges.items(), key=lambda pair: self._order(pair[1])):
            coverage = self._watched_ms[charge.gpu] / self._period.length_ms
            traffic = parts.get(key, NO_TRAFFIC)
            row = charge.written(traffic, coverage, self._currency, billing, self._background)
            if row is not None:
                found.append(row)
        return found

    # --- within ---------------------------------------------------------------------------------------------------

    def _order(self, charge: Charge) -> tuple[object, ...]:
        names = self._background.names
        facts = names.gpu(charge.gpu, self._period.end_ms)
        return (names.host(charge.gpu), facts is None, facts.index if facts else 0, charge.gpu, charge.sort_key)

    def _traffic_of(self, payer: Payer) -> Traffic:
        background, end_ms = self._background, self._period.end_ms
        servers = [background.names.server(server, end_ms) for server in payer.servers]
        known = [server for server in servers if server]
        tier = tier_of(payer.flow, known, background.token_list(end_ms - HOUR_MS))[0] if payer.flow else ""
        return Traffic(self._hour_ms, model_of(payer, known), tier, background, end_ms=end_ms)

    def _traffic_parts(self) -> dict[_Key, TrafficPart]:
        """Of each charge that has a part in its payer's traffic: by busy time, by idle time where there is no other."""
        of_payer: dict[Payer, list[_Key]] = defaultdict(list)
        for key in sorted(self._charges, key=lambda key: (key[2] is not None, key[0], key[2] or 0)):
            payer, state = key[1], key[2]
            if payer.flow and (state is None or all(other[2] is not None for other in of_payer[payer])):
                of_payer[payer].append(key)
        found: dict[_Key, TrafficPart] = {}
        for payer, keys in of_payer.items():
            weights = [self._charges[key].charges.held_ms for key in keys]
            found |= dict(zip(keys, _divided(self._traffic(payer), weights), strict=True))
        return found


def _divided(traffic: Traffic, weights: Sequence[int]) -> list[TrafficPart]:
    flows, revenue_usd = traffic.sums, traffic.revenue_usd
    met = service_level(traffic.populations, traffic.slo).met
    scaled = None if revenue_usd is None else round(revenue_usd * 10**_REVENUE_PLACES)

    def parts(number: int | None) -> Sequence[int | None]:
        return (None,) * len(weights) if number is None else split_counts(number, weights)

    columns = map(
        parts,
        (flows.uncached_tokens, flows.cached_tokens, flows.counts["output_tokens"], flows.counts["finished"], scaled),
    )
    return [
        TrafficPart(
            uncached=uncached,
            cached=cached,
            output=output,
            requests=requests,
            revenue=None if revenue is None else plain(Decimal(revenue).scaleb(-_REVENUE_PLACES)),
            met_low=met.low,
            met_high=met.high,
        )
        for uncached, cached, output, requests, revenue in zip(*columns, strict=True)
    ]
