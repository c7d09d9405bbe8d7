"""How far back a Prometheus can be asked: a few bounded questions, for no two engines' APIs tell it alike."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from tokwatch.feeds.fleet.prometheus_asking import Asking

_DAY_S: Final = 86_400.0
_AGES_S: Final = tuple(days * _DAY_S for days in (3650, 1920, 960, 480, 240, 120, 60, 30, 15, 7, 3, 1, 0.25, 0.05, 0.0))
_STEPS: Final = 240  # an empty stretch costs the server nothing, and a full one a chunk a series and step
_FINER: Final = 60


class Span(NamedTuple):
    """Of the samples, Unix seconds."""

    first_s: float
    last_s: float


async def span_of(asking: Asking, series: Sequence[str], counted: str, now_s: float) -> Span | None:
    """Where samples begin, late by 1/4000 of their age (or of a day) at most, and where they end; None: nowhere.

    series: selectors, of which one has been there all along. counted: an expression of few series that has a value
    wherever they have. The index says in which stretch data begin, to a day or to a block of hours; two coarse ranges
    say it better. What lasted for less than a hundredth of its age may be overlooked. Raises QueryError.
    """
    for age_s, younger_s in pairwise(_AGES_S):
        if await asking.label_values("__name__", series, now_s - age_s, now_s - younger_s):
            break
    else:
        return None
    step_s = age_s / _STEPS
    whole = await _reach(asking, counted, now_s - age_s, now_s, step_s)
    if whole is None:
        return None
    begun = await _reach(asking, counted, whole.first_s - step_s, whole.first_s, step_s / _FINER)
    if whole.last_s > now_s - step_s:
        return Span(begun.first_s if begun else whole.first_s, now_s)
    ended = await _reach(asking, counted, whole.last_s, whole.last_s + step_s, step_s / _FINER)
    return Span(begun.first_s if begun else whole.first_s, ended.last_s if ended else whole.last_s)


async def _reach(asking: Asking, counted: str, start_s: float, end_s: float, step_s: float) -> Span | None:
    answer = await asking.range(counted, start_s, end_s, step_s)
    times_s = [at_s for row in answer.times_s for at_s in row]
    return Span(min(times_s), max(times_s)) if times_s else None
