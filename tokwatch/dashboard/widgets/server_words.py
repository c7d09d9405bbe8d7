"""Server words: what a server is, how it does by its SLO, what is read of it; each as (label, text, role)."""

from __future__ import annotations

from collections.abc import Iterator

from tokwatch.dashboard import formats, glyphs
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.snapshot import Interval, Quantiles, ServerRow, Snapshot

Fact = tuple[str, str, str]  # label, text, role

PER_TOKEN = {
    "per request": "each request's mean after its first token (TPOT)",
    "per token": "each gap between tokens (ITL), so that long answers weigh more",
    "per request, prefill included": "each request's mean, prefill included: higher than a TPOT",
}


def latencies(server: ServerRow) -> list[tuple[str, str, Quantiles]]:
    """Name, field of the ServerRow, and quantiles of those that were observed."""
    every = (
        ("TTFT", "ttft_s", server.ttft_s),
        ("TPOT", "tpot_s", server.tpot_s),
        ("ITL", "itl_s", server.itl_s),
        ("TPOT+prefill", "token_time_s", server.token_time_s),
        ("E2E", "e2e_s", server.e2e_s),
        ("queue", "queue_s", server.queue_s),
    )
    return [each for each in every if each[2].p50.low is not None]


def what_it_is(server: ServerRow, snapshot: Snapshot) -> Iterator[Fact]:
    """Its problem, owner, GPUs, part in the totals, role and settings."""
    if server.problem:
        yield "problem", server.problem, "alarm"
    facts = dict(server.facts)
    process = facts.pop("pid", "")
    if not server.verified:
        yield "owner", f"{server.owner}: another user's, not in the money until accepted in the configuration", "waste"
    elif server.owner:
        yield "owner", f"{server.owner}, process {process}" if process else server.owner, "quiet"
    yield from _where_it_runs(server, snapshot)
    if server.counts:
        yield "in totals", server.counts, "text"
    part = [server.layer] if server.layer != "engine" else []
    part += [server.role] if server.role else []
    part += [f"of deployment {server.deployment}"] if server.deployment else []
    if part:
        yield "role", " ".join(part), "text"
    facts.pop("role", None)
    if facts:
        yield "runs with", ", ".join(f"{name} {value}" for name, value in facts.items()), "text"
    if server.moves == "at end":
        yield "note", "counts tokens when a request ends: rates are over five minutes", "quiet"


def _where_it_runs(server: ServerRow, snapshot: Snapshot) -> Iterator[Fact]:
    if server.gpus:
        yield "runs on", formats.devices(server.gpus, snapshot.device), "text"
    elif server.up and server.layer == "engine" and any(row.kind != PACKAGE for row in snapshot.gpus):
        hint = "no GPU that tokwatch can tell; if it uses some, name them: gpus = [0] under its [[servers]]"
        yield "runs on", hint, "text"


def slo_words(server: ServerRow) -> Iterator[Fact]:
    """Its limits, the share of requests within them against the target, goodput, and each limit alone."""
    if not server.slo:
        return
    yield "SLO", server.slo, "text"
    met = server.slo_met
    if met.low is None:
        yield "within it", f"{glyphs.ABSENT} {met.why}", "text"
    else:
        verdict = met.why or formats.verdict(server.slo_verdict, server.slo_target)
        role = "alarm" if server.slo_verdict == "missed" else "text"
        yield "within it", f"{percent(met)} of requests; {verdict}", role
        yield "goodput", f"{formats.interval(server.goodput_req_s, formats.count)} requests/s", "text"
    limits = (
        ("TTFT", server.ttft_met),
        ("TPOT", server.tpot_met),
        ("E2E", server.e2e_met),
        ("token gaps", server.token_gaps_met),
    )
    alone = [f"{name} {percent(share)}" for name, share in limits if share.low is not None]
    if alone:
        yield "each alone", ", ".join(alone), "text"


def percent(share: Interval) -> str:
    """A share between bounds, in per cent."""
    return f"{formats.interval(share, formats.percent_tenths)} %"


def what_is_missing(server: ServerRow) -> Iterator[Fact]:
    """What its page lacks, and what is lost without it."""
    lost = [words for _, words in server.missing]
    if plain := [words for words in lost if ":" not in words]:
        yield "missing", ", ".join(plain), "text"
    for words in lost:
        if ":" in words:  # with a reason
            yield "missing", words, "text"


def what_is_read(server: ServerRow) -> Iterator[Fact]:
    """The series of its page that are used."""
    if server.used:
        yield "reads", f"{len(server.used)} series: {', '.join(server.used)}", "quiet"
