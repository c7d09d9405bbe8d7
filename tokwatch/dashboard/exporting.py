"""Exporting: what of the moment on screen can be taken away as a file, as a command line each, and doing it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.long_work import Done, LongWork
from tokwatch.dashboard.time_travel import Severity
from tokwatch.ledger.local_time import zone_of
from tokwatch.ledger.snapshot import Snapshot

if TYPE_CHECKING:
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.screens.chooser import Chooser

_AROUND_MS: Final = 300_000
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_NAMES_TRIED: Final = 1000
_TOLD: Final = "tokwatch: "


@dataclass(frozen=True, slots=True)
class Taking:
    """One file that can be made: its letter, what it is, its name, and tokwatch's arguments for it."""

    key: str
    title: str
    file: str
    arguments: tuple[str, ...]
    writes_itself: bool = False  # the command is told the file's name; else its data are what it prints


def takings(snapshot: Snapshot, store: Path) -> tuple[Taking, ...]:
    """What can be made of the day, the month and the minutes around the moment on screen, in local time of its box."""
    zone = zone_of(snapshot.timezone)
    here = datetime.fromtimestamp(snapshot.tick_ms / 1000, zone)
    today, tomorrow = _day(here, 0), _day(here, 1)
    month = here.date().replace(day=1)
    next_month = (month + timedelta(days=31)).replace(day=1)
    everything = ("--simulated",) if snapshot.kind == "simulated" else ()
    stem = "-".join(part for part in ("tokwatch", _UNSAFE.sub("-", plain(snapshot.host)).strip("-")[:40]) if part)

    def hourly(by: str, since: str, until: str, *more: str) -> tuple[str, ...]:
        range_ = ("--since", since, "--until", until, "--tz", snapshot.timezone)
        return ("export", "hourly", "--by", by, *range_, *more, "--store", str(store), *everything)

    day = f"{here:%Y-%m-%d}"
    at_ms = snapshot.tick_ms
    return (
        Taking("d", f"{day} by GPU and hour (CSV)", f"{stem}-{day}-gpu.csv", hourly("gpu", today, tomorrow)),
        Taking("m", f"{day} by model and hour (CSV)", f"{stem}-{day}-model.csv", hourly("model", today, tomorrow)),
        Taking(
            "f",
            f"{here:%B %Y} for finance, by day (FOCUS 1.2, CSV)",
            f"{stem}-{month:%Y-%m}-focus.csv",
            hourly("focus", f"{month}", f"{next_month}", "--grain", "day"),
        ),
        Taking(
            "a",
            f"alerts of {day} (CSV)",
            f"{stem}-{day}-alerts.csv",
            (
                *("export", "alerts", "--since", _iso(_at(here, 0), zone), "--until", _iso(_at(here, 1), zone)),
                *("--store", str(store), *everything),
            ),
        ),
        Taking(
            "s",
            "ten minutes around this moment to hand on, without names",
            f"{stem}-{here:%Y-%m-%d-%H%M}.db",
            (
                *("sessions", "share", "--from", _iso_ms(at_ms - _AROUND_MS), "--to", _iso_ms(at_ms + _AROUND_MS)),
                *("--store", str(store)),
            ),
            writes_itself=True,
        ),
    )


def _at(here: datetime, days: int) -> datetime:
    return datetime(here.year, here.month, here.day) + timedelta(days=days)


def _day(here: datetime, days: int) -> str:
    return f"{_at(here, days):%Y-%m-%d}"


def _iso(local: datetime, zone: tzinfo) -> str:
    return local.replace(tzinfo=zone).isoformat()


def _iso_ms(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def export(app: TokwatchApp) -> None:
    """Asks what to take, and begins with it."""
    feed, snapshot = app.ready_feed(), app.frame.snapshot
    if feed is None or snapshot is None:
        return
    if app.work is not None:
        app.clear_notifications()
        app.say(f"Still {app.work.title}: X cancels it.")
        return

    def chosen(taking: Taking | None) -> None:
        if taking is not None:
            app.run_worker(_take(app, taking), name="long work", exit_on_error=False)

    app.push_screen(chooser(takings(snapshot, feed.store), folder()), chosen)


def chooser(takings: tuple[Taking, ...], folder: Path) -> Chooser[Taking]:
    """Which file to make."""
    from tokwatch.dashboard.screens.chooser import Chooser, Option

    options = [Option(taking.key, taking, taking.title) for taking in takings]
    return Chooser("EXPORT", options, "it is made beside the screen, which goes on", note=f"into {plain(str(folder))}")


def folder() -> Path:
    """Where files go: the working directory, the home where that cannot be written."""
    here = Path.cwd()
    return here if os.access(here, os.W_OK) else Path.home()


def free_name(folder: Path, name: str) -> Path:
    """`name` in the folder, with a number behind it where there is one already. Raises FileExistsError."""
    for candidate in _numbered(name):
        path = folder / candidate
        if not os.path.lexists(path):
            return path
    raise FileExistsError(f"{folder} holds {_NAMES_TRIED} files called {name} already")


def _numbered(name: str) -> Iterator[str]:
    stem, dot, ending = name.rpartition(".")
    yield name
    for number in range(2, _NAMES_TRIED):
        yield f"{stem}-{number}{dot}{ending}"


async def _take(app: TokwatchApp, taking: Taking) -> None:
    work = LongWork(f"making {taking.file}", app.show_work)
    app.long_work = work
    try:
        path = free_name(folder(), taking.file)
        if taking.writes_itself:
            done = await work.run((*taking.arguments, "--out", str(path)))
        else:
            done = await work.run(taking.arguments, path)
    except OSError as error:
        app.say(f"{taking.file} was not written: {error.strerror or plain(str(error))}", severity="error")
    else:
        app.say(*told(path, done))
    finally:
        app.long_work = None
        app.show_work(None)


def told(path: Path, done: Done) -> tuple[str, Severity]:
    """How it went, in words, and how serious that is."""
    words, name = [plain(line.removeprefix(_TOLD)) for line in done.said], plain(path.name)
    if done.cancelled:
        return f"Cancelled: {name} was not written.", "warning"
    if done.code != 0:
        return f"{name} was not written: {words[-1] if words else f'exit code {done.code}'}", "error"
    return " ".join([f"Written: {plain(str(path))}", *words]), "information"
