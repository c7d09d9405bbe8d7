"""`tokwatch once` of many hosts: one FleetSnapshot as JSON, or as a plain table."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from collectors.labels import clean_label
from tokwatch.commands.fleet_source import book_of, source_of
from tokwatch.commands.settings import config_of
from tokwatch.errors import UsageError
from tokwatch.exits import Exit
from tokwatch.exports.table import columns
from tokwatch.feeds.fleet import FleetSource
from tokwatch.ledger.entries import State
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, HostRow, ModelRow, canonical_json
from tokwatch.ledger.fleet.tally import FleetTally
from tokwatch.ledger.marks import signs

_ABSENT: Final = "–"


def run(options: argparse.Namespace) -> int:
    """Print the fleet as it is now. PARTIAL: a host does not answer, or a part of the answer is missing."""
    if options.fail_if:
        raise UsageError("--fail-if: its figures are one host's: name it with --host")
    config = config_of(options)
    tally = asyncio.run(_asked(source_of(options, config), options.for_s))
    current = fleet_snapshot(tally, book_of(options, config))
    print(canonical_json(current).decode() if options.json else fleet_table(current), end="\n" if options.json else "")
    if not current.hosts:
        return Exit.NOTHING_FOUND
    return Exit.PARTIAL if is_partial(current) else Exit.DONE


def is_partial(current: FleetSnapshot) -> bool:
    """Whether the source warned of what it left out, or a host is silent."""
    return bool(current.warnings or current.problems) or any(not row.up or row.problem for row in current.hosts)


async def _asked(source: FleetSource, for_s: float) -> FleetTally:
    """Asked again after `for_s` where one look at counters says nothing: boxes that were just begun to be watched."""
    from tokwatch.feeds.fleet.ssh import SshSource

    try:
        if isinstance(source, SshSource):
            return await source.settled(for_s)
        tally = await source.now()
        if not any(host.length_ms for host in tally.hosts):
            await asyncio.sleep(for_s)
            tally = await source.now()
        return tally
    finally:
        await source.close()


# --- as a table -------------------------------------------------------------------------------------------------------


def fleet_table(current: FleetSnapshot) -> str:
    """Totals, models and hosts; then what is wrong. Ends in a newline. No escape codes, ever."""
    blocks = [[_heading(current)], _totals(current)]
    if current.models:
        blocks.append(_models(current))
    if current.hosts:
        blocks.append(_hosts(current))
    problems = [f"{row.label}: {row.problem}" for row in current.hosts if row.problem]
    unsure = [note for note in current.notes if not note.ok]
    told = [f"{note.name}: {note.found}{'; ' if note.hint else ''}{note.hint}" for note in unsure]
    if wrong := [*current.problems, *current.warnings, *current.notices, *problems, *told]:
        blocks.append(["PROBLEMS", *wrong])
    # Cleaned last, so that no text of a snapshot gets by.
    return "\n\n".join("\n".join(clean_label(line, 4096) for line in block) for block in blocks) + "\n"


def _heading(current: FleetSnapshot) -> str:
    at = datetime.fromtimestamp(current.at_ms / 1000, UTC)
    kind = "SIMULATED" if current.simulated else ""
    hosts = f"{len(current.hosts)} host{'' if len(current.hosts) == 1 else 's'}"
    parts = ("tokwatch", current.source, hosts, f"{at:%Y-%m-%d %H:%M:%S} UTC", kind)
    return "  ".join(part for part in parts if part)


def _totals(current: FleetSnapshot) -> list[str]:
    total, money = current.total, current.currency
    rows = [
        ("output tok/s", _told(total.tok_s, _number)),
        ("tok/s/W", _told(total.tok_per_j, _ratio)),
        ("power W", _told(total.power_w, _number)),
        (f"{money}/M output", _told(total.usd_per_m_output, _ratio)),
        (f"idle {money}/h", f"{_told(total.idle_usd_per_hour, _ratio)}  ({total.gpus_idle} of {total.gpus} GPUs)"),
        ("price", current.price or f"{_ABSENT} (no price set)"),
    ]
    if total.hosts_down:
        rows.append(("silent", f"{total.hosts_down} of {total.hosts} hosts"))
    return columns(rows)


def _models(current: FleetSnapshot) -> list[str]:
    money = f"{current.currency}/M OUT"
    header = ("MODEL", "ENGINE", "HOSTS", "GPUS", "TOK/S", "TOK/S/W", money, "RUN", "WAIT", "TTFT95 s")
    return columns([header, *(_model(row) for row in current.models)], numbers_from=2)


def _model(row: ModelRow) -> tuple[str, ...]:
    p95 = row.ttft_s.p95
    between = _ABSENT if p95.low is None else f"> {p95.low:g}" if p95.high is None else f"{p95.low:g}–{p95.high:g}"
    return (
        row.model.rstrip("/").rsplit("/", 1)[-1],
        ", ".join(row.engines),
        str(row.hosts),
        _short(row.gpus, _number),
        _short(row.tok_s, _number),
        _short(row.tok_per_j, _ratio),
        _short(row.usd_per_m_output, _ratio),
        _whole(row.running),
        _whole(row.waiting),
        between,
    )


def _hosts(current: FleetSnapshot) -> list[str]:
    header = ("HOST", "STATE", "HARDWARE", "MODELS", "IDLE", "TOK/S", "TOK/S/W", "W", f"{current.currency}/H", "AGE s")
    return columns([header, *(_host(row) for row in current.hosts)], numbers_from=4)


def _host(row: HostRow) -> tuple[str, ...]:
    state = State(row.state).name.lower().replace("_", " ")
    return (
        row.label,
        state if row.up else "silent",
        row.hardware or _ABSENT,
        _names(row.models),
        str(row.gpus_idle) if row.up else _ABSENT,
        _short(row.tok_s, _number),
        _short(row.tok_per_j, _ratio),
        _short(row.power_w, _number),
        _short(row.usd_per_hour, _ratio),
        f"{row.age_s:.0f}",
    )


def _names(models: Sequence[str]) -> str:
    return ", ".join(model.rstrip("/").rsplit("/", 1)[-1] for model in models) or _ABSENT


def _told(figure: Figure, write: Callable[[float], str]) -> str:
    """A figure with the reason where there is none."""
    why = f" ({figure.why})" if figure.value is None and figure.why else ""
    return _short(figure, write) + why


def _short(figure: Figure, write: Callable[[float], str]) -> str:
    if figure.infinite:
        return "∞"
    if figure.value is None:
        return _ABSENT
    return ("few " if "few" in figure.marks else "") + signs(figure.marks) + write(figure.value)


def _number(value: float) -> str:
    return f"{value:.1f}" if 0 < abs(value) < 9.95 else f"{value:.0f}"


def _ratio(value: float) -> str:
    return f"{value:.3f}" if 0 < abs(value) < 0.0995 else f"{value:.2f}"


def _whole(count: int | None) -> str:
    return _ABSENT if count is None else str(count)
