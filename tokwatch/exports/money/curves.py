"""The cost of a token against load, quarter hour by quarter hour, and the load from which it beats an API."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from tokwatch.exports.money.break_even import api_usd_per_m
from tokwatch.exports.money.gather import Period, Window
from tokwatch.exports.money.report import Curve, CurvePoint
from tokwatch.exports.money.rows import Books
from tokwatch.exports.money.statement import NOT_METERED
from tokwatch.ledger.economics.load_curve import LoadBin, LoadPoint, even_edges, load_curve, load_that_beats
from tokwatch.ledger.economics.token_cost import added
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import NO_PRICE, known
from tokwatch.ledger.money.earnings import NO_API_PRICE
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.store.rollup import QUARTER_MS

BINS = 8
ALL_GPUS = "all GPUs"
DEARER_AT_ANY_LOAD = "dearer than the API at any load that was seen"


def curves(period: Period, books: Books, token_list: TokenList) -> tuple[Curve, ...]:
    """One of all GPUs, idle ones included, and one of each deployment where there are several."""
    deployments = sorted({who.deployment for who in books.accounts if not who.left_over})
    together: dict[int, list[Window]] = defaultdict(list)
    for (deployment, quarter_ms), window in period.windows.items():
        if deployment in deployments or not deployment:
            together[quarter_ms].append(window)
    found = [_curve(ALL_GPUS, together, books, token_list, deployments)]
    for deployment in deployments if len(deployments) > 1 else ():
        own = {quarter_ms: [window] for (name, quarter_ms), window in period.windows.items() if name == deployment}
        found.append(_curve(deployment, own, books, token_list, [deployment]))
    return tuple(found)


def _curve(
    name: str,
    windows: Mapping[int, Iterable[Window]],
    books: Books,
    token_list: TokenList,
    deployments: Iterable[str],
) -> Curve:
    points = [point for quarter in windows.values() if (point := _point(quarter)) is not None]
    bins = load_curve(points, even_edges(max((point.tok_per_s_gpu for point in points), default=0.0), BINS))
    mix = {
        made: tokens
        for who, account in books.accounts.items()
        if who.deployment in deployments and not who.left_over
        for made, tokens in account.made.tokens.items()
    }
    api = api_usd_per_m(mix, token_list)
    beats = load_that_beats(bins, api)
    return Curve(
        name,
        tuple(map(_told, bins)),
        known(api, NO_API_PRICE),
        known(beats, NO_API_PRICE if api is None else DEARER_AT_ANY_LOAD),
    )


def _point(windows: Iterable[Window]) -> LoadPoint | None:
    windows = list(windows)
    held_s = sum(window.charges.held_ms for window in windows) / 1000
    if not held_s:
        return None
    tokens = added(each for window in windows for each in window.tokens).total
    costs = [window.charges.total_usd for window in windows if not window.charges.empty]
    energies = [window.charges.energy_mj for window in windows if not window.charges.empty]
    return LoadPoint(
        tok_per_s_gpu=tokens / held_s,
        usd=None if None in costs else sum(cost for cost in costs if cost is not None),
        tokens=tokens,
        energy_j=None if None in energies else sum(each for each in energies if each is not None) / 1000,
        seconds=QUARTER_MS / 1000,
    )


def _told(each: LoadBin) -> CurvePoint:
    cost = each.usd_per_m
    infinite = cost is not None and math.isinf(cost)
    return CurvePoint(
        tok_s_gpu_from=each.low,
        tok_s_gpu_to=None if math.isinf(each.high) else each.high,
        tok_s_gpu=known(each.tok_per_s_gpu),
        hours=each.seconds / 3600,
        usd_per_m_blended=Figure(None, "no tokens", infinite=True) if infinite else known(cost, NO_PRICE),
        tok_per_j_board=known(each.tok_per_j, NOT_METERED),
    )
