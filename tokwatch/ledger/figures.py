"""Figures from sums: the one place that divides. Each knows why it is unknown, its coverage and its marks."""

from __future__ import annotations

from collections.abc import Iterable

from tokwatch.ledger.snapshot import Figure

RATIO_FROM_MS = 10_000  # a 100 ms energy counter read with 20 ms of jitter is ±10 % over 1 s and ±1 % over 10 s
FEW_TOKENS = 100
WARMING_UP = "warming up"
NO_PRICE = "no price set"
# Marks of watts that are not a GPU's own: a superchip's, its processor included, or a box's processors.
SCOPES = frozenset({"module", "package"})
MIXED_SCOPES = "watts of different scopes are not added up: a module's hold those of its GPUs"


def known(value: float | None, why: str = "", marks: tuple[str, ...] = ()) -> Figure:
    """A gauge, or the reason there is none."""
    return Figure(value, "" if value is not None else why or "unknown", marks=marks)


def unknown(why: str) -> Figure:
    """Nothing to show, and why."""
    return Figure(None, why)


def per_second(amount: int, covered_ms: int, window_ms: int, marks: tuple[str, ...] = ()) -> Figure:
    """amount / covered time; unknown before anything was covered."""
    if not covered_ms:
        return unknown(WARMING_UP)
    return Figure(amount * 1000 / covered_ms, coverage=min(1.0, covered_ms / window_ms), marks=marks)


def total(figures: Iterable[Figure], why: str) -> Figure:
    """Sum of figures, unknown as soon as one is; `why` when there are none. Marks are kept, coverage is the least.

    Watts of different scopes have no sum.
    """
    parts = list(figures)
    if not parts:
        return unknown(why)
    missing = next((part for part in parts if part.value is None), None)
    if missing is not None:
        return unknown(missing.why)
    borne = {part.marks for part in parts}  # few, however many parts there are, and nearly always none
    if len(borne) > 1 and len({SCOPES.intersection(marks) for marks in borne}) > 1:
        return unknown(MIXED_SCOPES)
    marks = tuple(sorted({mark for marks in borne for mark in marks}))
    return Figure(sum(part.value or 0.0 for part in parts), coverage=min(part.coverage for part in parts), marks=marks)


def known_total(figures: Iterable[Figure], why: str) -> Figure:
    """Sum of the figures that are known; marked "part" when some are not; `why` when none is."""
    parts = list(figures)
    added = total([part for part in parts if part.value is not None], parts[0].why if parts else why)
    if added.value is None or all(part.value is not None for part in parts):
        return added
    return Figure(added.value, coverage=added.coverage, marks=(*added.marks, "part"))


def share(value: Figure, parts: int) -> Figure:
    """An equal share of a figure."""
    if value.value is None:
        return value
    return Figure(value.value / parts, coverage=value.coverage, marks=value.marks)


def tokens_per_joule(tok_s: Figure, watts: Figure, *, few: bool) -> Figure:
    """tok/s per W, which is tokens per joule."""
    if tok_s.value is None or watts.value is None:
        return unknown(tok_s.why or watts.why)
    if not watts.value:
        return unknown("no power drawn")
    return Figure(
        tok_s.value / watts.value,
        coverage=min(tok_s.coverage, watts.coverage),
        marks=_marks(tok_s, watts, few=few),
    )


def usd_per_million(usd_per_hour: Figure, tok_s: Figure, *, few: bool, warm: bool) -> Figure:
    """Cost of 10⁶ tokens at the present rate: $/h ÷ (tok/s × 3600) × 10⁶; infinite at cost without tokens."""
    if usd_per_hour.value is None or tok_s.value is None:
        return unknown(usd_per_hour.why or tok_s.why)
    if not warm:
        return unknown(WARMING_UP)
    if not tok_s.value:
        return Figure(None, "no tokens", infinite=True) if usd_per_hour.value else unknown("no tokens")
    return Figure(
        usd_per_hour.value / (tok_s.value * 3600) * 1e6,
        coverage=tok_s.coverage,
        marks=_marks(usd_per_hour, tok_s, few=few),
    )


def _marks(*figures: Figure, few: bool) -> tuple[str, ...]:
    marks = {mark for figure in figures for mark in figure.marks}
    return tuple(sorted(marks | {"few"} if few else marks))


def part_of(part: Figure, whole: Figure) -> Figure:
    """Which share of a figure another one is, 0..1."""
    if part.value is None or whole.value is None:
        return unknown(part.why or whole.why)
    if not whole.value:
        return unknown("nothing to be a part of")
    marks = tuple(sorted({*part.marks, *whole.marks}))
    return Figure(part.value / whole.value, coverage=min(part.coverage, whole.coverage), marks=marks)
