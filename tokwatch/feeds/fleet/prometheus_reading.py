"""Host tallies out of what a Prometheus answered. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from collectors.prometheus.identity import HOST, host_place
from tokwatch.feeds.fleet.prometheus_figures import NO_HOST, Figures
from tokwatch.feeds.fleet.prometheus_freshness import Freshness, problem
from tokwatch.feeds.fleet.prometheus_gpus import DOING, GPU_MODEL, HELD, QUIET
from tokwatch.feeds.fleet.prometheus_hosts import GPU
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.judging import Counted, states_of
from tokwatch.ledger.fleet.tally import FlowTally, HostTally

_MIB: Final = 2**20
_STATES: Final = {state.name.lower(): state.value for state in State}


def host_tallies(
    found: Figures, hosts: Mapping[str, Freshness], flows: Mapping[str, tuple[FlowTally, ...]], at_s: float
) -> tuple[HostTally, ...]:
    """One for each host of `hosts`, by name, but for those that only front others: they have nothing of their own."""
    return tuple(_Hosts(found, flows, at_s).tallies(hosts))


def has_new_hosts(found: Figures) -> bool:
    """Whether a host has GPUs whose model was not asked yet."""
    known = {labels.get(HOST, NO_HOST) for labels, _ in found.rows("gpus")}
    return bool(found.by_host(f"{GPU}_newest").keys() - known)


class _Hosts:
    """The answers by host."""

    def __init__(self, found: Figures, flows: Mapping[str, tuple[FlowTally, ...]], at_s: float) -> None:
        self._found = found
        self._flows = flows
        self._at_s = at_s
        self._by_host: dict[str, dict[str, float]] = {}
        self._models: dict[str, dict[str, float]] = {}
        for labels, count in found.rows("gpus"):
            self._models.setdefault(labels.get(HOST, NO_HOST), {})[labels.get(GPU_MODEL, "")] = count
        self._states: dict[str, dict[int, int]] = {}
        for labels, count in found.rows("states"):
            state = _STATES.get(labels.get("state", "").replace(" ", "_"), State.UNKNOWN.value)
            states = self._states.setdefault(labels.get(HOST, NO_HOST), {})
            states[state] = states.get(state, 0) + round(count)
        self._doings: dict[str, dict[int, int]] = {}
        for labels, count in found.rows("doings"):
            doing = int(float(labels.get(DOING, "0")))
            self._doings.setdefault(labels.get(HOST, NO_HOST), {})[doing] = round(count)
        self._agents = {labels.get(HOST, NO_HOST): labels.get("version", "") for labels, _ in found.rows("agent")}

    def tallies(self, hosts: Mapping[str, Freshness]) -> Iterator[HostTally]:
        for host, fresh in sorted(hosts.items()):
            flows = self._flows.get(host, ()) if fresh.servers_up else ()
            if host in self._models or fresh.gpus_up or flows or fresh.dead or not fresh.up:
                yield self._tally(host, fresh, flows)

    def _tally(self, host: str, fresh: Freshness, flows: tuple[FlowTally, ...]) -> HostTally:
        models, place = self._models.get(host, {}), host_place(host)
        gpus = round(sum(models.values())) if models else None
        tally = HostTally(
            host=place.host,
            t1_ms=round(fresh.newest_s * 1000),
            length_ms=fresh.length_ms,
            up=fresh.up,
            problem=problem(fresh, self._at_s),
            gpus=gpus,
            gpu_model=" + ".join(sorted(model for model in models if model)),
            flows=flows,
            region=place.region or fresh.region,
            cluster=place.cluster or fresh.cluster,
            agent=self._agents.get(host, ""),
        )
        if not fresh.gpus_up:
            return replace(tally, states=((State.BLIND.value, gpus),) if gpus and fresh.up else ())
        energy_mj = self._whole("energy_mj", host)
        return replace(
            tally,
            states=self._judged(host, gpus or 0, flows),
            power_w=self._value("power_w", host),
            power_gpus=self._whole("power_gpus", host) or 0,
            energy_mj=energy_mj,
            measured_ms=0 if energy_mj is None else (self._whole("energy_gpus", host) or 0) * fresh.gpus_length_ms,
            memory_used_mib=self._whole("memory_used_bytes", host, per=_MIB),
            memory_total_mib=self._whole("memory_total_bytes", host, per=_MIB),
            utilization=self._mean_utilization(host),
            temperature_max_c=self._whole("temperature_c", host),
        )

    def _judged(self, host: str, gpus: int, flows: Sequence[FlowTally]) -> tuple[tuple[int, int], ...]:
        """As the host's agent tells; else by the coarse rule."""
        if states := self._states.get(host):
            return tuple(sorted(states.items()))
        doings = self._doings.get(host, {})
        counted = Counted(
            gpus=gpus,
            told=sum(doings.values()),
            quiet=doings.get(QUIET, 0) + doings.get(HELD, 0),
            quiet_held=doings.get(HELD, 0),
            has_server=bool(flows),
            at_work=any(flow.running or flow.output_tokens or flow.prompt_tokens for flow in flows),
        )
        return states_of(counted)

    def _mean_utilization(self, host: str) -> float | None:
        total, told = self._value("utilization_sum", host), sum(self._doings.get(host, {}).values())
        return None if total is None or not told else min(total / told, 1.0)

    def _value(self, figure: str, host: str) -> float | None:
        if figure not in self._by_host:
            self._by_host[figure] = self._found.by_host(figure)
        return self._by_host[figure].get(host)

    def _whole(self, figure: str, host: str, per: int = 1) -> int | None:
        value = self._value(figure, host)
        return None if value is None else round(value / per)
