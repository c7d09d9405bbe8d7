"""The simulated fleet as a FleetSource: any number of hosts, now and six hours back, marked as simulated."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Final

from tokwatch.demo.fleet_hosts import GPUS, MODELS, SimulatedHost
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.fleet import HostDoor
from tokwatch.ledger.entries import HistogramEntry, State
from tokwatch.ledger.fleet.tally import (
    FetchCost,
    FleetTally,
    FlowTally,
    HostKey,
    HostTally,
    ModelLatency,
    SourceNote,
    TrendPoint,
)

WINDOW_MS: Final = 60_000
PAST_MS: Final = 6 * 3_600_000
_TREND_MS: Final = 60_000  # from point to point
_TREND_POINTS: Final = 60
_LATE_MS: Final = 95_000
_EDGES: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)  # times the median
_DOES_NOT_ANSWER: Final = "no answer for 14 min: connection refused; is the agent running there?"
_STATE: Final = {"free": State.UNALLOCATED, "other": State.OTHER_WORK, "saturated": State.SATURATED}


class SimulatedFleet:
    """Every figure is a function of the time, so that the past is what was seen live."""

    interval_s = 5.0

    def __init__(self, hosts: int, clock: Clock) -> None:
        self._hosts = tuple(map(SimulatedHost, range(hosts)))
        self._clock = clock
        self._first_ms = clock.now().wall_ms - PAST_MS
        self._trend: dict[int, TrendPoint] = {}

    async def now(self) -> FleetTally:
        return self.tally_at(self._clock.now().wall_ms)

    async def at(self, at_ms: int) -> FleetTally:
        return self.tally_at(max(self._first_ms, min(at_ms, self._clock.now().wall_ms)))

    async def span_ms(self) -> tuple[int, int] | None:
        return self._first_ms, self._clock.now().wall_ms

    def door(self, host: HostKey, at_ms: int | None) -> HostDoor | None:
        """The demo of one box stands for all of them."""
        return HostDoor((sys.executable, "-m", "tokwatch", "demo"), f"the demo's box, as if it were {host.host}")

    async def close(self) -> None:
        return

    def tally_at(self, at_ms: int) -> FleetTally:
        """The fleet at an instant, whenever that is."""
        at_ms -= at_ms % int(self.interval_s * 1000)
        hosts = tuple(host_tally(host, at_ms) for host in self._hosts)
        dead = sum(not host.up for host in hosts)
        return FleetTally(
            at_ms=at_ms,
            window_ms=WINDOW_MS,
            interval_s=self.interval_s,
            source=f"{len(hosts)} simulated hosts",
            hosts=hosts,
            latencies=tuple(_latencies(hosts)),
            trend=tuple(self._points(at_ms)),
            notes=(
                SourceNote("hosts", True, f"{len(hosts)} simulated hosts × {GPUS} GPUs"),
                SourceNote(
                    "agents", not dead, f"{len(hosts) - dead} answer", f"{dead} do not: see Hosts" if dead else ""
                ),
            ),
            cost=FetchCost(),
            simulated=True,
        )

    def _points(self, at_ms: int) -> Iterator[TrendPoint]:
        last_ms = at_ms - at_ms % _TREND_MS
        for point_ms in range(last_ms - (_TREND_POINTS - 1) * _TREND_MS, last_ms + 1, _TREND_MS):
            if point_ms not in self._trend:
                self._trend[point_ms] = self._point(point_ms)
            yield self._trend[point_ms]

    def _point(self, at_ms: int) -> TrendPoint:
        answering = [host for host in self._hosts if host.does != "dead"]
        return TrendPoint(
            at_ms,
            sum(host.tok_s(at_ms / 1000) for host in answering),
            sum(host.power_w(at_ms / 1000) for host in answering),
            sum(GPUS - host.gpus_at_work for host in answering),
        )


def host_tally(host: SimulatedHost, at_ms: int) -> HostTally:
    """What it added up to in the minute before an instant."""
    up = host.does != "dead"
    t1_ms = at_ms - (840_000 if not up else _LATE_MS if host.does == "late" else host.number % 3 * 1000)
    at_s = t1_ms / 1000
    power_w = host.power_w(at_s)
    return HostTally(
        host=host.name,
        t1_ms=t1_ms,
        length_ms=WINDOW_MS,
        up=up,
        problem="" if up else _DOES_NOT_ANSWER,
        gpus=GPUS,
        gpu_model=host.gpu_model,
        states=_states(host) if up else (),
        power_w=power_w,
        power_gpus=GPUS,
        energy_mj=round(power_w * WINDOW_MS),
        measured_ms=GPUS * WINDOW_MS,
        memory_used_mib=(4 if host.does == "free" else round(0.89 * host.memory_mib)) * GPUS,
        memory_total_mib=host.memory_mib * GPUS,
        utilization=0.97 * host.load(at_s) * host.gpus_at_work / GPUS,
        temperature_max_c=round(34 + 30 * host.load(at_s)),
        flows=tuple(_flows(host, at_s)),
        region=host.region,
        cluster=host.cluster,
        clock_skew_ms=host.skew_ms,
        agent="0.7.0",
    )


def _states(host: SimulatedHost) -> tuple[tuple[int, int], ...]:
    at_work, counts = host.gpus_at_work, dict[int, int]()
    working = _STATE.get(host.does, State.SERVING)
    resting = State.PARKED if host.does in ("parked", "misrouted") else State.UNALLOCATED
    for state, gpus in ((working, at_work), (resting, GPUS - at_work)):
        if gpus:
            counts[state] = counts.get(state, 0) + gpus
    return tuple(sorted(counts.items()))


def _flows(host: SimulatedHost, at_s: float) -> Iterator[FlowTally]:
    if host.does in ("free", "other"):
        return
    models = [(host.model, 1.0)] if host.second_model is None else [(host.model, 0.7), (host.second_model, 0.3)]
    for model, share in models:
        tokens = round(host.tok_s(at_s) * share * WINDOW_MS / 1000)
        prompt = round(tokens * model.prompt_per_output)
        load = host.load(at_s)
        yield FlowTally(
            model=model.name,
            servers=2 if share == 1.0 else 1,
            engine=model.engine,
            prompt_tokens=prompt,
            cached_tokens=round(prompt * 0.31),
            output_tokens=tokens,
            finished=tokens // 320,
            failed=tokens // 320 // 400,
            running=round(host.running(at_s) * share),
            waiting=round(host.waiting(at_s) * share),
            kv_usage=0.98 if host.does == "saturated" else 0.03 + 0.62 * load,
        )


def _latencies(hosts: tuple[HostTally, ...]) -> Iterator[ModelLatency]:
    requests: dict[str, int] = {}
    for host in hosts:
        for flow in host.flows if host.up else ():
            requests[flow.model] = requests.get(flow.model, 0) + (flow.finished or 0)
    for model in MODELS:
        if count := requests.get(model.name):
            yield ModelLatency(
                model.name, (_histogram("ttft", model.ttft_s, count), _histogram("tpot", model.tpot_s, count))
            )


def _histogram(name: str, median_s: float, count: int) -> HistogramEntry:
    """Log-normal around its median, as latencies mostly are."""
    below = [round(count * 0.5 * (1 + math.erf(math.log(edge) / 0.75 / math.sqrt(2)))) for edge in _EDGES]
    counts = [high - low for low, high in zip([0, *below], [*below, count], strict=True)]
    edges = tuple(round(median_s * edge, 4) for edge in _EDGES)
    return HistogramEntry(name, edges, tuple(counts), round(median_s * 1.3e6 * count))
