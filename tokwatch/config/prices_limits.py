"""Which figures of `[prices]` can be meant at all: what is negative, not finite or out of all proportion is refused."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

Problem = tuple[str, str]  # path, message

MOST_PER_GPU_HOUR = 10_000
# The dearest tariffs of these currencies stay below 2 a kilowatt-hour: above 5, cents or a price per MWh were written.
_MOST_PER_KWH = dict.fromkeys(("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD"), 5.0)
# Market prices are capped at 20 a kilowatt-hour at the most (Australia's NEM, 2025) and go below 0.
_MOST_PER_KWH_ON_A_MARKET = dict.fromkeys(_MOST_PER_KWH, 25.0)
_MOST_PER_KWH_ELSEWHERE = 10_000.0


def most_per_kwh(currency: str, *, market: bool = False) -> float:
    """The dearest kilowatt-hour that is believed."""
    return (_MOST_PER_KWH_ON_A_MARKET if market else _MOST_PER_KWH).get(currency, _MOST_PER_KWH_ELSEWHERE)


def outside(where: str, value: float | None, low: float, high: float, why: str = "") -> Iterator[Problem]:
    """A figure that does not lie in [low, high]; NaN never does."""
    if value is not None and not low <= value <= high:
        yield where, f"must lie between {low:g} and {high:g}, is {value:g}" + (f": {why}" if why else "")


def not_above_0(where: str, value: float | None, high: float) -> Iterator[Problem]:
    """A figure that does not lie in (0, high]."""
    if value is not None and not 0 < value <= high:
        yield where, f"must be above 0 and up to {high:g}, is {value:g}"


def told_twice(where: str, keys: Iterable[Hashable], message: str) -> Iterator[Problem]:
    """Entries of a list whose key an earlier entry has; `message` may name it as {first}."""
    first: dict[Hashable, int] = {}
    for index, key in enumerate(keys):
        if first.setdefault(key, index) != index:
            yield f"{where}[{index}]", message.format(first=f"{where}[{first[key]}]")
