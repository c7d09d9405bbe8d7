"""Sums of what hosts tell, and the ratios of such sums. A ratio leaves out hosts of which one side is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import FEW_TOKENS, known_total, tokens_per_joule, unknown, usd_per_million

NO_HOST = "no host"
NO_TOKENS = "no tokens"
Pairs = Sequence[tuple[Figure, Figure]]  # (output tokens per second, another figure) of each host


def added(figures: Iterable[Figure]) -> Figure:
    """Σ of what is known, "part" where not all is. Which hosts are stale their own rows say: of many there is always
    one, and a mark that every sum bears tells nothing."""
    found = known_total(figures, NO_HOST)
    if found.value is None or not found.marks:
        return found
    return Figure(found.value, coverage=found.coverage, marks=tuple(sorted({*found.marks} - {"stale"})))


def per_joule(pairs: Pairs, window_s: float, *, estimated: bool) -> Figure:
    """Σ tokens/s ÷ Σ watts."""
    tok_s, power_w = _both(pairs)
    if tok_s.value == 0:
        return unknown(NO_TOKENS)
    found = tokens_per_joule(tok_s, power_w, few=_few(tok_s, window_s))
    if found.value is None or not estimated:
        return found
    return Figure(found.value, coverage=found.coverage, marks=tuple(sorted({*found.marks, "est"})))


def per_million(pairs: Pairs, window_s: float) -> Figure:
    """Σ dollars an hour ÷ Σ tokens, of a million."""
    tok_s, usd_per_hour = _both(pairs)
    return usd_per_million(usd_per_hour, tok_s, few=_few(tok_s, window_s), warm=True)


def _both(pairs: Pairs) -> tuple[Figure, Figure]:
    """Both sums over the pairs that are whole; "part" where some are not."""
    whole = [pair for pair in pairs if pair[0].value is not None and pair[1].value is not None]
    if not whole:
        why = next((each.why for pair in pairs for each in pair if each.value is None), NO_HOST)
        return unknown(why), unknown(why)
    left_out = [unknown("left out")] if len(whole) < len(pairs) else []
    return added([*(pair[0] for pair in whole), *left_out]), added([*(pair[1] for pair in whole), *left_out])


def _few(tok_s: Figure, window_s: float) -> bool:
    return tok_s.value is not None and tok_s.value * window_s < FEW_TOKENS
