"""Server latency: the latencies of one server by their buckets, and how it does by its SLO."""

from __future__ import annotations

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, wrap
from tokwatch.dashboard.columns import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_row import put_rule
from tokwatch.dashboard.widgets.server_words import PER_TOKEN, latencies
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.snapshot import Interval, ServerRow

_QUANTILES = ("p50", "p95", "p99")
_LABEL, _SAMPLES = 8, 9  # cells
_IN_SECONDS = ("ttft_s", "e2e_s")  # others in milliseconds until their p99 is a second
_SLO_LEAST = 4  # rows: a blank one, heading, rule, the first limit
_NAME, _SHARE, _UNIT = 12, 10, 6  # cells of the second table
_LIMITS = (
    ("TTFT", "ttft_met"),
    ("TPOT", "tpot_met"),
    ("E2E", "e2e_met"),
    ("token gaps", "token_gaps_met"),
)


class ServerLatency(Canvas):
    """Seconds, never the middle of a bucket; then the share of requests within each limit, and within all of them."""

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self.server: ServerRow | None = None

    def needed_rows(self, width: int) -> int:
        """How many rows its server takes."""
        return len(self._lines(width))

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = self._lines(width)
        if self.server is not None and height < len(table := self._table(self.server, width)) + _SLO_LEAST:
            lines = table  # rather than a heading with nothing below
        lines += [Line(width, self.look) for _ in range(height - len(lines))]
        return lines[:height]

    def _lines(self, width: int) -> list[Line]:
        return [] if self.server is None else [*self._table(self.server, width), *self._slo(self.server, width)]

    def _table(self, server: ServerRow, width: int) -> list[Line]:
        heading, rule = Line(width, self.look), Line(width, self.look)
        heading.put(MARGIN, "LATENCY", bold=True)
        bucket = (width - 2 * MARGIN - _LABEL - _SAMPLES) // len(_QUANTILES)
        ends = [MARGIN + _LABEL + bucket * (number + 1) for number in range(len(_QUANTILES))]
        for name, end in zip(_QUANTILES, ends, strict=True):
            heading.put(end - bucket, name, "quiet", width=bucket, right=True)
        heading.put(width - MARGIN - _SAMPLES, "SAMPLES", "quiet", width=_SAMPLES, right=True)
        put_rule(rule)
        lines = [heading, rule]
        for name, field, of in latencies(server):
            line = Line(width, self.look)
            seconds = field in _IN_SECONDS or (of.p99.low or 0.0) >= 1
            short = "+prefill" if name == "TPOT+prefill" else f"{name} {'s' if seconds else 'ms'}"
            line.put(MARGIN, short, "quiet", width=_LABEL)
            for quantile, end in zip(_QUANTILES, ends, strict=True):
                path = FigurePath("server", f"{field}.{quantile}", server.entity)
                text = formats.interval(getattr(of, quantile), formats.edge if seconds else formats.edge_ms)
                line.put(end - bucket, text, width=bucket, right=True, of=path)
            samples = formats.count(of.p50.n or 0)
            line.put(width - MARGIN - _SAMPLES, samples, "quiet", width=_SAMPLES, right=True)
            lines.append(line)
        if len(lines) == 2:
            lines.append(Line(width, self.look))
            lines[-1].put(MARGIN, f"{glyphs.ABSENT} {server.ttft_s.p50.why or 'no request finished'}", "quiet")
        if server.per_token not in ("", "per request"):
            words = wrap(PER_TOKEN.get(server.per_token, server.per_token), width - 2 * MARGIN)
            lines += [self._text(row, width) for row in words]
        return lines

    def _slo(self, server: ServerRow, width: int) -> list[Line]:
        heading, rule = Line(width, self.look), Line(width, self.look)
        x = heading.put(MARGIN, "SLO", bold=True)
        heading.put(x + 1, server.slo or "none set", "quiet", width=width - MARGIN - x - 1)
        put_rule(rule)
        lines = [Line(width, self.look), heading, rule]
        if not server.slo:
            return lines
        verdict = server.slo_met.why or formats.verdict(server.slo_verdict, server.slo_target)
        role = "alarm" if server.slo_verdict == "missed" else "text"
        lines.append(self._bounds(server, "all limits", "slo_met", role, width))
        lines[-1].put(MARGIN + _NAME, verdict, role, width=width - 2 * MARGIN - _NAME - _UNIT - _SHARE)
        lines += [
            self._bounds(server, name, field, "text", width)
            for name, field in _LIMITS
            if getattr(server, field).low is not None
        ]
        lines.append(self._bounds(server, "goodput", "goodput_req_s", "text", width))
        return lines

    def _bounds(self, server: ServerRow, name: str, field: str, role: str, width: int) -> Line:
        """A share in per cent, or the goodput, at the right."""
        line = Line(width, self.look)
        between: Interval = getattr(server, field)
        rate = field == "goodput_req_s"
        text = formats.interval(between, formats.count if rate else formats.percent_tenths)
        x = width - MARGIN - _UNIT
        line.put(MARGIN, name, "quiet")
        path = FigurePath("server", field, server.entity)
        line.put(x - len(text), text, "faint" if between.low is None else role, of=path)
        line.put(x + 1, "req/s" if rate else "%", "quiet")
        return line

    def _text(self, text: str, width: int) -> Line:
        line = Line(width, self.look)
        line.put(MARGIN, text, "quiet")
        return line
