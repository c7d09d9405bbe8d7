"""Where the figures of the box come from, as the store would tell it."""

from __future__ import annotations

from tokwatch.feeds.questions.explanation import Explanation
from tokwatch.ledger.explain.entry import explained
from tokwatch.ledger.explain.explained import Explained
from tokwatch.ledger.explain.provenance import PricedBy, Provenance, Source, Span
from tokwatch.ledger.explain.quantity import Quantity, made_of
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figure_path import figure_at

WINDOW_MS = 60_000
TOKENS, COVERED_S = 93_060, 60.0
_PRICE = PricedBy(1, "set by you", 1_791_113_580_000, "2.35 USD/GPU-h, set by you, since 11:33")


def provenance(question: Explanation) -> Provenance:
    """Of any figure: the last minute of the server on GPU 0, and its numbers where the figure is one."""
    from tests.dashboard.snapshots import BOX  # which asks for the answers itself

    figure, entry = figure_at(BOX, question.path), explained(question.path)
    known = isinstance(figure, Figure) and figure.value is not None
    return Provenance(
        path=question.path,
        tick_ms=question.tick_ms,
        figure=figure,
        numbers=_numbers(entry, figure) if entry and known and isinstance(figure, Figure) else None,
        sources=_sources(entry),
        span=Span(question.tick_ms - WINDOW_MS, question.tick_ms, 60, newest_ms=question.tick_ms - 250),
        price=_PRICE if entry and entry.unit.startswith("$") else None,
    )


def _numbers(entry: Explained, figure: Figure) -> Quantity:
    made = made_of(
        "output",
        "tok/s",
        "output_tokens / covered_s",
        output_tokens=Quantity("output tokens", TOKENS, "tokens"),
        covered_s=Quantity("seconds covered", COVERED_S, "s"),
    )
    factor = Quantity("the rest", (figure.value or 0.0) / made.value, entry.unit)
    return made_of(entry.words, entry.unit, "made * factor", made=made, factor=factor)


def _sources(entry: Explained | None) -> tuple[Source, ...]:
    tokens = Source(
        ("vllm:generation_tokens_total",), "127.0.0.1:8000", "output tokens", "tokens", 88_630_141, 88_723_201, TOKENS
    )
    energy = Source(
        ("NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION",), "GPU 0", "energy", "mJ", 8_768_183_034, 8_804_903_034, 36_720_000
    )
    read = {"output_tokens": tokens, "energy_mj": energy}
    return tuple(read[role] for role in entry.reads if role in read) if entry else ()
