"""One host's reports → totals that only grow: restarts, GPUs and flows that come later, counters that fall."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tokwatch.ledger.entries import Flag
from tokwatch.ledger.fleet.host_latencies import HostLatencies, keys_of
from tokwatch.ledger.fleet.report import FlowAbout, FlowReport, GpuAbout, GpuReport, Hello, Report, ServerAbout
from tokwatch.ledger.fleet.windows import NO_FLOW, FlowSums, Sums

# A flow's counters as FlowReport has them, after covered_ms.
Counts = tuple[int | None, int | None, int | None, int | None, int | None, int | None]
_MOST_KEPT: Final = 16_384  # GPUs and flows of one host, those that are gone too: beyond it gone flows are forgotten
# Whole numbers: a flag's own `&` takes 2 µs, a sixth of a host's tally.
_PROMPT_ELSEWHERE: Final = int(Flag.PROMPT_ELSEWHERE)
_OUTPUT_ELSEWHERE: Final = int(Flag.OUTPUT_ELSEWHERE)
_UNKNOWN: Final[Counts] = (None, None, None, None, None, None)
_FROM_ZERO: Final[Counts] = (0, 0, 0, 0, 0, 0)


class GpuTotal:
    """One GPU, since its host was first heard of. `energy_mj` None: never told."""

    __slots__ = ("about", "energy_mj", "measured_ms", "stood_mj", "stood_ms")

    def __init__(self, about: GpuAbout) -> None:
        self.about = about
        self.energy_mj: int | None = None
        self.measured_ms = 0
        self.stood_mj: int | None = 0  # its counters in the newest report; None: the next one is a baseline
        self.stood_ms = 0


class FlowTotal:
    """One flow, likewise. A count is None until it is told; it is counted at another server too where that says so."""

    __slots__ = ("__weakref__", "about", "counts", "covered_ms", "server", "stood", "stood_ms")

    def __init__(self, about: FlowAbout, server: ServerAbout) -> None:
        self.about, self.server = about, server
        self.counts: Counts = _UNKNOWN
        self.covered_ms = 0
        self.stood: Counts = _FROM_ZERO
        self.stood_ms = 0


class HostCounters:
    """Adds up what the counters of one host moved.

    The first report of a run that was there before is a baseline; those of a run that began since then count from 0,
    and so does what a report of a known run tells for the first time. A counter that falls within its run counts from
    0 too: what it lost is not known, so the sum is a lower bound.
    """

    def __init__(self, hello: Hello) -> None:
        """Raises ValueError for a hello that contradicts itself."""
        self.hello = hello
        self.gpus: tuple[GpuTotal, ...] = ()  # in the order of the hello
        self.flows: tuple[FlowTotal, ...] = ()
        self.watched_ms = 0  # in all its runs
        self._all_gpus: dict[str, GpuTotal] = {}
        self._all_flows: dict[tuple[str, ...], FlowTotal] = {}
        self._run_watched_ms: int | None = None  # None: the next report is a baseline
        self._wall_ms = 0  # of the newest report, by the host's clock
        self._is_baseline = True
        self._latencies = HostLatencies()
        latencies = keys_of(hello)
        self._lay_out(hello)
        self._latencies.begin(latencies, same_run=False)

    def begin(self, hello: Hello) -> None:
        """What it says of itself now; its reports from here on refer to it. Raises ValueError as above."""
        known = self.hello
        latencies = keys_of(hello)
        if hello.run == known.run:
            for total in {*self._all_gpus.values()} - {*self.gpus}:
                total.stood_mj, total.stood_ms = 0, 0  # an agent forgets what is gone, and counts anew from 0
            for gone in {*self._all_flows.values()} - {*self.flows}:
                gone.stood, gone.stood_ms = _FROM_ZERO, 0
        self._lay_out(hello)
        self._latencies.begin(latencies, same_run=hello.run == known.run)
        self.hello = hello
        if hello.run != known.run:
            began_since = self._run_watched_ms is not None and hello.started_ms >= self._wall_ms
            self._is_baseline, self._run_watched_ms = not began_since, 0 if began_since else None
            for gpu in self.gpus:
                gpu.stood_mj, gpu.stood_ms = 0, 0
            for flow in self.flows:
                flow.stood, flow.stood_ms = _FROM_ZERO, 0

    def add(self, report: Report) -> None:
        """What moved since the report before. Raises ValueError for one that does not fit what its host said."""
        if len(report.gpus) != len(self.gpus) or len(report.flows) != len(self.flows):
            told = f"{len(report.gpus)} GPUs and {len(report.flows)} flows"
            raise ValueError(f"a report of {told} after {len(self.gpus)} and {len(self.flows)} were announced")
        servers = len(self.hello.servers)
        if any(not 0 <= place < servers for gpu in report.gpus for place in gpu.servers):
            raise ValueError(f"a GPU that serves another server than the {servers} that were announced")
        self._latencies.check(report.latencies)
        before_ms = self._run_watched_ms
        # The same run cannot have been watched for less time: then nothing is known.
        is_baseline = self._is_baseline or before_ms is None or report.watched_ms < before_ms
        if not is_baseline and before_ms is not None:
            self.watched_ms += report.watched_ms - before_ms
        self._run_watched_ms, self._wall_ms, self._is_baseline = report.watched_ms, report.wall_ms, False
        self._add_gpus(report.gpus, is_baseline=is_baseline)
        self._add_flows(report.flows, is_baseline=is_baseline)
        self._latencies.add(report.latencies, is_baseline=is_baseline)

    def sums(self) -> Sums:
        """Of the host and its models, since the first report; without what is counted at another server."""
        energies = [gpu.energy_mj for gpu in self._all_gpus.values() if gpu.energy_mj is not None]
        flows: dict[str, FlowSums] = {}
        for flow in self._all_flows.values():
            own = own_counts(flow)
            if any(count is not None for count in own):
                flows[flow.about.model] = _plus(flows.get(flow.about.model, NO_FLOW), own)
        measured_ms = sum(gpu.measured_ms for gpu in self._all_gpus.values())
        energy_mj = sum(energies) if energies else None
        return Sums(self.watched_ms, energy_mj, measured_ms, flows, self._latencies.sums())

    def _lay_out(self, hello: Hello) -> None:
        flow_keys = [_flow_key(flow, hello.servers) for flow in hello.flows]
        gpu_keys = {gpu_key(gpu) for gpu in hello.gpus}
        if len(self._all_gpus.keys() | gpu_keys) + len(self._all_flows.keys() | set(flow_keys)) > _MOST_KEPT:
            if len(self._all_gpus.keys() | gpu_keys) + len(set(flow_keys)) > _MOST_KEPT:
                raise ValueError(f"more than {_MOST_KEPT} GPUs and flows so far: this is no one host")
            self._all_flows = {key: self._all_flows[key] for key in flow_keys if key in self._all_flows}
        self.gpus = tuple(self._all_gpus.setdefault(gpu_key(gpu), GpuTotal(gpu)) for gpu in hello.gpus)
        self.flows = tuple(
            self._all_flows.setdefault(key, FlowTotal(flow, hello.servers[flow.server]))
            for key, flow in zip(flow_keys, hello.flows, strict=True)
        )
        for gpu, gpu_about in zip(self.gpus, hello.gpus, strict=True):
            gpu.about = gpu_about
        for flow, flow_about in zip(self.flows, hello.flows, strict=True):
            flow.about = flow_about

    def _add_gpus(self, reports: tuple[GpuReport, ...], *, is_baseline: bool) -> None:
        for total, gpu in zip(self.gpus, reports, strict=True):
            energy_mj = gpu.energy_mj
            if energy_mj is None:
                if is_baseline:
                    total.stood_mj = None
                continue
            before_mj = total.stood_mj
            if is_baseline or before_mj is None:
                total.energy_mj = total.energy_mj or 0
            elif energy_mj >= before_mj and gpu.measured_ms >= total.stood_ms:
                total.energy_mj = (total.energy_mj or 0) + energy_mj - before_mj
                total.measured_ms += gpu.measured_ms - total.stood_ms
            else:
                total.energy_mj = (total.energy_mj or 0) + energy_mj
                total.measured_ms += gpu.measured_ms
            total.stood_mj, total.stood_ms = energy_mj, gpu.measured_ms

    def _add_flows(self, reports: tuple[FlowReport, ...], *, is_baseline: bool) -> None:
        for total, flow in zip(self.flows, reports, strict=True):
            covered_ms = flow.covered_ms
            if not is_baseline:
                total.covered_ms += covered_ms - total.stood_ms if covered_ms >= total.stood_ms else covered_ms
            total.stood_ms = covered_ms
            now: Counts = (
                flow.prompt_tokens,
                flow.cached_tokens,
                flow.output_tokens,
                flow.finished,
                flow.failed,
                flow.aborted,
            )
            before = total.stood
            if now == before and before is not _FROM_ZERO and not is_baseline:
                continue  # most flows of most seconds
            _count(total, now, is_baseline=is_baseline)


def own_counts(flow: FlowTotal) -> FlowSums:
    """Without what is counted at another server; and without aborted requests, which no tally has."""
    prompt, cached, output, finished, failed, _ = flow.counts
    if flow.about.elsewhere & _PROMPT_ELSEWHERE:
        prompt = cached = None
    if flow.about.elsewhere & _OUTPUT_ELSEWHERE:
        output = finished = failed = None
    return prompt, cached, output, finished, failed


def gpu_key(gpu: GpuAbout) -> str:
    return gpu.uuid or f"index:{gpu.index}"


def _count(total: FlowTotal, now: Counts, *, is_baseline: bool) -> None:
    stands: list[int | None] = []
    counts: list[int | None] = []
    for value, known, count in zip(now, total.stood, total.counts, strict=True):
        if value is None:
            stands.append(None if is_baseline else known)
            counts.append(count)
            continue
        stands.append(value)
        gained = 0 if is_baseline or known is None else value - known if value >= known else value
        counts.append((count or 0) + gained)
    total.stood, total.counts = _six(stands), _six(counts)


def _six(counts: Iterable[int | None]) -> Counts:
    prompt, cached, output, finished, failed, aborted = counts
    return prompt, cached, output, finished, failed, aborted


def _plus(one: FlowSums, other: FlowSums) -> FlowSums:
    prompt, cached, output, finished, failed = (
        a if b is None else (a or 0) + b for a, b in zip(one, other, strict=True)
    )
    return prompt, cached, output, finished, failed


def _flow_key(flow: FlowAbout, servers: tuple[ServerAbout, ...]) -> tuple[str, ...]:
    """What tells it from others. Raises ValueError where it is of a server that the host does not tell of."""
    if not 0 <= flow.server < len(servers):
        raise ValueError(f"a flow of server {flow.server} where {len(servers)} were announced")
    server = servers[flow.server]
    return server.address, server.engine, flow.model, flow.role, flow.tenant, flow.tier
