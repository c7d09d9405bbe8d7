"""Order: rows sorted by a field, so that they change places only when what is read of them does."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf
from operator import itemgetter
from typing import Any

from tokwatch.dashboard.arrange.field import Context, Field, Row


def ordered(rows: Sequence[Row], field: Field[Row, Context], context: Context, *, falling: bool) -> list[Row]:
    """The rows sorted, equal ones in the order they had; those of which nothing is known come last, either way."""
    ranked: list[tuple[Any, Row]] = [(field.sorts_by(row, context), row) for row in rows]
    if field.figure:
        ranked = _as_written(ranked, field)
    known = sorted((pair for pair in ranked if pair[0] is not None), key=itemgetter(0), reverse=falling)
    return [row for _, row in known] + [row for rank, row in ranked if rank is None]


def _as_written(ranked: list[tuple[Any, Row]], field: Field[Row, Context]) -> list[tuple[Any, Row]]:
    """Figures that read the same are equal: rows a fraction of a cent apart would change places with every tick."""
    least: dict[str, float] = {}
    texts = [None if value is None or isinf(value) else field.write(value) for value, _ in ranked]
    for text, (value, _) in zip(texts, ranked, strict=True):
        if text is not None:
            least[text] = min(value, least.get(text, value))
    return [(value if text is None else least[text], row) for text, (value, row) in zip(texts, ranked, strict=True)]
