"""The fleet's meter: reports of many hosts go in as they come, tallies of any window come out. Pure, no I/O.

Instants are Unix milliseconds of this process' clock: those of a report's arrival. Lengths come from the hosts' own
clocks, so neither a late line nor a wrong clock changes a rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.host_counters import HostCounters
from tokwatch.ledger.fleet.host_tally import gpu_model, host_tally, memory_total_mib
from tokwatch.ledger.fleet.report import Hello, Report
from tokwatch.ledger.fleet.tally import HostTally
from tokwatch.ledger.fleet.windows import Trail

STALE_INTERVALS: Final = 3  # of silence, after which a host's gauges and rates are no longer its
_LEAST_STALE_MS: Final = 3000
_SKEW_SHARE: Final = 0.125  # of each report in the smoothed skew: lines arrive with a jitter of some ms


class FleetMeter:
    """Takes every host's reports. ~15 µs a report of eight GPUs."""

    def __init__(self, *, window_ms: int = 60_000) -> None:
        """window_ms: the longest window that `tally` is asked for."""
        self._window_ms = window_ms
        self._hosts: dict[str, _Host] = {}

    def hello(
        self,
        host: str,
        hello: Hello,
        at_ms: int,
        *,
        region: str = "",
        cluster: str = "",
        tells_clock: bool = True,
    ) -> None:
        """What a host says of itself, before its first report and whenever that changes.

        tells_clock: the reports' wall_ms is the host's own clock. Pages do not tell it.
        Raises ValueError for a hello that contradicts itself; nothing has changed then.
        """
        one = self._host(host, at_ms)
        if one.counters is None:
            one.counters = HostCounters(hello)
        else:
            one.counters.begin(hello)
        one.region, one.cluster, one.tells_clock = region, cluster, tells_clock

    def report(self, host: str, report: Report, at_ms: int) -> None:
        """One moment of a host. Raises ValueError where no hello fits it; nothing is counted then."""
        one = self._hosts.get(host)
        if one is None or one.counters is None:
            raise ValueError(f"a report of {host}, which has not said what it is")
        one.counters.add(report)
        one.newest, one.heard_ms, one.problem = (one.counters.hello, report), at_ms, ""
        if one.tells_clock:
            skew_ms = report.wall_ms - at_ms
            one.skew_ms = skew_ms if one.skew_ms is None else one.skew_ms + _SKEW_SHARE * (skew_ms - one.skew_ms)
        if one.trail.is_due(at_ms):
            one.trail.keep(at_ms, one.counters.sums())

    def failed(self, host: str, problem: str, at_ms: int) -> None:
        """A host could not be read, in words; it is down until its next report."""
        self._host(host, at_ms).problem = problem

    def forget(self, host: str) -> None:
        """A host that left the list."""
        self._hosts.pop(host, None)

    def counters(self, host: str) -> HostCounters:
        """The totals of a host that has said what it is. Raises KeyError for another one."""
        counters = self._hosts[host].counters
        if counters is None:
            raise KeyError(host)
        return counters

    @property
    def hosts(self) -> Iterable[str]:
        return self._hosts.keys()

    def tally(self, at_ms: int, window_ms: int, hosts: Iterable[str] | None = None) -> tuple[HostTally, ...]:
        """Every host, or those that are named and known, as it is at `at_ms`; sums speak for about `window_ms` before
        its newest report."""
        names = self._hosts if hosts is None else [name for name in hosts if name in self._hosts]
        return tuple(self._tally(name, self._hosts[name], at_ms, window_ms) for name in names)

    def _host(self, name: str, at_ms: int) -> _Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(self._window_ms, at_ms)
        return host

    def _tally(self, name: str, host: _Host, at_ms: int, window_ms: int) -> HostTally:
        counters = host.counters
        if counters is None:
            return HostTally(name, host.heard_ms, 0, up=False, problem=host.problem or f"{name} has not answered yet")
        age_ms, problem = at_ms - host.heard_ms, host.problem
        if host.newest is None or age_ms > max(_LEAST_STALE_MS, STALE_INTERVALS * 1000 * counters.hello.interval_s):
            tally = _silent(name, counters.hello, host.heard_ms)
            problem = problem or f"{name} has been silent for {age_ms / 1000:.0f} s"
        else:
            sums = counters.sums().since(host.trail.at(host.heard_ms - window_ms))
            tally = host_tally(name, *host.newest, sums, host.heard_ms)
        skew_ms = None if host.skew_ms is None else round(host.skew_ms)
        return replace(
            tally, up=not problem, problem=problem, region=host.region, cluster=host.cluster, clock_skew_ms=skew_ms
        )


class _Host:
    """What is kept of one host."""

    __slots__ = ("cluster", "counters", "heard_ms", "newest", "problem", "region", "skew_ms", "tells_clock", "trail")

    def __init__(self, window_ms: int, at_ms: int) -> None:
        self.counters: HostCounters | None = None
        self.newest: tuple[Hello, Report] | None = None  # the report, and the hello that it refers to
        self.heard_ms = at_ms  # when it came; before the first one, since when the host is asked
        self.problem = self.region = self.cluster = ""
        self.tells_clock = True
        self.skew_ms: float | None = None
        self.trail = Trail(window_ms)


def _silent(host: str, hello: Hello, heard_ms: int) -> HostTally:
    """A host of which only is known what it is."""
    return HostTally(
        host,
        heard_ms,
        0,
        gpus=len(hello.gpus),
        gpu_model=gpu_model(hello),
        states=((State.UNKNOWN.value, len(hello.gpus)),) if hello.gpus else (),
        memory_total_mib=memory_total_mib(hello),
        agent=hello.version,
        unpriced=hello.simulated,
    )
