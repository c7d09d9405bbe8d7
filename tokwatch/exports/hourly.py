"""`export hourly`: the hours of a store as a table, read a week at a time."""

from __future__ import annotations

import sqlite3
from itertools import chain
from pathlib import Path
from typing import Literal, TextIO

import msgspec

from tokwatch.exports.background import Background
from tokwatch.exports.gpu_hour import GpuHour, gpu_hours
from tokwatch.exports.model_hour import ModelHour
from tokwatch.exports.model_hours import model_hours
from tokwatch.exports.names import Names
from tokwatch.exports.presence import Presence
from tokwatch.exports.selection import Selection, select, stretches
from tokwatch.exports.write import Format, write_rows
from tokwatch.feeds.history import read_book
from tokwatch.store.errors import StoreError
from tokwatch.store.reader import Reader


def export_hourly(
    store: Path,
    *,
    by: Literal["gpu", "model"],
    format: Format,
    since_ms: int | None = None,
    until_ms: int | None = None,
    session: str | None = None,
    out: TextIO,
) -> int:
    """Write `gpu_hour` or `model_hour` rows, oldest first, and say how many.

    since_ms and until_ms (Unix) are widened to whole hours; without them it is everything in the store.
    Raises StoreError where the store cannot be read, ExportError where the selection makes no sense.
    """
    try:
        with Reader(store) as reader:
            selection = select(reader, since_ms=since_ms, until_ms=until_ms, session=session)
            background = background_of(reader, selection)
            found = stretches(reader, selection, traffic=by == "model") if selection else iter(())
            if by == "gpu":
                gpus = chain.from_iterable(gpu_hours(quarters, background, hours) for quarters, hours in found)
                return write_rows(gpus, GpuHour, format, out)
            models = chain.from_iterable(model_hours(quarters, background, hours) for quarters, hours in found)
            return write_rows(models, ModelHour, format, out)
    except (sqlite3.Error, msgspec.DecodeError) as error:
        raise StoreError(f"cannot read the store {store}: {error}; check it with `tokwatch doctor --store`") from error


def background_of(reader: Reader, selection: Selection | None = None) -> Background:
    """Names, prices, settings and kinds of runs, of the whole store; when GPUs were there, of the selection."""
    told = reader.events(0, reader.last_tick() or 0, ["facts", "settings"])
    runs = reader.runs()
    chosen, within = (selection.runs, (selection.from_ms, selection.to_ms)) if selection else (None, None)
    return Background(
        names=Names(reader.entities(), [event for event in told if event.kind == "facts"]),
        book=read_book(reader),
        state_ms=reader.state_ms,
        simulated=frozenset(run.id for run in runs if run.kind == "simulated"),
        presence=Presence(reader.seen(chosen), runs, within),
        settings=tuple(event for event in told if event.kind == "settings"),
    )
