"""Server facts: what one server is and runs with, its caches and phases, and which series of its page are read."""

from __future__ import annotations

from collections.abc import Iterator

from tokwatch.dashboard import formats
from tokwatch.dashboard.cells import Line, wrap
from tokwatch.dashboard.columns import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_row import put_rule
from tokwatch.dashboard.widgets.server_words import Fact, what_is_missing, what_is_read, what_it_is
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import part_of
from tokwatch.ledger.phase_split import PhaseSplit, phase_split
from tokwatch.ledger.server_trail import ServerTrail
from tokwatch.ledger.snapshot import ServerRow, Snapshot

_TEXT = MARGIN + 13  # column


class ServerFacts(Canvas):
    """A heading, and facts that scroll where there are more than fit. The heading is the server, or `heading`."""

    DEFAULT_CSS = """
    ServerFacts { overflow: hidden auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, look: Look, heading: str = "", *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self._heading = heading
        self.server: ServerRow | None = None
        self.trail: ServerTrail | None = None  # of the same server

    def rows(self) -> int:
        return max(self.size.height, len(self._lines()))

    def draw(self, rows: range) -> list[Line]:
        lines = self._lines()
        lines += [Line(self.size.width, self.look) for _ in range(rows.stop - len(lines))]
        return lines[rows.start : rows.stop]

    def _lines(self) -> list[Line]:
        server, snapshot, width = self.server, self.frame.snapshot, self.size.width
        if server is None or snapshot is None:
            return []
        heading, rule = Line(width, self.look), Line(width, self.look)
        x = heading.put(MARGIN, self._heading or server.address, bold=True)
        if not self._heading:
            what = f"{formats.engine(server.engine)}  {server.model}"
            heading.put(x + 2, what, "quiet", width=width - MARGIN - x - 2)
        put_rule(rule)
        lines = [heading, rule]
        for label, text, role in facts(server, snapshot, self.trail):
            for number, row in enumerate(wrap(text, width - _TEXT - MARGIN)):
                line = Line(width, self.look)
                if not number:
                    line.put(MARGIN, label, "quiet", width=_TEXT - MARGIN - 1)
                line.put(_TEXT, row, role)
                lines.append(line)
        return lines


def facts(server: ServerRow, snapshot: Snapshot, trail: ServerTrail | None) -> Iterator[Fact]:
    """Everything about a server that is no latency."""
    yield from what_it_is(server, snapshot)
    yield "requests", f"{_told(server.requests_s, 1.0, '/s')} finished", "text"
    hits = part_of(server.cached_tok_s, server.prompt_tok_s)
    yield "prefix cache", _told(hits, 100.0, " % of prompt tokens hit"), "text" if hits.value is not None else "faint"
    if trail is not None and trail.acceptance is not None:
        words = f"{trail.acceptance * 100:.0f} % of drafted tokens accepted, last hour"
        yield "speculation", words, "text"
    yield from _phases(server, snapshot)
    yield from what_is_missing(server)
    yield from what_is_read(server)


def _phases(server: ServerRow, snapshot: Snapshot) -> Iterator[Fact]:
    """Prefill against decode, where each has GPUs of its own."""
    deployment = next((row for row in snapshot.deployments if server.entity in row.servers), None)
    split = phase_split(snapshot, deployment) if deployment else None
    if split is not None:
        sign = formats.currency_sign(snapshot.currency)
        yield from ((label, words, "text") for label, words in _split_words(split, sign))


def _split_words(split: PhaseSplit, sign: str) -> Iterator[tuple[str, str]]:
    prefill, decode = split.prefill, split.decode
    yield (
        "prefill",
        f"{_told(prefill.power_w, 1.0, ' W')} {_share(prefill.power_share)}, "
        f"{sign}{_money(prefill.usd_per_hour)}/h {_share(prefill.usd_share)}, "
        f"{sign}{_per_million(prefill.usd_per_m)} per M uncached prompt",
    )
    yield (
        "decode",
        f"{_told(decode.power_w, 1.0, ' W')} {_share(decode.power_share)}, "
        f"{sign}{_money(decode.usd_per_hour)}/h {_share(decode.usd_share)}, "
        f"{sign}{_per_million(decode.usd_per_m)} per M out",
    )


def _told(figure: Figure, factor: float, unit: str) -> str:
    """With its unit, or why it is not known."""
    if figure.value is None:
        return f"{formats.figure(figure, formats.count)} {figure.why}".rstrip()
    return formats.figure(figure, lambda value: formats.count(value * factor)) + unit


def _share(figure: Figure) -> str:
    return f"({formats.figure(figure, formats.percent)} %)"


def _money(figure: Figure) -> str:
    return formats.figure(figure, formats.amount)


def _per_million(figure: Figure) -> str:
    return formats.figure(figure, formats.per_million)
