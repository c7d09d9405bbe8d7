"""Server charts: the last hour of one server, as the charts that show it."""

from __future__ import annotations

from tokwatch.dashboard import formats
from tokwatch.dashboard.charts.time_series import TimeSeries
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.server_trail import ServerTrail
from tokwatch.ledger.snapshot import ServerRow

NOT_STORED = "not measured in this hour"


def output_chart(server: ServerRow, trail: ServerTrail, utc_offset_s: int, *, times: bool, end: str) -> TimeSeries:
    """Output tokens a second."""
    return TimeSeries(
        title="OUTPUT",
        unit="tok/s",
        now=formats.figure(server.tok_s, formats.count),
        from_ms=trail.from_ms,
        step_ms=trail.step_ms,
        values=trail.tok_s,
        roles=("work_past",) * len(trail.tok_s),
        write=formats.count,
        utc_offset_s=utc_offset_s,
        times=times,
        end=end,
        now_of=FigurePath("server", "tok_s", server.entity),
        nothing=NOT_STORED,
    )


def requests_chart(server: ServerRow, trail: ServerTrail, utc_offset_s: int, *, times: bool, end: str) -> TimeSeries:
    """Requests at the server, running and waiting together; where some waited in the mean it shouts."""
    both = tuple(
        None if running is None and waiting is None else (running or 0.0) + (waiting or 0.0)
        for running, waiting in zip(trail.running, trail.waiting, strict=True)
    )
    return TimeSeries(
        title="REQUESTS",
        unit="",
        now=formats.figure(Figure(server.running), formats.count),
        now_unit=f"+ {formats.figure(Figure(server.waiting), formats.count)} waiting",
        from_ms=trail.from_ms,
        step_ms=trail.step_ms,
        values=both,
        roles=tuple("alarm" if waited is not None and waited >= 1 else "s2" for waited in trail.waiting),
        write=formats.count,
        utc_offset_s=utc_offset_s,
        times=times,
        end=end,
        now_of=FigurePath("server", "running", server.entity),
        nothing=NOT_STORED,
    )


def cache_chart(server: ServerRow, trail: ServerTrail, utc_offset_s: int, *, times: bool, end: str) -> TimeSeries:
    """How full the KV cache is."""
    return TimeSeries(
        title="KV CACHE",
        unit="%",
        now=formats.figure(server.kv_usage, formats.percent),
        from_ms=trail.from_ms,
        step_ms=trail.step_ms,
        values=tuple(None if used is None else used * 100 for used in trail.kv_usage),
        roles=("s2",) * len(trail.kv_usage),
        write=formats.count,
        utc_offset_s=utc_offset_s,
        limit=100.0,
        times=times,
        end=end,
        now_of=FigurePath("server", "kv_usage", server.entity),
        nothing=NOT_STORED,
    )


CHARTS = (output_chart, requests_chart, cache_chart)
