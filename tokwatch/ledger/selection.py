"""Selection: sums over some of a Snapshot's GPUs, and the ratios that can be made of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tokwatch.ledger.figures import known_total, tokens_per_joule, total, unknown, usd_per_million
from tokwatch.ledger.snapshot import Figure, GpuRow, Snapshot

NOTHING = "no GPU"
NOTHING_SERVED = "nothing served"


class Selection(msgspec.Struct, frozen=True):
    """As Totals, of the chosen GPUs alone."""

    gpus: int
    gpus_idle: int
    tok_s: Figure  # output; each GPU's share of its servers
    tok_per_j: Figure
    usd_per_m_output: Figure  # all-in: the idle ones among them included
    idle_usd_today: Figure
    usd_per_hour: Figure
    power_w: Figure
    power_limit_w: float | None
    memory_used_gib: Figure
    memory_total_gib: float | None


def selection(rows: Sequence[GpuRow], snapshot: Snapshot) -> Selection:
    """Of rows of `snapshot`. Adds first and divides last; a ratio whose parts the rows do not carry is unknown."""
    serving = [row for row in rows if row.servers]
    tok_s = known_total([row.tok_s for row in serving], NOTHING_SERVED)
    rent = total((row.usd_per_hour for row in rows), NOTHING)
    tok_per_j, usd_per_m = _ratios(rows, serving, tok_s, rent, snapshot)
    return Selection(
        gpus=len(rows),
        gpus_idle=sum(row.idle and row.confirmed for row in rows),
        tok_s=tok_s,
        tok_per_j=tok_per_j,
        usd_per_m_output=usd_per_m,
        idle_usd_today=known_total([row.idle_usd_today for row in rows], NOTHING),
        usd_per_hour=rent,
        power_w=known_total([row.power_w for row in rows], NOTHING),
        power_limit_w=_sum_of([row.power_limit_w for row in rows]),
        memory_used_gib=known_total([row.memory_used_gib for row in rows], NOTHING),
        memory_total_gib=_sum_of([row.memory_total_gib for row in rows]),
    )


def _ratios(
    rows: Sequence[GpuRow], serving: Sequence[GpuRow], tok_s: Figure, rent: Figure, snapshot: Snapshot
) -> tuple[Figure, Figure]:
    """Tokens per joule, and what a million costs. Of all GPUs the totals know them, whatever the rows carry."""
    if rows and len(rows) == len(snapshot.gpus):
        return snapshot.totals.tok_per_j, snapshot.totals.usd_per_m_output
    if cut := _cut_through(rows, snapshot):
        return unknown(cut), unknown(cut)
    return _tok_per_j(rows, serving, tok_s), _usd_per_m(rent, serving, tok_s)


def _cut_through(rows: Sequence[GpuRow], snapshot: Snapshot) -> str:
    """Why nothing may be divided: of GPUs that do different parts of one work (prefill, decode) some are left out."""
    chosen = {row.index for row in rows}
    for deployment in snapshot.deployments:
        if len(deployment.servers) > 1 and 0 < len(chosen.intersection(deployment.gpus)) < len(deployment.gpus):
            return f"only a part of {deployment.name}"
    return ""


def _tok_per_j(rows: Sequence[GpuRow], serving: Sequence[GpuRow], tok_s: Figure) -> Figure:
    """Tokens over the energy of the same stretch. A row carries those watts only as its own ratio's divisor."""
    if not tok_s.value:
        return unknown(tok_s.why or "no tokens")
    if len(serving) < len(rows) or any(not row.tok_s.value or not row.tok_per_j.value for row in rows):
        return unknown("the energy of those that make no tokens is not carried here")
    watts = [
        Figure(row.tok_s.value / row.tok_per_j.value, coverage=row.tok_per_j.coverage, marks=row.tok_per_j.marks)
        for row in rows
        if row.tok_s.value and row.tok_per_j.value
    ]
    return _without_few(tokens_per_joule(tok_s, total(watts, NOTHING), few=False), [row.tok_per_j for row in serving])


def _usd_per_m(rent: Figure, serving: Sequence[GpuRow], tok_s: Figure) -> Figure:
    """Unknown where a GPU's tokens are known and its price per token is not: warming up, or another user's."""
    for row in serving:
        price = row.usd_per_m_output
        if row.tok_s.value is not None and price.value is None and not price.infinite and rent.value:
            return unknown(price.why)
    return _without_few(usd_per_million(rent, tok_s, few=False, warm=True), [row.usd_per_m_output for row in serving])


def _without_few(figure: Figure, of: Sequence[Figure]) -> Figure:
    """Few tokens together only where every one of them has few; what the parts are allocated by marks the whole."""
    known = [part for part in of if part.value is not None]
    if figure.value is None or not known:
        return figure
    marks = {mark for part in known for mark in part.marks} | set(figure.marks)
    if not all("few" in part.marks for part in known):
        marks.discard("few")
    return Figure(figure.value, coverage=figure.coverage, marks=tuple(sorted(marks)))


def _sum_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
