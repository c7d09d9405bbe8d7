"""What the user is told about a Prometheus as a source: what speaks there, what it costs, what is missing and lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from collectors.prometheus.query_error import QueryError
from tokwatch.feeds.fleet.prometheus_discovery import Found
from tokwatch.feeds.fleet.prometheus_equal_names import EqualNames
from tokwatch.ledger.fleet.tally import FetchCost, HostTally, SourceNote

_NAMED: Final = 3  # hosts that are named
# What a table may have and this server lacks: figures of its answers → what the user does not see.
_LOST: Final = {
    ("power_w",): "power, energy and tok/s/W",
    ("energy_mj",): "energy: tok/s/W rests on single readings of power",
    ("memory_used_bytes",): "memory, and which quiet GPUs are held",
    ("output_tokens",): "tokens",
    ("running",): "running requests",
    ("ttft buckets",): "time to first token",
    ("tpot buckets", "itl buckets"): "time per output token",
}


class Look(NamedTuple):
    """One look at the fleet, for its notes."""

    found: Found
    failures: Mapping[str, QueryError]  # by group
    kept_s: Mapping[str, float]  # group → age of what stands for it
    elsewhere: Sequence[tuple[str, str]]  # (host, engine) whose tokens are counted at engines
    hosts: Sequence[HostTally]
    cost: FetchCost
    equal_names: EqualNames


def notes(look: Look, where: str) -> tuple[SourceNote, ...]:
    """For the Sources screen. where: the server."""
    return tuple(_notes(look, where))


def _notes(look: Look, where: str) -> Iterator[SourceNote]:
    questions = look.found.questions
    if not look.found.anything:
        hint = "does it scrape dcgm-exporter, an inference server or tokwatch's agent? See docs/prometheus.md"
        yield SourceNote(where, False, "no series of any meter or engine that tokwatch knows", hint)
        return
    cost = look.cost
    told = f"{cost.queries} queries, {cost.bytes / 1000:.0f} kB, {cost.took_ms} ms; {cost.cpu_ms} ms of CPU here"
    speakers = ", ".join(dict.fromkeys(questions.dialects.found))  # an agent is a meter, and tells of engines
    yield SourceNote(where, not look.failures, f"read by {speakers}; {told}")
    interval = f"every {look.found.interval_s:g} s" if look.found.interval_told else "not told, taken as 60 s"
    yield SourceNote("scrape interval", look.found.interval_told, f"{interval}; window {questions.window_s:g} s")
    for group, error in look.failures.items():
        kept = f"shown as of {look.kept_s[group]:.0f} s ago" if group in look.kept_s else "not shown"
        yield SourceNote(group, False, f"{error}", kept)
    yield from _missing(questions.figures)
    yield from _apart(look.hosts)
    if shared := look.equal_names.names:
        count = f"{len(shared)} name{' stands' if len(shared) == 1 else 's stand'} for several hosts each"
        apart = f"told apart by {' and '.join(look.equal_names.labels)}"
        yield SourceNote("equal names", True, f"{count} ({_some(shared)}): {apart}")
    if look.elsewhere:
        names = _some([f"{engine} on {host}" for host, engine in look.elsewhere])
        yield SourceNote("gateways", True, f"{names}: tokens are counted at the engines behind")


def _missing(figures: frozenset[str]) -> Iterator[SourceNote]:
    lost = [words for any_of, words in _LOST.items() if figures.isdisjoint(any_of)]
    if lost:
        yield SourceNote("not told by any host", False, "; ".join(lost))


def _apart(hosts: Sequence[HostTally]) -> Iterator[SourceNote]:
    """Servers and GPUs whose pages name the host by different words."""
    up = [host for host in hosts if host.up]
    without = [host.host for host in up if host.flows and host.gpus is None]
    idle = [host.host for host in up if host.gpus is not None and not host.flows]
    if without and idle:
        servers = f"{len(without)} hosts have servers and no GPUs ({_some(without)})"
        gpus = f"{len(idle)} GPUs and no server ({_some(idle)})"
        hint = "where they are the same ones, give both one label by relabelling, or set host_label"
        yield SourceNote("hosts", False, f"{servers}, {gpus}", hint)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
