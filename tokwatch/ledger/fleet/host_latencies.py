"""One host's reported histograms → totals that only grow: the latencies beside the counters of `host_counters`."""

from __future__ import annotations

from array import array
from operator import add, le, sub
from typing import Final

from tokwatch.ledger.fleet.latency_totals import are_edges
from tokwatch.ledger.fleet.report import MOST, Hello, LatencyAbout, LatencyReport, ServerAbout
from tokwatch.ledger.fleet.windows import LatencyKey, LatencySums

# Of one host, those that are gone too; a window must not begin with another histogram than it ends with, so none is
# forgotten, and what comes beyond it is not told.
_MOST_KEPT: Final = 1024

_Key = tuple[str, str, LatencyKey]  # the server's address and engine


class _Total:
    """One histogram since its host was first heard of: observations per bucket, and last their sum in ms."""

    __slots__ = ("before", "began", "key", "stood")

    def __init__(self, key: LatencyKey) -> None:
        self.key = key
        self.before = self.began = self.stood = (0,) * (len(key.edges) + 2)

    @property
    def counts(self) -> tuple[int, ...]:
        """What was observed before its counters began, and what they have moved since."""
        return tuple(map(add, self.before, map(sub, self.stood, self.began)))

    def begin(self, stands: tuple[int, ...]) -> None:
        """Count from here on."""
        self.before = self.counts
        self.began = self.stood = stands

    def begin_at_0(self) -> None:
        self.begin((0,) * len(self.stood))


class HostLatencies:
    """Adds up what the histograms of one host observed. One that falls within its run tells nothing of that time."""

    def __init__(self) -> None:
        self._told: tuple[_Total, ...] = ()  # in the order of the hello
        self._all: dict[_Key, _Total] = {}

    def begin(self, keys: tuple[_Key, ...], *, same_run: bool) -> None:
        """What reports tell from here on, by `keys_of`. What they did not tell before in this run begins at 0."""
        before = {*self._told} if same_run else set()
        told: dict[_Total, None] = {}
        for key in keys:
            total = self._all.get(key)
            if total is None or total in told:  # two servers at one address are not told apart
                total = _Total(key[-1])
                if len(self._all) < _MOST_KEPT and are_edges(total.key.edges):
                    self._all.setdefault(key, total)
            if total not in before:
                total.begin_at_0()
            told[total] = None
        self._told = tuple(told)

    def check(self, reports: tuple[LatencyReport, ...]) -> None:
        """Raises ValueError for a report of others than were announced."""
        buckets = [len(total.key.edges) + 1 for total in self._told]
        if [len(report.counts) for report in reports] != buckets:
            raise ValueError(f"a report of {len(reports)} latencies that do not fit the {len(buckets)} announced")

    def add(self, reports: tuple[LatencyReport, ...], *, is_baseline: bool) -> None:
        """What was observed since the report before."""
        for total, report in zip(self._told, reports, strict=True):
            now = (*report.counts, report.sum_ms)
            if is_baseline or not all(map(le, total.stood, now)):
                total.begin(now)
            else:
                total.stood = now

    def sums(self) -> LatencySums:
        """By model, over servers."""
        sums: dict[LatencyKey, array[int]] = {}
        for total in self._all.values():
            counts = total.counts
            if max(counts) <= MOST:  # no box observes more
                known = sums.get(total.key)
                sums[total.key] = array("Q", counts if known is None else map(add, known, counts))
        return sums


def keys_of(hello: Hello) -> tuple[_Key, ...]:
    """What tells its latencies from one another. Raises ValueError for a hello that contradicts itself."""
    return tuple(_key(about, hello.servers) for about in hello.latencies)


def _key(about: LatencyAbout, servers: tuple[ServerAbout, ...]) -> _Key:
    if not 0 <= about.server < len(servers):
        raise ValueError(f"a latency of server {about.server} where {len(servers)} were announced")
    server = servers[about.server]
    return server.address, server.engine, LatencyKey(about.model, about.name, about.edges)
