"""`tokwatch frontier`: what each deployment can do, how much of it is used, and its best windows, as a plain table."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from tokwatch.commands.settings import config_of, store_of
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.exports.hours import parse_range, utc
from tokwatch.feeds.history import History
from tokwatch.feeds.references import load_references, references_of
from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.capacity.operating_point import OperatingPoint
from tokwatch.ledger.capacity.references import Reference
from tokwatch.ledger.capacity.row import CapacityRow, PointRow
from tokwatch.ledger.capacity.rows import Past, capacity_rows
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.moment import Moment
from tokwatch.store.reader import Reader

_HEADINGS = ("", "WHEN", "TOK/S/USER", "OUT TOK/S/GPU", "ALL TOK/S/GPU", "OUT TOK/S/MW", "$/M OUT", "SLO MET", "BOX")


class _Answer(msgspec.Struct):
    """What --json prints."""

    at: str
    deployments: tuple[CapacityRow, ...]
    references: tuple[Reference, ...]


def run(options: argparse.Namespace) -> int:
    """A table a deployment; with --json one object."""
    references = load_references(options.references) if options.references else references_of(config_of(options))
    since_ms, until_ms = parse_range(options.since, options.until)
    at_ms, rows = _rows(store_of(options), since_ms, until_ms)
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(_Answer(utc(at_ms), rows, references)), indent=1).decode())
        return Exit.DONE
    if not rows:
        print(f"no deployment had a GPU at {utc(at_ms)}")
    for row in rows:
        print("\n".join((*_told(row), *_aligned(_table(row, references)), *_notes(row), "")))
    return Exit.DONE


def _rows(store: Path, since_ms: int | None, until_ms: int | None) -> tuple[int, tuple[CapacityRow, ...]]:
    """The deployments at the last tick, by then."""
    history = History(store)
    try:
        at_ms = history.last_tick(until_ms)
        if at_ms is None:
            raise CommandError(
                f"nothing is stored{f' before {utc(until_ms)}' if until_ms else ''}: run tokwatch record"
            )
        moment = Moment(history.view_at(at_ms))
        runs = [run.id for run in history.runs]
    finally:
        history.close()
    past = None if since_ms is None else _past(store, runs, since_ms, at_ms)
    return at_ms, capacity_rows(moment, Accounts(moment), past=past)


def _past(store: Path, runs: Sequence[int], from_ms: int, to_ms: int) -> Past:
    """Every stored window of each deployment in (from, to]."""
    past: dict[int, list[OperatingPoint]] = {}
    with Reader(store) as reader:
        for event in reader.events(from_ms, to_ms, kinds=["operating"], runs=runs):
            past.setdefault(event.entity, []).append(msgspec.json.decode(event.body, type=OperatingPoint))
    return past


# --- in words ---------------------------------------------------------------------------------------------------------


def _told(row: CapacityRow) -> Iterable[str]:
    """The lines above a deployment's table."""
    name = row.deployment or " + ".join(row.models) or f"deployment {row.entity}"
    mix = f"{row.mix} % of the computed tokens are prompt" if row.mix else "prompts are not counted"
    yield f"{name}   {row.gpus} GPU{'s' * (row.gpus != 1)}   {mix}"
    yield f"  capacity     {_capacity(row)}"
    yield f"  utilisation  {_figure(row.utilisation, '.0%')}"
    yield f"  headroom     {_figure(row.headroom_tok_s, ',.0f', ' tok/s')}"
    yield f"  load factor  {_figure(row.load_factor, '.0%', ' of its highest five minutes, last 24 h')}"
    yield f"  below best   {_figure(row.gap, '.0%', ' of the throughput seen at this interactivity')}"
    yield f"  box          {_box(row)}"


def _capacity(row: CapacityRow) -> str:
    per_gpu = _figure(row.capacity_tok_s_per_gpu, ",.0f", " computed tok/s per GPU")
    if row.capacity_source == "declared":
        return f"{per_gpu}, declared: {row.capacity_words}"
    return f"{per_gpu}, learnt in the five minutes to {utc(row.capacity_to_ms)}" if row.capacity_to_ms else per_gpu


def _box(row: CapacityRow) -> str:
    least, most = row.box.tok_s_per_user_at_least, row.box.usd_per_m_output_at_most
    limits = (
        None if least is None else f"at least {least:g} tok/s per user",
        None if most is None else f"at most {most:g} per M output tokens",
    )
    return ", ".join(limit for limit in limits if limit) or "not set: see [frontier] in the config"


def _figure(figure: Figure, form: str, unit: str = "") -> str:
    return f"– ({figure.why})" if figure.value is None else f"{figure.value:{form}}{unit}"


def _table(row: CapacityRow, references: Iterable[Reference]) -> Iterable[Sequence[str]]:
    yield _HEADINGS
    if row.now:
        yield _point("now", row.now)
    for point in sorted(row.frontier, key=lambda each: -(each.tok_s_per_user or 0)):
        yield _point("best" if row.best and point.to_ms == row.best.to_ms else "", point)
    for reference in references:
        yield (
            reference.name,
            reference.source,
            _number(reference.tok_s_per_user, ",.1f"),
            _number(reference.output_tok_s_per_gpu),
            _number(reference.total_tok_s_per_gpu),
            _number(reference.per_board_mw(reference.output_tok_s_per_gpu)),
            *("–", "–", ""),
        )


def _notes(row: CapacityRow) -> Iterable[str]:
    if any(point.per_token for point in (*row.frontier, *(() if row.now is None else (row.now,)))):
        yield "  * of the gaps between tokens, for want of times per request: long answers weigh more"


def _point(mark: str, point: PointRow) -> Sequence[str]:
    return (
        mark,
        utc(point.to_ms),
        _number(point.tok_s_per_user, ",.1f") + ("*" if point.per_token else ""),
        _number(point.output_tok_s_per_gpu),
        _number(point.total_tok_s_per_gpu),
        _number(point.output_tok_s_per_board_mw),
        _number(point.usd_per_m_output, ",.3f"),
        _number(point.slo_met_at_least, ".1%"),
        point.side,
    )


def _number(value: float | None, form: str = ",.0f") -> str:
    return "–" if value is None else f"{value:{form}}"


def _aligned(table: Iterable[Sequence[str]]) -> Iterable[str]:
    """Rows as lines: words to the left, figures to the right."""
    rows = list(table)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for cells in rows:
        placed = [
            cell.rjust(width) if 2 <= i < len(cells) - 1 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        yield ("  " + "  ".join(placed)).rstrip()
