"""The SERVERS section of Sources: what is read of each server, what is counted there, and what its figures rest on."""

from __future__ import annotations

from collections.abc import Iterator

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.widgets.document import Page
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.snapshot import Interval, ServerRow, Snapshot

_GLYPH, _VERDICT, _NAME = 4, 6, 14  # columns
_BUCKET = 13  # cells of a column of buckets
_PER_TOKEN = {
    "per request": "each request's mean after its first token (TPOT)",
    "per token": "each gap between tokens (ITL), so that long answers weigh more",
    "per request, prefill included": "each request's mean, prefill included: higher than a TPOT",
}


def write_servers(page: Page, snapshot: Snapshot) -> None:
    """One block a server; series that an earlier one has too are not listed again."""
    up = sum(server.up for server in snapshot.servers)
    page.heading("SERVERS", f"{up} of {len(snapshot.servers)} answer")
    alike: dict[object, str] = {}
    for number, server in enumerate(snapshot.servers):
        if number:
            page.line()
        line = page.line()
        line.put(_GLYPH, glyphs.OK if server.up else glyphs.FAILED, "work" if server.up else "alarm")
        line.put(_VERDICT, "up" if server.up else "down", "text" if server.up else "alarm", bold=not server.up)
        x = line.put(_NAME, server.address, bold=True)
        page.beside(line, x + 2, f"{formats.engine(server.engine)}  {server.model}", "text")
        for label, text, role in _what_it_is(server, snapshot):
            page.fact(label, text, role)
        if server.up or server.tok_s.value is not None:  # else the problem says all
            page.fact("makes", _figures(server, formats.currency_sign(snapshot.currency)))
        _write_latencies(page, server)
        for label, text, role in _slo(server):
            page.fact(label, text, role)
        first = alike.setdefault((server.engine, server.used, server.missing), server.address)
        for label, text, role in _what_is_read(server, first):
            page.fact(label, text, role)


def _what_it_is(server: ServerRow, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
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


def _where_it_runs(server: ServerRow, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    if server.gpus:
        yield "runs on", formats.devices(server.gpus, snapshot.device), "text"
    elif server.up and server.layer == "engine" and any(row.kind != PACKAGE for row in snapshot.gpus):
        hint = "no GPU that tokwatch can tell; if it uses some, name them: gpus = [0] under its [[servers]]"
        yield "runs on", hint, "text"


def _figures(server: ServerRow, currency: str) -> str:
    """Each with its signs, then what is not known and why; what has one reason stands together."""
    told = (
        (server.tok_s, formats.count, "tok/s"),
        (server.tok_per_j, formats.ratio, "tok/s/W"),
        (server.usd_per_m_output, lambda usd: currency + formats.per_million(usd), "per M output"),
    )
    known: list[str] = []
    unknown: dict[str, list[str]] = {}
    for figure, write, unit in told:
        if figure.infinite or figure.value is not None:
            known.append(f"{formats.figure(figure, write)} {unit}")
        else:
            unknown.setdefault(figure.why, []).append(f"{glyphs.ABSENT} {unit}")
    return ", ".join([*known, *(f"{', '.join(units)} ({why})" for why, units in unknown.items())])


def _write_latencies(page: Page, server: ServerRow) -> None:
    latencies = (
        ("TTFT", server.ttft_s),
        ("TPOT", server.tpot_s),
        ("ITL", server.itl_s),
        ("TPOT+prefill", server.token_time_s),
        ("E2E", server.e2e_s),
        ("queue", server.queue_s),
    )
    rows = [
        (
            name,
            *(formats.interval(each, formats.seconds) for each in (of.p50, of.p95, of.p99)),
            formats.count(of.p50.n or 0),
        )
        for name, of in latencies
        if of.p50.low is not None
    ]
    if rows:
        page.table(("seconds", "p50", "p95", "p99", "samples"), rows, (_BUCKET, _BUCKET, _BUCKET, 10))
    if server.per_token:
        page.fact("per token", _PER_TOKEN.get(server.per_token, server.per_token), "quiet")


def _slo(server: ServerRow) -> Iterator[tuple[str, str, str]]:
    if not server.slo:
        return
    yield "SLO", server.slo, "text"
    met = server.slo_met
    if met.low is None:
        yield "within it", f"{glyphs.ABSENT} {met.why}", "text"
    else:
        verdict = met.why or formats.verdict(server.slo_verdict, server.slo_target)
        role = "alarm" if server.slo_verdict == "missed" else "text"
        yield "within it", f"{_percent(met)} of requests; {verdict}", role
        goodput = formats.interval(server.goodput_req_s, formats.count)
        yield "goodput", f"{goodput} requests/s", "text"
    limits = (
        ("TTFT", server.ttft_met),
        ("TPOT", server.tpot_met),
        ("E2E", server.e2e_met),
        ("token gaps", server.token_gaps_met),
    )
    alone = [f"{name} {_percent(share)}" for name, share in limits if share.low is not None]
    if alone:
        yield "each alone", ", ".join(alone), "text"


def _percent(share: Interval) -> str:
    return f"{formats.interval(share, formats.percent_tenths)} %"


def _what_is_read(server: ServerRow, first: str) -> Iterator[tuple[str, str, str]]:
    if server.address != first and (server.used or server.missing):
        yield "reads", f"{len(server.used)} series, the same read and the same missing as of {first}", "quiet"
        return
    lost = [words for _, words in server.missing]
    if plain := [words for words in lost if ":" not in words]:
        yield "missing", ", ".join(plain), "text"
    for words in lost:
        if ":" in words:  # with a reason
            yield "missing", words, "text"
    if server.used:
        yield "reads", f"{len(server.used)} series: {', '.join(server.used)}", "quiet"
