"""What GPUs did in each quarter hour, as their exporters tell it: energy, gauges, quiet minutes, and who had them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from collectors.meters.meter import Meter
from collectors.prometheus.dialects import AGENT, MeterNames
from collectors.prometheus.expressions import matches
from tokwatch.feeds.prometheus_quarters import promql
from tokwatch.feeds.prometheus_quarters.asking import Labels, Stretch
from tokwatch.feeds.prometheus_quarters.fleet import Fleet
from tokwatch.feeds.prometheus_quarters.increments import Found, of_thing
from tokwatch.feeds.prometheus_quarters.observed import Observed
from tokwatch.feeds.prometheus_quarters.promql import Selector
from tokwatch.feeds.prometheus_quarters.remembered import Remembered
from tokwatch.feeds.prometheus_quarters.telescoping import Increment
from tokwatch.feeds.prometheus_quarters.things import POD_LABELS, Gpu, GpuAbout, Pod, gpu_of, host_of, pod_of
from tokwatch.ledger.entries import Flag, State
from tokwatch.ledger.facts import MIB
from tokwatch.ledger.fleet.judging import HELD_MIB, QUIET_UTILIZATION
from tokwatch.store.rollup import QUARTER_MS

# Who has a GPU changes, and makes new series of the same counters.
_USER_LABELS: Final = ("container", "exported_container", "pod_uid", "hpc_job")
_STATE_SECONDS: Final = "tokwatch_gpu_state_seconds_total"
_IDLE_JOULES: Final = "tokwatch_gpu_idle_energy_joules_total"
_CAN_BE: Final = 2.0**53  # of any gauge; exporters write larger numbers for "no value"
_PRESENCE: Final = ("energy_mj", "power_w", "utilization", "memory_used_bytes")

Cell = tuple[Gpu, int]  # a GPU in the quarter hour that starts then


@dataclass(slots=True)
class GpuTold:
    """One GPU in one quarter hour. Shares are of its minutes, 0..1. None: not known."""

    observed_ms: int = 0
    energy: Increment | None = None  # mJ
    power_w: float | None = None
    power_max_w: float | None = None
    utilization: float | None = None
    memory_bytes: float | None = None
    temperature_c: float | None = None
    quiet: float | None = None
    held: float | None = None
    quiet_energy: float | None = None  # the share of its energy that quiet minutes drew
    pods: dict[Pod, int] = field(default_factory=dict)  # who had it, and how long
    state_ms: dict[int, float] = field(default_factory=dict)  # as an agent judged them
    idle_energy_mj: float | None = None  # likewise


@dataclass(slots=True)
class GpusFound:
    """Everything of one stretch and some targets."""

    told: dict[Cell, GpuTold] = field(default_factory=dict)
    about: dict[Gpu, GpuAbout] = field(default_factory=dict)
    meters: dict[Gpu, Meter] = field(default_factory=dict)
    after: set[Gpu] = field(default_factory=set)  # still there when the stretch is over


def presence_series(fleet: Fleet, names: MeterNames) -> Selector | None:
    """The series by which a meter's GPUs are there."""
    return next((found[0] for field_ in _PRESENCE if (found := _told_by(fleet, names, field_)) is not None), None)


async def hosts_of_pods(fleet: Fleet, stretch: Stretch) -> dict[Pod, str]:
    """Which hosts' GPUs pods have, of all pods that exporters name."""
    found: dict[Pod, str] = {}
    group = promql.by(*dict.fromkeys((*fleet.identity.labels, *POD_LABELS)))
    for names in fleet.dialects.meters:
        if (series := presence_series(fleet, names)) is not None:
            answer = await fleet.asking.instant(promql.there(series, group, stretch.length_s), stretch.end_ms)
            for labels in answer.labels:
                if (pod := pod_of(labels)) is not None:
                    found[pod] = host_of(labels, fleet.identity)
    return found


async def gpus(fleet: Fleet, targets: Sequence[str], stretch: Stretch) -> GpusFound:
    """GPUs that two exporters tell of are told by the first. targets: instances to read, () all."""
    found = GpusFound()
    for names in fleet.dialects.meters:
        reading = _Reading(fleet, names, tuple(targets), stretch)
        await reading.read()
        found.after |= reading.after
        new = reading.about.keys() - found.about.keys()
        found.told |= {cell: told for cell, told in reading.told.items() if cell[0] in new}
        found.about |= {gpu: reading.about[gpu] for gpu in new}
        found.meters |= dict.fromkeys(new, names.meter)
    return found


def _told_by(fleet: Fleet, names: MeterNames, wanted: str) -> tuple[Selector, float] | None:
    """The first source of a value that is on the server, and page unit × scale = our unit."""
    for source in names.meter.values.get(wanted, ()):
        if len(source.names) == 1 and (name := names.spelled.get(source.names[0])) is not None:
            matchers = (f'{label}=~"(?i){pattern}"' for label, pattern in source.labels)
            return fleet.series(name, *matchers), source.scale
    return None


