"""The fleet that is asked about: the server, what its names and labels mean, and which of its series are meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from collectors.prometheus.dialects import Dialects, dialects, names_matcher
from collectors.prometheus.expressions import matches
from collectors.prometheus.identity import HostIdentity
from collectors.vocabularies.vocabulary import Series
from tokwatch.feeds.prometheus_quarters.asking import Asking, Stretch
from tokwatch.feeds.prometheus_quarters.promql import Selector


@dataclass(frozen=True, slots=True)
class Fleet:
    """What every question starts from."""

    asking: Asking
    identity: HostIdentity
    dialects: Dialects
    where: str = ""  # label matchers of the config, put into every query

    def series(self, name: str, *matchers: str) -> Selector:
        return Selector(name, (*((self.where,) if self.where else ()), *matchers))

    def spelled(self, series: Series, suffix: str = "") -> Iterator[Selector]:
        """An engine's series, in each spelling that the server has."""
        matcher = (matches(series.label, series.values, others=series.others),) if series.label else ()
        for name in self.dialects.spellings(series.name + suffix):
            yield self.series(name, *matcher)


async def fleet_of(asking: Asking, identity: HostIdentity, stretch: Stretch, where: str = "") -> Fleet:
    """The dialects are those of the names that the server has in the stretch. Raises QueryError."""
    names = await asking.label_values("__name__", (names_matcher(),), stretch)
    return Fleet(asking, identity, dialects(names), where)
