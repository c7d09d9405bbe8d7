"""The SERVERS section of Sources: what is read of each server, what is counted there, and what its figures rest on."""

from __future__ import annotations

from collections.abc import Iterator

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.widgets.document import Page
from tokwatch.dashboard.widgets.server_words import (
    PER_TOKEN,
    latencies,
    slo_words,
    what_is_missing,
    what_is_read,
    what_it_is,
)
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.snapshot import ServerRow, Snapshot

_GLYPH, _VERDICT, _NAME = 4, 6, 14  # columns
_BUCKET = 13  # cells of a column of buckets


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
        for label, text, role in what_it_is(server, snapshot):
            page.fact(label, text, role)
        if server.up or server.tok_s.value is not None:  # else the problem says all
            page.figures("makes", _figures(server, formats.currency_sign(snapshot.currency)))
        _write_latencies(page, server)
        for label, text, role in slo_words(server):
            page.fact(label, text, role)
        first = alike.setdefault((server.engine, server.used, server.missing), server.address)
        for label, text, role in _what_is_read(server, first):
            page.fact(label, text, role)


def _figures(server: ServerRow, currency: str) -> list[tuple[str, FigurePath | None]]:
    """Each with its signs, then what is not known and why; what has one reason stands together."""
    told = (
        ("tok_s", server.tok_s, formats.count, "tok/s"),
        ("tok_per_j", server.tok_per_j, formats.ratio, "tok/s/W"),
        ("usd_per_m_output", server.usd_per_m_output, lambda usd: currency + formats.per_million(usd), "per M output"),
    )
    pieces: list[tuple[str, FigurePath | None]] = []
    unknown: dict[str, list[tuple[str, FigurePath | None]]] = {}
    for field, figure, write, unit in told:
        path = FigurePath("server", field, server.entity)
        if figure.infinite or figure.value is not None:
            pieces += [(formats.figure(figure, write), path), (f" {unit}, ", None)]
        else:
            unknown.setdefault(figure.why, []).extend([(glyphs.ABSENT, path), (f" {unit}, ", None)])
    for why, absent in unknown.items():
        pieces += [*absent[:-1], (f"{absent[-1][0].removesuffix(', ')} ({why}), ", None)]
    return [*pieces[:-1], (pieces[-1][0].removesuffix(", "), None)]


def _write_latencies(page: Page, server: ServerRow) -> None:
    found = latencies(server)
    rows = [
        (
            name,
            *(formats.interval(each, formats.seconds) for each in (of.p50, of.p95, of.p99)),
            formats.count(of.p50.n or 0),
        )
        for name, _, of in found
    ]
    paths = [
        (*(FigurePath("server", f"{field}.{share}", server.entity) for share in ("p50", "p95", "p99")), None)
        for _, field, _ in found
    ]
    if rows:
        page.table(("seconds", "p50", "p95", "p99", "samples"), rows, (_BUCKET, _BUCKET, _BUCKET, 10), paths)
    if server.per_token:
        page.fact("per token", PER_TOKEN.get(server.per_token, server.per_token), "quiet")


def _what_is_read(server: ServerRow, first: str) -> Iterator[tuple[str, str, str]]:
    if server.address != first and (server.used or server.missing):
        yield "reads", f"{len(server.used)} series, the same read and the same missing as of {first}", "quiet"
        return
    yield from what_is_missing(server)
    yield from what_is_read(server)
