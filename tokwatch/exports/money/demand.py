"""When and what was asked for, of all models together: stretches of a period are added up hour by hour of the day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from tokwatch.exports.demand import hours_of_day, prompt_lengths
from tokwatch.exports.money.report import Demand, DemandHour, PromptLength
from tokwatch.exports.names import FlowName, Names
from tokwatch.exports.showback import FlowPart
from tokwatch.ledger.economics.arithmetic import Sums
from tokwatch.ledger.economics.demand import HourOfDay
from tokwatch.ledger.economics.token_cost import added
from tokwatch.ledger.figures import known
from tokwatch.store.quarter_rows import FlowQuarter

NOT_WATCHED = "not watched at this hour"
NOT_COUNTED = "no server counts its requests"


class Asking:
    """Takes the flow rows of a period, stretch by stretch."""

    def __init__(self, names: Names, zone: tzinfo, timezone: str) -> None:
        self._names, self._zone, self._timezone = names, zone, timezone
        self._hours: dict[int, HourOfDay] = {}
        self._lengths: dict[tuple[float, float | None], tuple[int, int, int]] = {}

    def take(self, quarters: Iterable[FlowQuarter]) -> None:
        """The flow rows of one stretch."""
        flows = [FlowPart(self._names.flow(quarter.entity), quarter) for quarter in quarters]
        for hours in hours_of_day(flows, self._zone, _all).values():
            for hour in hours:
                self._hours[hour.hour] = _both(self._hours[hour.hour], hour) if hour.hour in self._hours else hour
        for buckets in prompt_lengths(flows, _all).values():
            for each in buckets:
                before = self._lengths.get((each.above, each.up_to), (0, 0, 0))
                told = each.requests, each.tokens_at_least, each.tokens_at_most
                self._lengths[each.above, each.up_to] = (
                    before[0] + told[0],
                    before[1] + told[1],
                    before[2] + told[2],
                )

    @property
    def demand(self) -> Demand:
        """What was asked for, so far."""
        lengths = sorted(self._lengths.items(), key=lambda item: (item[0][0], item[0][1] or float("inf")))
        return Demand(
            self._timezone,
            tuple(_told(self._hours[hour]) for hour in sorted(self._hours)),
            tuple(PromptLength(*edges, *counts) for edges, counts in lengths),
        )


def _all(flow: FlowName) -> str:
    return ""


def _both(one: HourOfDay, other: HourOfDay) -> HourOfDay:
    requests = Sums(one.requests.amount + other.requests.amount, one.requests.base + other.requests.base)
    return HourOfDay(one.hour, one.seconds + other.seconds, added((one.tokens, other.tokens)), requests)


def _told(hour: HourOfDay) -> DemandHour:
    why = NOT_COUNTED if hour.seconds else NOT_WATCHED
    return DemandHour(
        hour.hour, hour.seconds / 3600, known(hour.requests_per_s, why), known(hour.tok_per_s, NOT_WATCHED)
    )
