"""What a server's earlier pages left: which counters a new page goes on from, and which start anew."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from collectors.readings import ALL_TENANTS, FlowReading, Histogram, ServerReading
from tokwatch.ledger.axis import NS_PER_MS, Axis
from tokwatch.ledger.counters import all_fell, counters_of, totals
from tokwatch.ledger.entries import Absolute
from tokwatch.ledger.registry import Registry, flow_key, flow_labels

START_TOLD_EARLY_S = 1.0  # at most: starts rest on the kernel's boot time, which is whole seconds, rounded down
_MOST_ASIDE = 16  # replicas behind one address


class Succession(enum.Enum):
    """How the process behind a page stands to the one behind the page before."""

    FIRST = enum.auto()  # there was none
    SAME = enum.auto()  # … or one that took turns with it and is back
    RESTARTED = enum.auto()  # its counters began at 0 after that page
    ANOTHER = enum.auto()  # it ran all along behind the same address: nothing is known of its counters so far


@dataclass(slots=True)
class FlowPast:
    """One flow as it stood on the last page that had it."""

    counters: dict[str, int]
    histograms: dict[str, Histogram] | None  # None: not kept across runs, so the next page is their baseline


@dataclass(slots=True)
class ServerPast:
    """One server as its last page left it. Instants are milliseconds of the boot clock."""

    incarnation: str = ""
    page_ms: int | None = None  # the last good page; None before the first
    tried_ms: int | None = None
    flows: dict[int, FlowPast] = field(default_factory=dict)
    aside: dict[str, dict[int, FlowPast]] = field(default_factory=dict)  # of other incarnations behind the address
    earlier: list[Absolute] = field(default_factory=list)  # of earlier runs, until the first page says which hold

    def turn_to(self, reading: ServerReading, incarnation: str, numbers: Sequence[int], axis: Axis) -> Succession:
        """Take up what a page goes on from, where `flows` is not it already. numbers: of the page's flows."""
        if self.page_ms is None and not self.incarnation:
            return Succession.FIRST
        if not incarnation or not self.incarnation:  # no process start on the page: only falling counters tell
            pasts = zip(map(self.flows.get, numbers), reading.flows, strict=True)
            fell = any(all_fell(past.counters, counters_of(flow)) for past, flow in pasts if past is not None)
            return self._restart() if fell else Succession.SAME
        if incarnation == self.incarnation:
            return Succession.SAME
        by_page = reading.incarnation is not None
        older = self._started_before_last_page(reading.started_at_s if by_page else reading.server.started_at_s, axis)
        if not by_page:  # the process list's starts move with the wall clock: the same process, after a step of that
            return Succession.SAME if older else self._restart()
        if self.flows:
            self.aside = dict([*self.aside.items(), (self.incarnation, self.flows)][-_MOST_ASIDE:])
        back = self.aside.pop(incarnation, None)
        if back is not None:
            self.flows = back
            return Succession.SAME
        self._restart()
        return Succession.ANOTHER if older else Succession.RESTARTED

    def _restart(self) -> Succession:
        self.flows = {}
        return Succession.RESTARTED

    def _started_before_last_page(self, started_s: float | None, axis: Axis) -> bool:
        """Several replicas or workers may answer at one address in turns."""
        if started_s is None or self.page_ms is None:
            return False
        page_wall_ms = axis.wall_ms - (axis.boottime_ns // NS_PER_MS - self.page_ms)
        return (started_s + START_TOLD_EARLY_S) * 1000 < page_wall_ms

    def take_up(self, incarnation: str, boot_id: str) -> None:
        """Take up the counters of this incarnation, else those of the last one: they tell what the process is to it."""
        past, self.earlier = self.earlier, []
        if not incarnation:
            return
        same = [absolute for absolute in past if absolute.incarnation == incarnation]
        self.incarnation = max(same or past, key=lambda left: (left.boot_id == boot_id, left.at_ns)).incarnation
        held = [absolute for absolute in past if absolute.incarnation == self.incarnation]
        instants = [absolute.at_ns // NS_PER_MS for absolute in held if absolute.boot_id == boot_id]
        self.page_ms = max(instants, default=None)
        self.flows = {absolute.entity: FlowPast(dict(absolute.counters), None) for absolute in held}

    def under_another_name(self, flow: FlowReading, registry: Registry, on_page: Collection[int]) -> FlowPast | None:
        """The flow as it stood under a name that has left the page: its model was named or renamed, or its tenants
        became too many to be told apart. None where its counters are not those gone on."""
        left = [
            number
            for number in self.flows
            if number not in on_page and _may_be(flow, flow_labels(registry[number].key))
        ]
        if not left or (len(left) > 1 and flow.tenant != ALL_TENANTS):
            return None
        past = _together([self.flows[number] for number in left])
        now = totals(counters_of(flow))
        if any(now.get(name, 0) < value for name, value in totals(past.counters).items()):
            return None
        for number in left:
            del self.flows[number]
        return past


def _may_be(flow: FlowReading, labels: tuple[int, str, str, str, str]) -> bool:
    _, model, role, tenant, tier = labels
    if flow.tenant == ALL_TENANTS:
        return (model, role) == (flow.model, flow.role)
    return (role, tenant, tier) == (flow.role, flow.tenant, flow.tier)


def _together(pasts: Sequence[FlowPast]) -> FlowPast:
    if len(pasts) == 1:
        return pasts[0]
    counters: dict[str, int] = {}
    for past in pasts:
        for name, value in totals(past.counters).items():
            counters[name] = counters.get(name, 0) + value
    return FlowPast(counters, None)


def key_of(server: int, flow: FlowReading) -> str:
    """The natural key of a flow on a server."""
    return flow_key(server, flow.model, flow.role, flow.tenant, flow.tier)
