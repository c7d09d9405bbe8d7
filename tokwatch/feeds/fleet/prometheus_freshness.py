"""How old each host's news is, and in words what does not answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from collectors.prometheus.identity import CLUSTER, HOST, INSTANCE, REGION
from tokwatch.feeds.fleet.prometheus_figures import NO_HOST, Figures
from tokwatch.feeds.fleet.prometheus_gpus import REMEMBERED_S
from tokwatch.feeds.fleet.prometheus_hosts import GPU, JOB, LOST_S, SERVER
from tokwatch.ledger.fleet.host_rows import STALE_AFTER

_MAX_TARGETS: Final = 100_000  # whose host is remembered
_NAMED: Final = 3  # targets that are named in a problem


class Target(NamedTuple):
    """A page that the Prometheus scrapes. Two clusters may each have one of the same job and instance."""

    job: str
    instance: str
    region: str = ""
    cluster: str = ""


class Home(NamedTuple):
    """Where a target belongs."""

    host: str  # a value of the label HOST
    region: str = ""
    cluster: str = ""


class Homes:
    """Each target's host. `up` has the target's own labels only: while its page answers, the page's labels say which
    host it is, and that is remembered for when it does not."""

    def __init__(self) -> None:
        self._homes: dict[Target, Home] = {}
        self._anywhere: dict[Target, Home | None] = {}  # by job and instance alone; None: in several places

    def learn(self, found: Figures) -> None:
        if len(self._homes) > _MAX_TARGETS:
            self._homes.clear()
            self._anywhere.clear()
        for kind in (GPU, SERVER):
            for labels, _ in found.rows(f"{kind}_targets"):
                home, page = _home(labels), _page(labels)
                self._homes[target_of(labels)] = home
                other = self._anywhere.get(page, home)
                self._anywhere[page] = home if other and other[1:] == home[1:] else None

    def of(self, labels: Mapping[str, str]) -> Home:
        """The home of a target by the labels of `up`: that in its place, else the only one of its job and instance, if
        only one of both tells a place."""
        target = target_of(labels)
        home = self._homes.get(target) or self._anywhere.get(_page(labels))
        if home is None or any(
            told and other and told != other for told, other in zip(home[1:], target[2:], strict=True)
        ):
            return _home(labels)
        return home

    def target(self, labels: Mapping[str, str]) -> Target:
        """A target by the labels of `up`, as its page's labels place it."""
        home = self.of(labels)
        return _page(labels)._replace(region=home.region, cluster=home.cluster)

    def dead(self, found: Figures) -> dict[Target, Home]:
        """Targets that the Prometheus could not scrape."""
        return {self.target(labels): self.of(labels) for labels, _ in found.rows("dead")}


@dataclass(slots=True)
class Freshness:
    """One host's."""

    newest_s: float = 0.0  # Unix, by the Prometheus; of a host that is silent its last sign of life
    length_ms: int = 0  # between the samples that the increments of its servers lie between; of its GPUs without any
    gpus_length_ms: int = 0
    gpus_up: bool = False  # something of its GPUs is told now
    servers_up: bool = False
    dead: list[Target] = field(default_factory=list)
    region: str = ""
    cluster: str = ""

    @property
    def up(self) -> bool:
        return self.gpus_up or self.servers_up


def freshness(
    found: Figures, dead: Mapping[Target, Home], seen_s: Mapping[Target, float], at_s: float, interval_s: float
) -> dict[str, Freshness]:
    """By host. seen_s: when each dead target answered last, where it did within LOST_S.

    A series that ended is not always gone: after a failed scrape VictoriaMetrics goes on to answer with its last sample
    for minutes, and so does everybody for what was pushed. So a host's GPUs (its servers) are up if they have a sample
    of the last STALE_AFTER intervals and one of the targets that tell them was scraped.
    """
    hosts: dict[str, Freshness] = {}

    def at_home(home: Home) -> Freshness:
        here = hosts.setdefault(home.host, Freshness())
        here.region, here.cluster = here.region or home.region, here.cluster or home.cluster
        return here

    oldest_s = at_s - STALE_AFTER * interval_s
    for kind in (GPU, SERVER):
        newest = found.by_host(f"{kind}_newest")
        lengths_s = found.by_host(f"{kind}_young_length") | found.by_host(f"{kind}_length")
        answering = set()
        for labels, _ in found.rows(f"{kind}_targets"):
            home = _home(labels)
            at_home(home)
            if target_of(labels) not in dead:
                answering.add(home.host)
        for host, newest_s in newest.items():
            here = hosts.setdefault(host, Freshness())
            here.newest_s = max(here.newest_s, newest_s)
            if host in answering and newest_s >= oldest_s:
                length_ms = round(lengths_s.get(host, 0.0) * 1000)
                if kind == GPU:
                    here.gpus_up, here.gpus_length_ms, here.length_ms = True, length_ms, length_ms
                else:
                    here.servers_up, here.length_ms = True, length_ms
    for target, home in dead.items():
        here = at_home(home)
        here.dead.append(target)
        if not here.up:
            here.newest_s = max(here.newest_s, seen_s.get(target, at_s - LOST_S))
    for here in hosts.values():
        here.newest_s = here.newest_s or at_s - REMEMBERED_S  # no target is left, and it told something not long ago
    return hosts


def problem(host: Freshness, at_s: float) -> str:
    """What does not answer, for how long, and what to do; "" where everything does."""
    if not host.dead:
        return "" if host.up else "nothing of it is scraped any more: is it still in the Prometheus' configuration?"
    names = ", ".join(_words(sorted(host.dead)))
    if host.up:
        return f"{names}: not scraped (up is 0); the rest of the host answers"
    age_s = at_s - host.newest_s
    since = f"for {age_s:.0f} s" if age_s < LOST_S else "for an hour or longer"
    return f"{names}: not scraped (up is 0) {since}; the Prometheus' page of targets says why"


def target_of(labels: Mapping[str, str]) -> Target:
    return _page(labels)._replace(region=labels.get(REGION, ""), cluster=labels.get(CLUSTER, ""))


def _page(labels: Mapping[str, str]) -> Target:
    """Wherever it is."""
    return Target(labels.get(JOB, ""), labels.get(INSTANCE, ""))


def _home(labels: Mapping[str, str]) -> Home:
    return Home(labels.get(HOST, NO_HOST), labels.get(REGION, ""), labels.get(CLUSTER, ""))


def _words(targets: list[Target]) -> Iterator[str]:
    yield from (f"{target.instance} ({target.job})" if target.job else target.instance for target in targets[:_NAMED])
    if len(targets) > _NAMED:
        yield f"{len(targets) - _NAMED} more"


def has_young(found: Figures) -> bool:
    """Whether a host told nothing yet a window ago."""
    told = ((found.by_host(f"{kind}_newest"), found.by_host(f"{kind}_length")) for kind in (GPU, SERVER))
    return any(newest.keys() - lengths.keys() for newest, lengths in told)
