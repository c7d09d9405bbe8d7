"""One host's totals → what each GPU and flow of it did in each quarter hour of UTC: what hourly exports are made of.

Totals are looked at about every five seconds, so a state is told to five seconds and the highest power is that of a
look; energy and tokens telescope and are exact. What passes an edge is split by time.
"""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary
from zlib import crc32

import msgspec
from msgspec.structs import replace

from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.host_counters import Counts, FlowTotal, GpuTotal, HostCounters, gpu_key
from tokwatch.ledger.fleet.report import FlowAbout, GpuAbout, GpuReport, Report, ServerAbout

QUARTER_MS: Final = 900_000
LOOK_MS: Final = 5_000
CHECKPOINT_MS: Final = 60_000
GAP_MS: Final = 15_000  # of silence: what passed in it is counted, what the GPUs did in it is not known

_STATES: Final = frozenset(state.value for state in State)
_IDLE: Final = frozenset(state.value for state in State if state.idle)
_MOST_PARTS: Final = 4096  # in a quarter hour: a GPU changes hands a few times in it
_NO_COUNTS: Final[Counts] = (None, None, None, None, None, None)


class GpuPart(msgspec.Struct):
    """One GPU serving one set of servers, in one quarter hour. `*_ms` sums are value × time, and their time."""

    about: GpuAbout
    servers: tuple[ServerAbout, ...]  # () none
    state_ms: dict[int, int] = {}
    gap_ms: int = 0
    energy_mj: int | None = None
    measured_ms: int = 0
    idle_energy_mj: int | None = None
    power_max_mw: int | None = None
    power_mw_ms: int = 0
    power_ms: int = 0
    util_permille_ms: int = 0
    util_ms: int = 0
    memory_mib_ms: int = 0
    memory_ms: int = 0
    temperature_max_c: int | None = None
    looks: int = 0


class FlowPart(msgspec.Struct):
    """One flow in one quarter hour; counts as in FlowReport."""

    about: FlowAbout
    server: ServerAbout
    covered_ms: int = 0
    counts: Counts = _NO_COUNTS
    looks: int = 0


class HostQuarter(msgspec.Struct, frozen=True):
    """One host in one quarter hour; those that it was not watched in have none."""

    host: str
    quarter_ms: int  # where it starts
    first_ms: int  # from when to when it was watched, or is known to have been there
    last_ms: int
    gpus: tuple[GpuPart, ...]
    flows: tuple[FlowPart, ...]


