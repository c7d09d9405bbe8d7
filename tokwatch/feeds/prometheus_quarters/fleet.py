"""The fleet that is asked about: the server, what its names and labels mean, and which of its series are meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from collectors.meters import HOST_METERS
from collectors.prometheus.dialects import Dialects, dialects, names_matcher
from collectors.prometheus.expressions import any_of, matches, quoted
from collectors.prometheus.identity import HostIdentity
from collectors.readings import ServerFacts
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
    declared: Mapping[str, ServerFacts] = field(default_factory=dict)  # by address: what the config says of servers

    def series(self, name: str, *matchers: str) -> Selector:
        return Selector(name, (*((self.where,) if self.where else ()), *matchers))

    def spelled(self, series: Series, suffix: str = "") -> Iterator[Selector]:
        """An engine's series, in each spelling that the server has."""
        matcher = (matches(series.label, series.values, others=series.others),) if series.label else ()
        for name in self.dialects.spellings(series.name + suffix):
            yield self.series(name, *matcher)


def _power_names() -> str:
    """A selector of every series that tells the power of a whole server, or by which its exporter is recognised."""
    names = {name for meter in HOST_METERS for _, source in meter.watts for name in source.names}
    signs = {name for meter in HOST_METERS for sign in meter.signs for name in sign}
    return f"{{__name__=~{quoted(any_of(names | signs))}}}"


async def fleet_of(
    asking: Asking,
    identity: HostIdentity,
    stretch: Stretch,
    where: str = "",
    declared: Iterable[ServerFacts] = (),
) -> Fleet:
    """The dialects are those of the names that the server has in the stretch. Raises QueryError."""
    names = await asking.label_values("__name__", (names_matcher(), _power_names()), stretch)
    return Fleet(asking, identity, dialects(names), where, {facts.address: facts for facts in declared})
