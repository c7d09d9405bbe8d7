"""One host's newest report and its sums in a window → its HostTally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from tokwatch.ledger.entries import Flag, HistogramEntry, State
from tokwatch.ledger.fleet.report import Hello, Report, ServerReport
from tokwatch.ledger.fleet.tally import FlowTally, HostTally
from tokwatch.ledger.fleet.windows import NO_FLOW, Sums

_STATES: Final = frozenset(state.value for state in State)
_ALL_ELSEWHERE: Final = int(Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE)  # a flag's own `&` takes 2 µs


def host_tally(host: str, hello: Hello, report: Report, sums: Sums, t1_ms: int) -> HostTally:
    """The tally of a host that reports. `sums`: of the window that ends with the report, which came at `t1_ms`."""
    window = sums if sums.watched_ms > 0 else None  # nothing adds up before the second report
    gpus = report.gpus
    powers = [gpu.power_mw for gpu in gpus if gpu.power_mw is not None]
    busy = [gpu.util_permille for gpu in gpus if gpu.util_permille is not None]
    states = Counter(gpu.state if gpu.state in _STATES else State.UNKNOWN.value for gpu in gpus)  # of a newer agent
    return HostTally(
        host=host,
        t1_ms=t1_ms,
        length_ms=sums.watched_ms,
        gpus=len(gpus),
        gpu_model=gpu_model(hello),
        states=tuple(sorted(states.items())),
        power_w=sum(powers) / 1000 if powers else None,
        power_gpus=len(powers),
        energy_mj=window.energy_mj if window else None,
        measured_ms=window.measured_ms if window else 0,
        memory_used_mib=_sum(gpu.memory_used_mib for gpu in gpus),
        memory_total_mib=memory_total_mib(hello),
        utilization=sum(busy) / len(busy) / 1000 if busy else None,
        temperature_max_c=max((gpu.temperature_c for gpu in gpus if gpu.temperature_c is not None), default=None),
        flows=flow_tallies(hello, report.servers, window),
        agent=hello.version,
        unpriced=hello.simulated,
    )


def flow_tallies(hello: Hello, servers: tuple[ServerReport, ...], sums: Sums | None) -> tuple[FlowTally, ...]:
    """A tally a model: what its servers on the host added up to, and have in hand."""
    models: dict[str, list[int]] = {}
    for place, model in enumerate(_models(hello)):
        if model:
            models.setdefault(model, []).append(place)
    return tuple(_flow_tally(model, places, hello, servers, sums) for model, places in models.items())


def gpu_model(hello: Hello) -> str:
    return " + ".join(dict.fromkeys(gpu.name for gpu in hello.gpus if gpu.name))


def memory_total_mib(hello: Hello) -> int | None:
    return _sum(gpu.memory_total_mib for gpu in hello.gpus)


def _models(hello: Hello) -> list[str]:
    """The model of each server; "" of one whose tokens are all counted elsewhere: it makes none."""
    own: dict[int, str] = {}
    for flow in hello.flows:
        if flow.elsewhere & _ALL_ELSEWHERE == _ALL_ELSEWHERE:
            own.setdefault(flow.server, "")
        else:
            own[flow.server] = own.get(flow.server) or flow.model
    return [own.get(place, server.model) for place, server in enumerate(hello.servers)]


def _flow_tally(
    model: str, places: list[int], hello: Hello, servers: tuple[ServerReport, ...], sums: Sums | None
) -> FlowTally:
    up = [servers[place] for place in places if place < len(servers) and servers[place].up]
    prompt, cached, output, finished, failed = NO_FLOW if sums is None else sums.flows.get(model, NO_FLOW)
    fullest = max((server.kv_permyriad for server in up if server.kv_permyriad is not None), default=None)
    return FlowTally(
        model=model,
        servers=len(up),
        engine=" + ".join(dict.fromkeys(hello.servers[place].engine for place in places)),
        prompt_tokens=prompt,
        cached_tokens=cached,
        output_tokens=output,
        finished=finished,
        failed=failed,
        running=_sum(server.running for server in up),
        waiting=_sum(server.waiting for server in up),
        kv_usage=None if fullest is None else fullest / 10_000,
        latencies=() if sums is None else tuple(_latencies(model, sums)),
    )


def _latencies(model: str, sums: Sums) -> Iterator[HistogramEntry]:
    """Those of which something was observed."""
    for key, (*counts, sum_ms) in sums.latencies.items():
        if key.model == model and any(counts):
            yield HistogramEntry(key.name, key.edges, tuple(counts), sum_ms * 1000)


def _sum(values: Iterable[int | None]) -> int | None:
    """Of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
