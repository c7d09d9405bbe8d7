"""How far back a server can be asked, by one that knows its blocks roughly and its samples exactly."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from collectors.prometheus.answers import Matrix, Vector
from tokwatch.feeds.fleet.prometheus_asking import Asking
from tokwatch.feeds.fleet.prometheus_span import span_of

NOW_S = 1_790_000_000.0
HOUR_S = 3600.0
LOOKBACK_S = 300.0


class Stored:
    """A PrometheusApi with samples from first_s to last_s, whose index knows days."""

    url = "http://stored"

    def __init__(self, first_s: float, last_s: float) -> None:
        self._first_s = first_s
        self._last_s = last_s
        self.asked = 0

    async def label_values(
        self, label: str, matches: Sequence[str] = (), start_s: float | None = None, end_s: float | None = None
    ) -> tuple[str, ...]:
        self.asked += 1
        assert start_s is not None
        assert end_s is not None
        day_s = 24 * HOUR_S
        return ("x",) if self._first_s // day_s * day_s <= end_s and start_s <= self._last_s else ()

    async def range(self, query: str, start_s: float, end_s: float, step_s: float) -> Matrix:
        self.asked += 1
        steps = round((end_s - start_s) / step_s)
        assert steps <= 240
        times = [start_s + step * step_s for step in range(steps + 1)]
        there = tuple(at_s for at_s in times if self._first_s <= at_s < self._last_s + LOOKBACK_S)
        return Matrix(({},), (there,), ((1.0,) * len(there),)) if there else Matrix((), (), ())

    async def instant(self, query: str, at_s: float | None = None) -> Vector:
        raise NotImplementedError

    async def samples(self, query: str, at_s: float) -> Matrix:
        raise NotImplementedError

    async def scrape_interval_s(self, job_hint: str = "") -> float | None:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing is open."""


@given(st.floats(60, 3000 * 24 * HOUR_S))
@example(60.0)
async def test_where_samples_begin_is_found_to_a_part_of_their_age(age_s: float) -> None:
    api = Stored(NOW_S - age_s, NOW_S)
    span = await span_of(Asking(api), ["x"], "count(x)", NOW_S)
    assert span is not None
    assert span.last_s == NOW_S
    assert -1 <= span.first_s - (NOW_S - age_s) <= max(age_s, 24 * HOUR_S) / 4000
    assert api.asked <= 17


@given(st.floats(HOUR_S, 1000 * 24 * HOUR_S), st.floats(0.1, 0.9))
async def test_samples_that_ended_long_ago_end_there(age_s: float, share: float) -> None:
    last_s = NOW_S - age_s * share
    span = await span_of(Asking(Stored(NOW_S - age_s, last_s)), ["x"], "count(x)", NOW_S)
    assert span is not None
    assert abs(span.last_s - last_s) <= max(age_s, 24 * HOUR_S) / 60 + LOOKBACK_S


async def test_a_server_that_holds_nothing_has_no_past() -> None:
    assert await span_of(Asking(Stored(NOW_S * 2, NOW_S * 2)), ["x"], "count(x)", NOW_S) is None
