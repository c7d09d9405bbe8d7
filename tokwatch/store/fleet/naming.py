"""Quarter hours of hosts → rows: things get their numbers and facts, and each GPU its owner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from tokwatch.ledger.bodies import GpuBody, ServerBody, event
from tokwatch.ledger.entries import Entity, Event, Flag
from tokwatch.ledger.fleet.host_counters import gpu_key
from tokwatch.ledger.fleet.host_quarters import FlowPart, GpuPart, HostQuarter
from tokwatch.ledger.fleet.report import ServerAbout
from tokwatch.ledger.registry import MOST_ENTITIES, flow_key, group_key
from tokwatch.store.errors import StoreError
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.seen import Seen


@dataclass(slots=True)
class Named:
    """Rows of some quarter hours, and what is new about their things."""

    gpus: list[GpuQuarter] = field(default_factory=list)
    flows: list[FlowQuarter] = field(default_factory=list)
    elsewhere: list[FlowQuarter] = field(default_factory=list)  # what is counted at another server too
    entities: list[Entity] = field(default_factory=list)
    facts: list[Event] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)


class Naming:
    """Things of one store as one recorder knows them."""

    def __init__(self, known: Iterable[Entity]) -> None:
        self._numbers = {(entity.kind, entity.host, entity.key): entity.id for entity in known}
        self._last = max(self._numbers.values(), default=0)
        self._bodies: dict[int, msgspec.Struct] = {}

    def named(self, quarters: Sequence[HostQuarter], run: int) -> Named:
        """Raises StoreError where there are more things than a store can number."""
        named = Named()
        for quarter in quarters:
            place = _Place(self, quarter, run, named)
            for gpu in quarter.gpus:
                place.add_gpu(gpu)
            for flow in quarter.flows:
                place.add_flow(flow)
        return named

    def number(self, named: Named, kind: str, host: str, key: str, parent: int, seen_ms: int) -> int:
        number = self._numbers.get((kind, host, key))
        if number is None:
            number = self._last + 1
            if number >= MOST_ENTITIES:
                raise StoreError(f"the store knows {number} things already: begin a new one with --store")
            self._numbers[kind, host, key] = self._last = number
            named.entities.append(Entity(number, kind, host, key, parent, seen_ms))
        return number

    def describe(self, named: Named, entity: int, quarter: HostQuarter, body: GpuBody | ServerBody) -> None:
        """What is known of it: at first from where the quarter hour begins, where that changes from its end on."""
        known = self._bodies.get(entity)
        if known != body:
            self._bodies[entity] = body
            at_ms = quarter.first_ms if known is None else quarter.last_ms
            named.facts.append(event(max(1, at_ms), entity, "facts", body))

    def forget(self, named: Named) -> None:
        """What was named did not reach the store."""
        for entity in named.entities:
            del self._numbers[entity.kind, entity.host, entity.key]
        for fact in named.facts:
            self._bodies.pop(fact.entity, None)


@dataclass(frozen=True, slots=True)
class _Place:
    """One host in one quarter hour."""

    naming: Naming
    quarter: HostQuarter
    run: int
    named: Named

    def add_gpu(self, part: GpuPart) -> None:
        about, quarter = part.about, self.quarter
        entity = self._number("gpu", gpu_key(about), self._host())
        limit_mw = None if about.power_limit_w is None else round(about.power_limit_w * 1000)
        body = GpuBody(
            about.index, about.uuid, about.name or None, about.memory_total_mib, limit_mw, meter="", kind=about.kind
        )
        self.naming.describe(self.named, entity, quarter, body)
        self.named.seen.append(Seen(entity, self.run, quarter.first_ms, quarter.last_ms))
        self.named.gpus.append(
            GpuQuarter(
                quarter_ms=quarter.quarter_ms,
                run=self.run,
                entity=entity,
                owner=self._owner(part.servers),
                state_ms=part.state_ms,
                gap_ms=part.gap_ms,
                energy_mj=part.energy_mj,
                measured_ms=part.measured_ms,
                power_max_mw=part.power_max_mw,
                power_mw_ms=part.power_mw_ms,
                power_ms=part.power_ms,
                util_permille_ms=part.util_permille_ms,
                util_ms=part.util_ms,
                memory_mib_ms=part.memory_mib_ms,
                memory_ms=part.memory_ms,
                temperature_max_c=part.temperature_max_c,
                entries=part.looks,
                flags=int(Flag.GAP) if part.gap_ms else 0,
                idle_energy_mj=part.idle_energy_mj,
            )
        )

    def add_flow(self, part: FlowPart) -> None:
        """Both halves of what is counted here and elsewhere."""
        about = part.about
        server = self._server(part.server)
        key = flow_key(server, about.model, about.role, about.tenant, about.tier)
        entity = self._number("flow", key, server)
        prompt, output = bool(about.elsewhere & Flag.PROMPT_ELSEWHERE), bool(about.elsewhere & Flag.OUTPUT_ELSEWHERE)
        if not (prompt and output):
            self.named.flows.append(self._flow(part, entity, prompt=not prompt, output=not output))
        if prompt or output:
            self.named.elsewhere.append(self._flow(part, entity, prompt=prompt, output=output))

    def _flow(self, part: FlowPart, entity: int, *, prompt: bool, output: bool) -> FlowQuarter:
        counts = part.counts
        return FlowQuarter(
            self.quarter.quarter_ms,
            self.run,
            entity,
            part.covered_ms,
            *(counts[:2] if prompt else (None, None)),
            *(counts[2:] if output else (None, None, None, None)),
            preempted=None,
            histograms=(),
            entries=part.looks,
            flags=part.about.elsewhere,
        )

    def _number(self, kind: str, key: str, parent: int) -> int:
        return self.naming.number(self.named, kind, self.quarter.host, key, parent, self.quarter.first_ms)

    def _host(self) -> int:
        return self._number("host", self.quarter.host, 0)

    def _server(self, about: ServerAbout) -> int:
        entity = self._number("server", f"{about.address}|{about.engine}", self._host())  # as registry.server_key
        body = ServerBody(about.address, about.engine, about.model, owner="", verified=True, moves="live")
        self.naming.describe(self.named, entity, self.quarter, body)
        return entity

    def _owner(self, servers: tuple[ServerAbout, ...]) -> int:
        """0: nobody."""
        numbers = [self._server(server) for server in servers]
        if len(numbers) < 2:
            return numbers[0] if numbers else 0
        return self._number("group", group_key([number] for number in numbers), self._host())