@dataclass
class _Reading:
    """One meter over one stretch."""

    fleet: Fleet
    names: MeterNames
    targets: tuple[str, ...]
    stretch: Stretch
    told: dict[Cell, GpuTold] = field(default_factory=dict)
    about: dict[Gpu, GpuAbout] = field(default_factory=dict)
    after: set[Gpu] = field(default_factory=set)

    async def read(self) -> None:
        presence = presence_series(self.fleet, self.names)
        if presence is None:
            return
        await self._watch(presence.of_targets(self.targets))
        if self.told:
            await asyncio.gather(self._energy(), self._gauges(), self._minutes(), self._judged())

    @property
    def _group(self) -> str:
        """Each GPU, whoever has it and however it is divided."""
        return promql.without(*POD_LABELS, *self._dropped)

    @property
    def _dropped(self) -> tuple[str, ...]:
        parts = self.names.meter.parts
        of_parts = (*parts.labels, parts.profile, parts.uuid) if parts is not None else ()
        spelled = (spelling for label in of_parts if label for spelling in (label, label.upper()))
        return tuple(dict.fromkeys((*_USER_LABELS, *spelled)))

    @cached_property
    def _gpu(self) -> Remembered[Gpu | None]:
        def gpu(labels: Labels) -> Gpu | None:
            found = gpu_of(labels, self.names.meter, self.fleet.identity)
            return found[0] if found else None

        return Remembered(gpu)

    def _series(self, wanted: str) -> tuple[Selector, float] | None:
        found = _told_by(self.fleet, self.names, wanted)
        return (found[0].of_targets(self.targets), found[1]) if found else None

    async def _watch(self, series: Selector) -> None:
        def gpu_and_pod(labels: Labels) -> tuple[Gpu, Pod | None] | None:
            found = gpu_of(labels, self.names.meter, self.fleet.identity)
            if found is None:
                return None
            self.about[found[0]] = found[1]
            return found[0], pod_of(labels)

        longer = Stretch(self.stretch.start_ms, self.stretch.end_ms + QUARTER_MS)
        by_pod = await Observed(self.fleet.asking, longer).of(
            series, promql.without(*self._dropped), Remembered(gpu_and_pod)
        )
        for ((gpu, pod), quarter_ms), ms in by_pod.items():
            if quarter_ms >= self.stretch.end_ms:
                self.after.add(gpu)
                continue
            told = self.told.setdefault((gpu, quarter_ms), GpuTold())
            told.observed_ms = min(told.observed_ms + ms, QUARTER_MS)
            if pod is not None:
                told.pods[pod] = told.pods.get(pod, 0) + ms

    async def _energy(self) -> None:
        if (found := self._series("energy_mj")) is None:
            return
        series, scale = found
        estimated = Flag.ESTIMATED.value if self.names.meter.energy_estimated else 0
        for cell, moved in (await self._moved(series)).items():
            if moved.amount is not None and cell in self.told:
                self.told[cell].energy = Increment(moved.amount * scale, moved.flags | estimated)

    async def _gauges(self) -> None:
        await self._gauge("power_w", promql.mean, "power_w")
        await self._gauge("power_w", promql.most, "power_max_w")
        await self._gauge("utilization", promql.mean, "utilization")
        await self._gauge("memory_used_bytes", promql.mean, "memory_bytes")
        await self._gauge("temperature_c", promql.most, "temperature_c")

    async def _gauge(self, wanted: str, query: promql.OfGauge, into: str) -> None:
        if (found := self._series(wanted)) is None:
            return
        most = min(_CAN_BE, self.names.meter.at_most.get(wanted, _CAN_BE))
        async for told, value in self._values(query(found[0], self._group)):
            if 0 <= value * found[1] <= most:
                setattr(told, into, value * found[1])

    async def _minutes(self) -> None:
        utilization, memory, power = map(self._series, ("utilization", "memory_used_bytes", "power_w"))
        if utilization is not None:
            quiet = promql.below(utilization[0], QUIET_UTILIZATION / utilization[1])
            async for told, share in self._values(promql.share_of_minutes(quiet, self._group)):
                told.quiet = share
            if power is not None:
                async for told, share in self._values(promql.share_of_a_sum(power[0], quiet, self._group)):
                    told.quiet_energy = share
        if memory is not None:
            held = promql.reached(memory[0], HELD_MIB * MIB / memory[1])
            async for told, share in self._values(promql.share_of_minutes(held, self._group)):
                told.held = share

    async def _judged(self) -> None:
        """What an agent judged at its own pace goes before what can be seen from here."""
        if self.names.meter.name != AGENT:
            return
        for state in State:
            series = self.fleet.series(_STATE_SECONDS, matches("state", (state.name.lower(),))).of_targets(self.targets)
            for cell, moved in (await self._moved(series)).items():
                if moved.amount and cell in self.told:
                    self.told[cell].state_ms[state.value] = moved.amount * 1000
        idle = self.fleet.series(_IDLE_JOULES).of_targets(self.targets)
        for cell, moved in (await self._moved(idle)).items():
            if moved.amount is not None and cell in self.told:
                self.told[cell].idle_energy_mj = moved.amount * 1000

    async def _moved(self, series: Selector) -> Found[Gpu]:
        # An exporter's counter began with the driver, an agent's with the agent.
        births = self.names.meter.name == AGENT
        return await of_thing(self.fleet.asking, series, self._group, self._gpu, self.stretch, births=births)

    async def _values(self, query: str) -> AsyncIterator[tuple[GpuTold, float]]:
        """Of GPUs that are told of."""
        for labels, quarter_ms, value in await self.fleet.asking.quarters(query, self.stretch):
            gpu = self._gpu(labels)
            told = self.told.get((gpu, quarter_ms)) if gpu is not None else None
            if told is not None:
                yield told, value
