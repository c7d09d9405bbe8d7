"""The text of what is asked: PromQL that Prometheus (from 2.33 on), VictoriaMetrics, Mimir and Thanos read alike.

A quarter hour is (start, end]. A counter's increment over it is the difference of what it stood at, at both edges: the
last sample at or before each. `increase()` is never asked: it extrapolates. Where something is irregular (a restart, a
series that was not there before) the difference says nothing, and such series are told apart, to be read sample by
sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from collectors.prometheus.expressions import matches, selector

_QUARTER: Final = "15m"
_INSIDE: Final = "899999ms"  # a Prometheus before version 3 counts a sample on the starting edge too
_TWO_QUARTERS: Final = "30m"  # from where the earlier value may be found, to the end
_MINUTE: Final = "59999ms"
_CAN_BE: Final = 2**53  # whole numbers are exact up to here; DCGM writes 2^63 - 14 and the like for "no value"


@dataclass(frozen=True, slots=True)
class Selector:
    """Some series of one name."""

    name: str
    matchers: tuple[str, ...] = ()

    def of_targets(self, instances: Sequence[str]) -> Selector:
        """Those of some targets; all of them without any."""
        return Selector(self.name, (*self.matchers, matches("instance", instances))) if instances else self

    def __str__(self) -> str:
        return selector(self.name, *self.matchers)


@dataclass(frozen=True, slots=True)
class Increments:
    """Two queries: how far counters moved by group where that is regular, and which ones have to be read otherwise."""

    regular: str
    irregular: str


OfGauge = Callable[[Selector, str], str]


def by(*labels: str) -> str:
    """The clause of an aggregation."""
    return f"by ({', '.join(labels)})"


def without(*labels: str) -> str:
    return f"without ({', '.join(labels)})"


def of_series(series: Selector, group: str) -> Increments:
    """Counters of which each series restarts by itself; a group is their sum."""
    value, before = f"last_over_time({series}[{_INSIDE}])", f"last_over_time({series}[{_QUARTER}] offset {_QUARTER})"
    regular = f"({before} and (resets({series}[{_TWO_QUARTERS}]) == 0))"
    return Increments(f"sum {group} ({value} - {regular})", f"{value} unless {regular}")


def of_thing(series: Selector, group: str) -> Increments:
    """A counter of one thing for each group: its series are copies, or follow one another as labels change."""
    value = f"max {group} (last_over_time({series}[{_INSIDE}]))"
    before = f"last_over_time({series}[{_QUARTER}] offset {_QUARTER})"
    regular = (
        f"(max {group} ({before})"
        f" and (max {group} (resets({series}[{_TWO_QUARTERS}])) == 0)"
        f" and (max {group} (max_over_time({series}[{_TWO_QUARTERS}])) < {_CAN_BE})"
        f" and (count {group} (last_over_time({series}[{_TWO_QUARTERS}])) == count {group} ({before})))"
    )
    return Increments(f"{value} - {regular}", f"{value} unless {regular}")


def samples(series: Selector, group: str) -> str:
    """How many samples a quarter hour has, of the series that has most."""
    return f"max {group} (count_over_time({series}[{_INSIDE}]))"


def mean(series: Selector, group: str) -> str:
    """The mean of a gauge's samples, of the series that has most."""
    return f"max {group} (avg_over_time({series}[{_INSIDE}]))"


def mean_of_sum(series: Selector, group: str) -> str:
    """The mean of what several gauges add up to."""
    return f"sum {group} (avg_over_time({series}[{_INSIDE}]))"


def most(series: Selector, group: str) -> str:
    return f"max {group} (max_over_time({series}[{_INSIDE}]))"


def share_of_minutes(condition: str, group: str) -> str:
    """The share of those minutes of the quarter hour that have samples in which `condition` (0 or 1) holds."""
    return f"avg_over_time((max {group} ({condition}))[{_INSIDE}:1m])"


def share_of_a_sum(gauge: Selector, condition: str, group: str) -> str:
    """The share of a gauge's sum over minutes that those have in which `condition` holds."""
    by_minute = f"max {group} (avg_over_time({gauge}[{_MINUTE}]))"
    chosen = f"sum_over_time(({by_minute} * max {group} ({condition}))[{_INSIDE}:1m])"
    return f"{chosen} / sum_over_time(({by_minute})[{_INSIDE}:1m])"


def below(series: Selector, limit: float) -> str:
    """Whether no sample of a minute reached the limit."""
    return f"max_over_time({series}[{_MINUTE}]) < bool {limit:g}"


def reached(series: Selector, limit: float) -> str:
    return f"max_over_time({series}[{_MINUTE}]) >= bool {limit:g}"


def above(series: Selector, limit: float) -> str:
    return f"max_over_time({series}[{_MINUTE}]) > bool {limit:g}"


def moved(series: Selector) -> str:
    """Whether a counter moved within a minute, as far as its samples in it show."""
    return f"max_over_time({series}[{_MINUTE}]) > bool min_over_time({series}[{_MINUTE}])"


def quarter_of_samples(series: Selector) -> str:
    """All samples of a quarter hour."""
    return f"{series}[{_INSIDE}]"


def two_quarters_of_samples(series: Selector) -> str:
    return f"{series}[{_TWO_QUARTERS}]"


def last_within_a_day(series: Selector) -> str:
    return f"last_over_time({series}[1d])"


def there(series: Selector, group: str, window_s: float) -> str:
    """Which groups have a sample within a window."""
    return f"max {group} (last_over_time({series}[{round(window_s)}s]))"
