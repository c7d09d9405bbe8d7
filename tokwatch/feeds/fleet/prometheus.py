"""A fleet as a Prometheus tells it: by host, in a dozen queries, the same ones for now and for any moment before."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from msgspec.structs import replace

from collectors.prometheus.answers import PrometheusApi
from collectors.prometheus.expressions import packed
from collectors.prometheus.identity import HostIdentity
from collectors.prometheus.query_error import QueryError
from tokwatch.feeds.fleet import HostDoor
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.prometheus_asking import Asking
from tokwatch.feeds.fleet.prometheus_discovery import USUAL_INTERVAL_S, Found, discover
from tokwatch.feeds.fleet.prometheus_equal_names import EqualNames
from tokwatch.feeds.fleet.prometheus_figures import Figures
from tokwatch.feeds.fleet.prometheus_flows import flows
from tokwatch.feeds.fleet.prometheus_freshness import Home, Homes, Target, freshness, has_young
from tokwatch.feeds.fleet.prometheus_hosts import MAX_ASKED
from tokwatch.feeds.fleet.prometheus_latencies import latencies
from tokwatch.feeds.fleet.prometheus_notes import Look, notes
from tokwatch.feeds.fleet.prometheus_queries import HARDWARE, Group
from tokwatch.feeds.fleet.prometheus_reading import has_new_hosts, host_tallies
from tokwatch.feeds.fleet.prometheus_span import span_of
from tokwatch.feeds.fleet.prometheus_trend import STEP_S, Trend, points_of
from tokwatch.ledger.fleet.tally import FleetTally, HostKey

_MINUTE_MS: Final = STEP_S * 1000  # of the charts: that of a look itself comes with it
_REDISCOVER_S: Final = 300.0
_KEEP_S: Final = 300.0  # how long an answer stands for one that failed
_PAST_BUCKET_S: Final = 1800.0  # moments that are read by one discovery
_PAST_KEPT: Final = 48
_SPAN_HOLDS_S: Final = 600.0
_PROGRAM: Final = (sys.executable, "-m", "tokwatch")


class _Answered(NamedTuple):
    """What one group of figures was answered, and when."""

    figures: Figures
    at_s: float


class PrometheusSource:
    """A FleetSource. Learns the server's names with the first look, and looks for new ones every few minutes."""

    def __init__(
        self,
        api: PrometheusApi,
        *,
        identity: HostIdentity | None = None,
        within: str = "",
        clock_s: Callable[[], float] = time.monotonic,
        program: Sequence[str] = _PROGRAM,
        notices: Sequence[str] = (),
    ) -> None:
        """identity: labels that name hosts, regions and clusters. within: label matchers for every query.
        program: what a host is looked into by. notices: of the client, which the user is to see."""
        self._api = api
        self.identity = identity or HostIdentity()
        self._within = within
        self._clock_s = clock_s
        self._program = tuple(program)
        self.notices = tuple(notices)
        self._found: Found | None = None
        self._found_at_s = -math.inf
        self._past: OrderedDict[int, Found] = OrderedDict()
        self._answered: dict[str, _Answered] = {}  # by group, the last one of `now`
        self._homes = {False: Homes(), True: Homes()}  # by whether HOST tells the place too
        self._equal_names = EqualNames()
        self._trend = Trend()
        self._filling: asyncio.Task[None] | None = None
        self._refused: QueryError | None = None  # why the server gave no trend when it was last asked
        self._refused_at_s = -math.inf
        self._span: tuple[int, int] | None = None
        self._span_at_s = -math.inf

    @property
    def interval_s(self) -> float:
        return self._found.interval_s if self._found else USUAL_INTERVAL_S

    @property
    def where(self) -> str:
        return f"Prometheus {self._api.url}"

    async def now(self) -> FleetTally:
        """Parts that cannot be had stand as they were before, for some minutes, and a note says so."""
        asking = Asking(self._api)
        try:
            found = await self._speaks(asking)
            at_s = (await asking.instant("time()", None)).values[0]  # the server's clock, which its samples go by
        except (QueryError, IndexError) as error:
            raise SourceError(str(error) or f"{self._api.url} does not tell the time: is it a Prometheus?") from error
        if not found.anything:
            return self._tally(asking, found, {}, at_s)
        fresh = await asking.groups([group for group in found.questions.groups if self._is_due(group, at_s)], at_s)
        if not fresh:
            raise SourceError(str(next(iter(asking.failures.values()))))
        if self._refused is not None and self._trend.missing(round(at_s * 1000) - _MINUTE_MS) is not None:
            asking.failures["trend"] = self._refused
        self._answered |= {name: _Answered(figures, at_s) for name, figures in fresh.items()}
        answered = {name: each for name, each in self._answered.items() if at_s - each.at_s <= _KEEP_S}
        tally = await self._complete(asking, found, answered, at_s)
        self._trend.carry_on(tally)
        self._fill_in_background(found, tally.at_ms)
        return replace(tally, trend=self._trend.until(tally.at_ms), cost=asking.cost)

    async def at(self, at_ms: int) -> FleetTally:
        """By the names that there were around then."""
        asking, at_s = Asking(self._api), at_ms / 1000
        try:
            found = await self._spoke(asking, at_s)
        except QueryError as error:
            raise SourceError(str(error)) from error
        if not found.anything:
            return self._tally(asking, found, {}, at_s)
        fresh, _ = await asyncio.gather(
            asking.groups(found.questions.groups, at_s), self._fill_trend(asking, found, at_ms)
        )
        if not fresh:
            raise SourceError(str(next(iter(asking.failures.values()))))
        answered = {name: _Answered(figures, at_s) for name, figures in fresh.items()}
        tally = await self._complete(asking, found, answered, at_s)
        return replace(tally, trend=self._trend.until(at_ms), cost=asking.cost)

    async def span_ms(self) -> tuple[int, int] | None:
        """To less than a thousandth of its age; None where nothing is stored. Raises SourceError."""
        if self._clock_s() - self._span_at_s < _SPAN_HOLDS_S:
            return self._span
        asking = Asking(self._api)
        try:
            found = await self._speaks(asking)
            now_s = (await asking.instant("time()", None)).values[0]
            hosts = found.questions.hosts
            span = None
            if found.anything:
                span = await span_of(asking, [found.questions.dialects.series(hosts.names)], hosts.counted, now_s)
        except (QueryError, IndexError) as error:
            raise SourceError(str(error)) from error
        self._span = None if span is None else (round(span.first_s * 1000), round(span.last_s * 1000))
        self._span_at_s = self._clock_s()
        return self._span

    def door(self, host: HostKey, at_ms: int | None) -> HostDoor | None:
        """The ordinary screen of one host, read through the same server. Log-ins stay in the config file."""
        place = self._equal_names.place_of(host)
        within = ",".join(filter(None, (self._within, place)))
        # After "=", for a host may be called "-x".
        asked = ["--prometheus", self._api.url, f"--host={host.host}", *([f"--selector={within}"] if within else [])]
        name = host.words if place else host.host
        if at_ms is None:
            return HostDoor((*self._program, *asked), f"tokwatch of {name}, through {self.where}")
        at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        return HostDoor((*self._program, "replay", *asked, f"--at={at}"), f"{name} at {at}, through {self.where}")

    async def close(self) -> None:
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)
        await self._api.close()

    # --- what there is to ask -----------------------------------------------------------------------------------------

    async def _speaks(self, asking: Asking) -> Found:
        """Of now; what was found before stands where it cannot be looked for again. Raises QueryError."""
        age_s = self._clock_s() - self._found_at_s
        if self._found is not None and self._found.anything and age_s < _REDISCOVER_S:
            return self._found
        try:
            found = await discover(asking, self.identity, self._within, None)
            if self._found is not None and found.questions.identity.apart != self._found.questions.identity.apart:
                self._answered.clear()  # hosts are called otherwise from now on
            self._found, self._found_at_s = found, self._clock_s()
        except QueryError as error:
            if self._found is None:
                raise
            asking.failures["names"] = error
        return self._found

    async def _spoke(self, asking: Asking, at_s: float) -> Found:
        """Around an instant of the past. Raises QueryError."""
        bucket = int(at_s // _PAST_BUCKET_S)
        if bucket not in self._past:
            middle_s = (bucket + 0.5) * _PAST_BUCKET_S
            self._past[bucket] = await discover(asking, self.identity, self._within, middle_s)
            while len(self._past) > _PAST_KEPT:
                self._past.popitem(last=False)
        return self._past[bucket]

    def _is_due(self, group: Group, at_s: float) -> bool:
        answered = self._answered.get(group.name)
        return answered is None or at_s - answered.at_s >= group.every_s

    # --- answers ------------------------------------------------------------------------------------------------------

    async def _complete(
        self, asking: Asking, found: Found, answered: Mapping[str, _Answered], at_s: float
    ) -> FleetTally:
        """With what is asked of hosts that are young, and of targets that do not answer."""
        figures = Figures()
        for each in answered.values():
            figures.update(each.figures)
        if has_young(figures):
            young = Group("young hosts", packed(found.questions.hosts.young_lengths()))
            for each_young in (await asking.groups([young], at_s)).values():
                figures.update(each_young)
        if has_new_hosts(figures):
            self._answered.pop(HARDWARE, None)  # asked with the next look
        homes = self._homes[found.questions.identity.apart]
        homes.learn(figures)
        dead = homes.dead(figures)
        seen_s = await self._last_seen(asking, found, dead, at_s)
        return self._tally(asking, found, answered, at_s, figures, dead, seen_s)

    async def _last_seen(
        self, asking: Asking, found: Found, dead: Mapping[Target, Home], at_s: float
    ) -> Mapping[Target, float]:
        if not dead:
            return {}
        instances = sorted({target.instance for target in dead})[:MAX_ASKED]
        try:
            answer = await asking.instant(found.questions.hosts.last_seen(instances), at_s)
        except QueryError as error:
            asking.failures["last signs of life"] = error
            return {}
        homes = self._homes[found.questions.identity.apart]
        return {homes.target(labels): value for labels, value in zip(answer.labels, answer.values, strict=True)}

    def _fill_in_background(self, found: Found, at_ms: int) -> None:
        """Half an hour of the whole fleet takes a busy server many seconds: nobody waits for it."""
        busy = self._filling is not None and not self._filling.done()
        if busy or self._clock_s() - self._refused_at_s < _KEEP_S or self._trend.missing(at_ms) is None:
            return
        self._filling = asyncio.create_task(self._fill_trend(Asking(self._api), found, at_ms))

    async def _fill_trend(self, asking: Asking, found: Found, at_ms: int) -> None:
        """With the minutes before an instant that are not known."""
        stretch = self._trend.missing(at_ms)
        if stretch is None:
            return
        try:
            answers = [await asking.range(query, *stretch, STEP_S) for query in found.questions.trend()]
        except QueryError as error:
            asking.failures["trend"] = self._refused = error
            self._refused_at_s = self._clock_s()
            return
        self._refused = None
        self._trend.fill(stretch, points_of(answers, found.questions.window_s))

    def _tally(
        self,
        asking: Asking,
        found: Found,
        answered: Mapping[str, _Answered],
        at_s: float,
        figures: Figures | None = None,
        dead: Mapping[Target, Home] | None = None,
        seen_s: Mapping[Target, float] | None = None,
    ) -> FleetTally:
        figures = figures or Figures()
        told = flows(figures)
        hosts = host_tallies(
            figures, freshness(figures, dead or {}, seen_s or {}, at_s, found.questions.interval_s), told.by_host, at_s
        )
        kept_s = {name: at_s - each.at_s for name, each in answered.items() if each.at_s < at_s}
        self._equal_names = EqualNames(hosts, found.questions.identity)
        look = Look(found, asking.failures, kept_s, told.elsewhere, hosts, asking.cost, self._equal_names)
        return FleetTally(
            at_ms=round(at_s * 1000),
            window_ms=round(found.questions.window_s * 1000),
            interval_s=found.interval_s,
            source=self.where,
            hosts=hosts,
            latencies=latencies(figures, found.questions.scales),
            warnings=tuple(asking.warnings),
            notes=notes(look, self.where),
            cost=asking.cost,
            notices=self.notices,
        )
