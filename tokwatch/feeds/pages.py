"""A directory of captured pages as a session of the store."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from statistics import median

from msgspec.structs import replace

from collectors.capture import capture_readings, captured_server, content_digest, read_capture
from collectors.labels import clean_label
from tokwatch import __version__
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.bookkeeper import Bookkeeper, Instant, Sightings
from tokwatch.ledger.entries import Run, TickRecord
from tokwatch.ledger.states import Thresholds
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import sessions
from tokwatch.store.writer import Writer

_NS_PER_MS = 1_000_000
_SPACING_PAGES = 33  # the first ones tell how often pages were taken


class PagesError(Exception):
    """The directory cannot be imported; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import added to the store; nothing when its content was there already."""

    imported: bool
    sessions: tuple[str, ...]  # ids; more than one where the capture runs over midnight UTC
    ticks: int
    prompt_tokens: int | None  # cached ones included; None: not counted
    output_tokens: int | None
    problems: tuple[str, ...]  # one for each page that could not be read


def import_pages(
    directory: Path,
    writer: Writer,
    *,
    store: Path,
    host: str = "imported",
    on_page: Callable[[int], None] | None = None,
) -> ImportResult:
    """Import `<unix-ms>.prom` files as one run of kind "imported" in UTC; the server is named after the directory.

    `store` is the file that `writer` has open. A page that cannot be read is a tick at which nothing is known, and is
    told in the result. `on_page` gets the number of pages so far, in the writer's thread.
    Raises PagesError for a directory without a readable page, StoreError where the store cannot be written.
    """
    try:
        os.scandir(directory).close()  # a glob takes a directory that may not be read for an empty one
        pages = _Pages(directory, clean_label(host), store, on_page)
        begun = replace(pages.run, started_ms=time.time_ns() // _NS_PER_MS)  # how long it is kept counts from now
        imported = writer.write_import(begun, pages.records())
    except OSError as error:
        raise PagesError(f"cannot read {error.filename or directory}: {error.strerror or error}") from error
    except ValueError as error:
        raise PagesError(f"cannot import {directory}: {error}") from error
    return ImportResult(
        imported=imported,
        sessions=_sessions(store, pages.run.source),
        ticks=pages.ticks,
        prompt_tokens=pages.prompt_tokens,
        output_tokens=pages.output_tokens,
        problems=tuple(pages.problems),
    )


class _Pages:
    """A capture as a run, and what was seen of it while its records went by."""

    def __init__(self, directory: Path, host: str, store: Path, on_page: Callable[[int], None] | None) -> None:
        self._directory = directory
        self._store = store
        self._on_page = on_page
        self._server = captured_server(directory)
        self._first_ms = [sent_ms for sent_ms, _ in islice(read_capture(directory), _SPACING_PAGES)]
        self.run = Run(
            id=0,
            kind="imported",
            host=host,
            boot_id="",
            version=__version__,
            timezone="UTC",
            started_ms=self._first_ms[0],
            source=content_digest(directory),
        )
        self.ticks = 0
        self.prompt_tokens: int | None = None
        self.output_tokens: int | None = None
        self.problems: list[str] = []

    def records(self) -> Iterator[TickRecord]:
        """One record a page. Raises ValueError at the end when no page could be read, so that nothing is kept."""
        # Consumed inside the import's transaction: nobody can add an entity between this and the last record.
        with Reader(self._store) as reader:
            known = reader.entities()
        settings = SettingsBody(interval_s=_spacing_s(self._first_ms))
        bookkeeper = Bookkeeper(self.run, settings=settings, thresholds=Thresholds(), known=known)
        for reading in capture_readings(self._directory, self._server):
            if not reading.ok:
                self.problems.append(reading.problem)
            seen = Sightings(servers=(reading,), known_servers=(self._server,))
            record = bookkeeper.turn(Instant(reading.at_ns // _NS_PER_MS, reading.at_ns), seen)
            self._count(record)
            yield record
        if len(self.problems) == self.ticks:
            raise ValueError(f"none of its {self.ticks} pages can be read; the first: {self.problems[0]}")

    def _count(self, record: TickRecord) -> None:
        self.ticks += 1
        for flow in record.flows:
            if flow.prompt_tokens is not None:
                self.prompt_tokens = (self.prompt_tokens or 0) + flow.prompt_tokens
            if flow.output_tokens is not None:
                self.output_tokens = (self.output_tokens or 0) + flow.output_tokens
        if self._on_page is not None:
            self._on_page(self.ticks)


def _spacing_s(times_ms: list[int]) -> float:
    """How often pages were taken: a silence of three times that is a gap."""
    gaps_ms = [later - earlier for earlier, later in pairwise(times_ms)]
    return median(gaps_ms) / 1000 if gaps_ms else SettingsBody().interval_s


def _sessions(store: Path, source: str) -> tuple[str, ...]:
    """The sessions of the run with that content."""
    with Reader(store) as reader:
        runs = {run.id for run in reader.runs() if run.source == source}
        return tuple(session.id for session in sessions(reader) if runs & set(session.runs))
