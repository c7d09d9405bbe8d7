"""One Snapshot as plain text: for `once`, for pipes and for terminals that can do nothing. No escape codes, ever."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from collectors.labels import clean_label
from tokwatch.indices import indices
from tokwatch.ledger.marks import MARKS, SCOPES, signs
from tokwatch.ledger.snapshot import AlertRow, Figure, GpuRow, Interval, ServerRow, Snapshot

_ABSENT, _INFINITE = "–", "∞"
_USUAL_KIND = ("", "per request")
_MARKED = (
    *("tok_s", "tok_per_j", "usd_per_m_output", "usd_per_m_all", "idle_usd_per_hour", "idle_usd_today"),
    *("power_w", "memory_used_gib", "temperature_c", "prompt_tok_s", "unplaced_tok_s"),
)  # the figures of the tables
_WIDEST_NAME = 18  # cells of a model, server or GPU name


def plain_table(snapshot: Snapshot, width: int = 100) -> str:
    """Headline figures, GPUs, alerts and servers, each line at most `width` cells; ends in a newline.

    Where neither a GPU nor a server was found: what was looked for, and what to try.
    """
    blocks = [_heading(snapshot), _headline(snapshot)]
    if snapshot.gpus:
        blocks.append(_gpus(snapshot))
    if snapshot.alerts:
        blocks.append(["ALERTS", *(_alert(alert, snapshot) for alert in snapshot.alerts)])
    if snapshot.servers:
        blocks.append(_servers(snapshot))
    if snapshot.nothing_found:
        blocks.append(_probes(snapshot))
    if legend := _legend(snapshot):
        blocks.append(legend)
    if snapshot.problems:
        blocks.append(["PROBLEMS", *snapshot.problems])
    # Cleaned last, so that no text of a Snapshot gets by.
    return "\n\n".join("\n".join(_clip(clean_label(line, 4096), width) for line in block) for block in blocks) + "\n"


def _heading(snapshot: Snapshot) -> list[str]:
    local = datetime.fromtimestamp(snapshot.wall_ms / 1000, UTC) + timedelta(seconds=snapshot.utc_offset_s)
    engines = ", ".join(f"{engine} ×{count}" for engine, count in snapshot.engines)
    parts = ("tokwatch", snapshot.host, snapshot.hardware, engines, f"{local:%Y-%m-%d %H:%M:%S}")
    kind = "" if snapshot.kind == "recorded" else snapshot.kind.upper()
    return ["  ".join(part for part in (*parts, kind) if part)]


def _headline(snapshot: Snapshot) -> list[str]:
    totals, currency = snapshot.totals, snapshot.currency
    devices = snapshot.device if totals.gpus == 1 else f"{snapshot.device}s"
    idle = f"  ({totals.gpus_idle} of {totals.gpus} {devices})" if totals.gpus else ""
    lines = [
        ("output tok/s", _told(totals.tok_s, _number)),
        ("tok/s/W", _told(totals.tok_per_j, _ratio)),
        (f"{currency}/M output", _told(totals.usd_per_m_output, _ratio)),
        (f"{currency}/M all", _told(totals.usd_per_m_all, _ratio)),
        (f"idle {currency}/h", _told(totals.idle_usd_per_hour, _ratio) + idle),
        (f"idle {currency} today", _told(totals.idle_usd_today, _ratio)),
        ("price", snapshot.price or f"{_ABSENT} (no price set)"),
    ]
    return columns(lines)


def _gpus(snapshot: Snapshot) -> list[str]:
    money = snapshot.currency
    scope = SCOPES.get(snapshot.power_scope)
    watts = scope.sign if scope else "W"
    header = (
        snapshot.device.upper(),
        "STATE",
        "FOR",
        "SERVES",
        "TOK/S",
        "TOK/S/W",
        f"{money}/M OUT",
        f"IDLE {money}",
        watts,
        "GiB",
        "°C",
    )
    rows = [_gpu(row, snapshot.tick_ms) for row in snapshot.gpus]
    faults = [f"{row.label}: {warning.text}" for row in snapshot.gpus for warning in row.warnings]
    if snapshot.totals.unplaced:
        rows.append(_unplaced(snapshot))
    return columns([header, *rows], numbers_from=4) + faults


def _unplaced(snapshot: Snapshot) -> tuple[str, ...]:
    """What the rows of the GPUs leave out of the total."""
    totals = snapshot.totals
    names = " + ".join(totals.unplaced)
    tok_s = _short(totals.unplaced_tok_s, _number)
    return ("", f"on no {snapshot.device}", "", names, tok_s, *("",) * 6)


def _gpu(row: GpuRow, now_ms: int) -> tuple[str, ...]:
    return (
        row.label,
        row.state,
        duration(now_ms - row.since_ms),
        row.serves or _ABSENT,
        _short(row.tok_s, _number),
        _short(row.tok_per_j, _ratio),
        _short(row.usd_per_m_output, _ratio),
        _short(row.idle_usd_today, _ratio),
        _short(row.power_w, _number),
        _short(row.memory_used_gib, _number),
        _short(row.temperature_c, _number),
    )


def _alert(alert: AlertRow, snapshot: Snapshot) -> str:
    gpus = f"{snapshot.device.lower()} {indices(alert.gpus)}" if alert.gpus else ""
    per_day = f"{_ratio(alert.usd_per_day.value)} {snapshot.currency}/day" if alert.usd_per_day.value else ""
    lasted = duration(snapshot.tick_ms - alert.since_ms)
    words = (alert.status, alert.state or alert.key, gpus, lasted, alert.text, per_day, *alert.marks)
    return "  ".join(part for part in words if part)


def _servers(snapshot: Snapshot) -> list[str]:
    header = ("SERVER", "ENGINE", "MODEL", "GPUS", "TOK/S", "PROMPT/S", "RUN", "WAIT", "TTFT95 s", "TPOT95 s")
    lines = columns([header, *(_server(row) for row in snapshot.servers)], numbers_from=4)
    problems = [f"{row.address}: {row.problem}" for row in snapshot.servers if row.problem]
    others = [f"{row.address}: of another user, not in the money" for row in snapshot.servers if not row.verified]
    kinds = [
        f"{row.address}: its TPOT95 is {row.per_token}" for row in snapshot.servers if row.per_token not in _USUAL_KIND
    ]
    return lines + problems + others + kinds


def _server(row: ServerRow) -> tuple[str, ...]:
    return (
        row.address,
        row.engine,
        row.model.rstrip("/").rsplit("/", 1)[-1] or _ABSENT,
        indices(row.gpus) or _ABSENT,
        _short(row.tok_s, _number),
        _short(row.prompt_tok_s, _number),
        _ABSENT if row.running is None else str(row.running),
        _ABSENT if row.waiting is None else str(row.waiting),
        _bucket(row.ttft_p95_s),
        _bucket(_time_per_token(row)),
    )


def _time_per_token(row: ServerRow) -> Interval:
    """The p95 of the kind that the server tells; `row.per_token` says which."""
    told = (row.tpot_p95_s, row.itl_s.p95, row.token_time_s.p95)
    return next((interval for interval in told if interval.low is not None), row.tpot_p95_s)


def _legend(snapshot: Snapshot) -> list[str]:
    """What the marks of the figures above mean."""
    rows = (snapshot.totals, *snapshot.gpus, *snapshot.servers)
    figures = (figure for row in rows for name in _MARKED if isinstance(figure := getattr(row, name, None), Figure))
    borne = {mark for figure in figures if figure.value is not None for mark in figure.marks}
    return [f"{mark.sign}  {mark.meaning}" for name, mark in MARKS.items() if name in borne]


def _probes(snapshot: Snapshot) -> list[str]:
    lines = ["Nothing to watch was found. What was looked for:"]
    for probe in snapshot.probes:
        lines.append(f"  {'ok' if probe.ok else 'no'}  {probe.name}: {probe.found}")
        if probe.hint:
            lines.append(f"      try: {probe.hint}")
    return lines


def _told(figure: Figure, write: Callable[[float], str]) -> str:
    """A figure with the reason where there is none."""
    why = f" ({figure.why})" if figure.value is None and figure.why else ""
    return _short(figure, write) + why


def _short(figure: Figure, write: Callable[[float], str]) -> str:
    if figure.infinite:
        return _INFINITE
    if figure.value is None:
        return _ABSENT
    return ("few " if "few" in figure.marks else "") + signs(figure.marks) + write(figure.value)


def _bucket(interval: Interval) -> str:
    """Both edges of the bucket: the truth lies between them."""
    if interval.low is None:
        return _ABSENT
    return f"> {interval.low:g}" if interval.high is None else f"{interval.low:g}–{interval.high:g}"


def _number(value: float) -> str:
    return f"{value:.1f}" if 0 < abs(value) < 9.95 else f"{value:.0f}"


def _ratio(value: float) -> str:
    return f"{value:.3f}" if 0 < abs(value) < 0.0995 else f"{value:.2f}"


def duration(length_ms: int) -> str:
    minutes, seconds = divmod(max(0, length_ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m" if minutes else f"{seconds}s"


def columns(rows: Sequence[Sequence[str]], numbers_from: int | None = None) -> list[str]:
    """Cells side by side, two apart; from column `numbers_from` on they stand to the right."""
    cleaned = [[clean_label(cell) for cell in row] for row in rows]
    if numbers_from is not None:
        cleaned = [[_clip(cell, _WIDEST_NAME) for cell in row] for row in cleaned]
    widths = [max(map(_cells, column)) for column in zip(*cleaned, strict=True)]

    def line(row: Iterable[str]) -> str:
        padded = []
        for place, (cell, cells) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (cells - _cells(cell))
            padded.append(gap + cell if numbers_from is not None and place >= numbers_from else cell + gap)
        return "  ".join(padded).rstrip()

    return [line(row) for row in cleaned]


def _cells(text: str) -> int:
    """How many cells a terminal gives to a text."""
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _clip(text: str, width: int) -> str:
    """At most `width` cells; a longer text ends in "…"."""
    if _cells(text) <= width:
        return text
    kept, room = "", width - 1
    for character in text:
        room -= _cells_of(character)
        if room < 0:
            break
        kept += character
    return kept + "…"