class HostQuarters:
    """Follows one host. Instants are Unix milliseconds, ours."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._phase_ms = crc32(host.encode()) % CHECKPOINT_MS  # hosts are looked at one after another
        self._looked_ms: int | None = None  # up to when everything is added
        self._kept_ms = 0  # when `rest` was told last
        self._begun_ms = 0  # since when, in this quarter hour
        self._gpus: dict[str, tuple[int | None, int]] = {}  # totals as they were then
        # Those that the counters forget go here too.
        self._flows: WeakKeyDictionary[FlowTotal, tuple[Counts, int]] = WeakKeyDictionary()
        self._gpu_parts: dict[tuple[str, tuple[ServerAbout, ...]], GpuPart] = {}
        self._flow_parts: dict[FlowTotal, FlowPart] = {}

    def is_due(self, at_ms: int) -> bool:
        """Whether a report that came at `at_ms` is one to look at; the others need no `add`."""
        looked_ms = self._looked_ms
        return (
            looked_ms is None
            or (at_ms + self._phase_ms) // LOOK_MS != (looked_ms + self._phase_ms) // LOOK_MS
            or quarter_of(at_ms) != quarter_of(looked_ms)
        )

    def add(self, counters: HostCounters, report: Report, at_ms: int) -> list[HostQuarter]:
        """Look at totals that `report` was just added to; the quarter hours that are over, oldest first."""
        looked_ms = self._looked_ms
        if looked_ms is not None and at_ms <= looked_ms:
            return []  # the wall clock was set back: what passes until then is added later
        closed: list[HostQuarter] = []
        if looked_ms is None:
            self._begun_ms = at_ms
        else:
            left_ms = at_ms - looked_ms
            is_gap = left_ms > GAP_MS
            while left_ms > 0:
                from_ms = at_ms - left_ms
                end_ms = quarter_of(from_ms + 1) + QUARTER_MS
                length_ms = min(left_ms, end_ms - from_ms)
                self._add(counters, report, length_ms, left_ms, is_gap=is_gap)
                left_ms -= length_ms
                if from_ms + length_ms == end_ms:
                    closed += self._close(end_ms)
        self._stand(counters)
        self._looked_ms = at_ms
        if closed:
            self._kept_ms = at_ms
        return closed

    def checkpoint(self) -> HostQuarter | None:
        """The quarter hour that goes on as far as it is known, where a minute has passed since it was told."""
        if self._looked_ms is None:
            return None
        minute, told = ((at_ms + self._phase_ms) // CHECKPOINT_MS for at_ms in (self._looked_ms, self._kept_ms))
        return self.rest() if minute != told else None

    def rest(self) -> HostQuarter | None:
        """The quarter hour that goes on as far as it is known; None where nothing is."""
        if self._looked_ms is None or self._looked_ms == self._begun_ms:
            return None
        self._kept_ms = self._looked_ms
        return HostQuarter(
            self._host,
            quarter_of(self._looked_ms),
            self._begun_ms,
            self._looked_ms,
            tuple(replace(part, state_ms=dict(part.state_ms)) for part in self._gpu_parts.values()),
            tuple(replace(part) for part in self._flow_parts.values()),
        )

    # --- one stretch --------------------------------------------------------------------------------------------------

    def _add(self, counters: HostCounters, report: Report, length_ms: int, of_ms: int, *, is_gap: bool) -> None:
        """The first `length_ms` of the `of_ms` since the totals as they stood."""
        servers = counters.hello.servers
        for total, gpu in zip(counters.gpus, report.gpus, strict=True):
            self._add_gpu(total, gpu, tuple(servers[place] for place in gpu.servers), length_ms, of_ms, is_gap=is_gap)
        for flow in counters.flows:
            self._add_flow(flow, length_ms, of_ms)

    def _add_gpu(
        self,
        total: GpuTotal,
        gpu: GpuReport,
        servers: tuple[ServerAbout, ...],
        length_ms: int,
        of_ms: int,
        *,
        is_gap: bool,
    ) -> None:
        key = gpu_key(total.about)
        part = self._gpu_parts.get((key, servers))
        if part is None and len(self._gpu_parts) >= _MOST_PARTS:
            servers = ()  # a host that says otherwise at each look is not followed
            part = self._gpu_parts.get((key, servers))
        if part is None:
            part = self._gpu_parts[key, servers] = GpuPart(total.about, servers)
        part.looks += 1
        stood_mj, stood_ms = self._gpus.get(key, (None, total.measured_ms))
        gained_mj = None if total.energy_mj is None else (total.energy_mj - (stood_mj or 0)) * length_ms // of_ms
        gained_ms = (total.measured_ms - stood_ms) * length_ms // of_ms
        if gained_mj is not None and gained_ms:
            part.energy_mj = (part.energy_mj or 0) + gained_mj
            part.measured_ms += gained_ms
            part.idle_energy_mj = (part.idle_energy_mj or 0) + (gained_mj if gpu.state in _IDLE and not is_gap else 0)
        self._gpus[key] = ((stood_mj or 0) + gained_mj if gained_mj is not None else None, stood_ms + gained_ms)
        if is_gap:
            part.gap_ms += length_ms
            return
        state = gpu.state if gpu.state in _STATES else State.UNKNOWN.value  # of a newer agent
        part.state_ms[state] = part.state_ms.get(state, 0) + length_ms
        if gpu.power_mw is not None:
            part.power_mw_ms += gpu.power_mw * length_ms
            part.power_ms += length_ms
            part.power_max_mw = max(part.power_max_mw or 0, gpu.power_mw)
        if gpu.util_permille is not None:
            part.util_permille_ms += gpu.util_permille * length_ms
            part.util_ms += length_ms
        if gpu.memory_used_mib is not None:
            part.memory_mib_ms += gpu.memory_used_mib * length_ms
            part.memory_ms += length_ms
        if gpu.temperature_c is not None:
            part.temperature_max_c = max(part.temperature_max_c or gpu.temperature_c, gpu.temperature_c)

    def _add_flow(self, total: FlowTotal, length_ms: int, of_ms: int) -> None:
        part = self._flow_parts.get(total)
        if part is None:
            part = self._flow_parts[total] = FlowPart(total.about, total.server)
        part.looks += 1
        counts, covered_ms = self._flows.get(total, (_NO_COUNTS, 0))
        gained_ms = (total.covered_ms - covered_ms) * length_ms // of_ms
        part.covered_ms += gained_ms
        if counts == total.counts and part.looks > 1:
            self._flows[total] = counts, covered_ms + gained_ms
            return  # most flows of most looks
        gained = [
            None if now is None else (now - (stood or 0)) * length_ms // of_ms
            for now, stood in zip(total.counts, counts, strict=True)
        ]
        part.counts = _plus(part.counts, gained)
        self._flows[total] = _plus(counts, gained), covered_ms + gained_ms

    def _stand(self, counters: HostCounters) -> None:
        """Where the next stretch begins."""
        for gpu in counters.gpus:
            self._gpus[gpu_key(gpu.about)] = gpu.energy_mj, gpu.measured_ms
        for flow in counters.flows:
            self._flows[flow] = flow.counts, flow.covered_ms

    def _close(self, end_ms: int) -> list[HostQuarter]:
        gpus, flows = tuple(self._gpu_parts.values()), tuple(self._flow_parts.values())
        begun_ms, self._begun_ms = self._begun_ms, end_ms
        self._gpu_parts, self._flow_parts = {}, {}
        return [HostQuarter(self._host, quarter_of(end_ms), begun_ms, end_ms, gpus, flows)]


def quarter_of(at_ms: int) -> int:
    """Start of the quarter hour that an instant belongs to; one on an edge ends the earlier one."""
    return (at_ms - 1) // QUARTER_MS * QUARTER_MS


def _plus(counts: Counts, gained: list[int | None]) -> Counts:
    prompt, cached, output, finished, failed, aborted = (
        one if more is None else (one or 0) + more for one, more in zip(counts, gained, strict=True)
    )
    return prompt, cached, output, finished, failed, aborted
