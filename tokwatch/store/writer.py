"""The one thread that writes the store. Nobody waits for the disk: records queue, and stay queued while it is full."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from tokwatch.ledger.entries import Run, TickRecord
from tokwatch.store.connection import close_writing, open_for_writing
from tokwatch.store.errors import StoreError
from tokwatch.store.merging import merged
from tokwatch.store.recording import Opened, Recording
from tokwatch.store.retention import Retention
from tokwatch.store.rows import PriceVersion
from tokwatch.store.validation import check_record

BACKLOG_RECORDS: Final = 3600  # an hour of ticks waits for a full disk to be cleared

T = TypeVar("T")


class Writer:
    """Writes ticks in the order they are submitted, one transaction each.

    `open`, `begin_run`, `write_import`, `add_price` and `close` wait for the thread (call them off the event loop);
    `submit` never does.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_commit: Callable[[int], None] | None = None,
        max_page_count: int | None = None,
        retention: Retention | None = None,
    ) -> None:
        """`on_commit(tick_ms)` is called in the writer's thread once the tick is in the file."""
        self._path = path
        self._on_commit = on_commit
        self._retention = retention
        self._max_page_count = max_page_count
        self._wake = threading.Condition()
        self._backlog: deque[TickRecord] = deque()
        self._calls: deque[tuple[Callable[[Recording], Any], Future[Any]]] = deque()
        self._try_now = self._closed = False
        self._last_tick_ms: int | None = None
        self._run: int | None = None
        self._problem: str | None = None
        self._cut_to_ms: int | None = None
        self._dropped = self._merged = 0
        self._thread: threading.Thread | None = None

    @property
    def problem(self) -> str | None:
        """What keeps records from the disk, in words; None while all is well."""
        if self._problem is None:
            return None
        counts = [
            f"{count} {what}"
            for count, what in ((self._dropped, "lost"), (self._merged, "merged into later ones"))
            if count
        ]
        return f"{self._problem} ({', '.join(counts)} so far)" if counts else self._problem

    @property
    def dropped(self) -> int:
        """Ticks lost since the start: the store refused them."""
        return self._dropped

    @property
    def merged(self) -> int:
        """Ticks since the start that became one with the next, since the backlog was full: no increment is lost."""
        return self._merged

    @property
    def notice(self) -> str | None:
        """What the user should know of the store though it is written well; None: nothing."""
        if self._cut_to_ms is None:
            return None
        begins = datetime.fromtimestamp(self._cut_to_ms / 1000, UTC)
        return f"the store is as large as [retention] size_gb allows: ticks begin at {begins:%Y-%m-%d %H:%M} UTC now"

    def open(self) -> Opened:
        """Create or migrate the store, finish what a killed recorder left, and start the thread.

        Raises StoreError where the store cannot be written.
        """
        if self._thread is not None:
            raise RuntimeError("the writer is open already")
        opened: Future[Opened] = Future()
        # A daemon: a disk that hangs must not keep the process from ending. `close` is what flushes.
        self._thread = threading.Thread(target=self._work, args=(opened,), name="tokwatch-store", daemon=True)
        self._thread.start()
        result = opened.result()
        self._last_tick_ms = result.last_tick_ms
        return result

    def begin_run(self, run: Run) -> Run:
        """Record that a run begins; its id is given here (that of the argument is not looked at)."""
        begun = self._call(lambda recording: recording.begin_run(run))
        self._run = begun.id
        return begun

    def write_import(self, run: Run, records: Iterable[TickRecord]) -> bool:
        """A whole import in one transaction; False if its content (`run.source`) is in the store already.

        Raises ValueError for records that do not fit the store; nothing of the import is kept then.
        """
        return self._call(lambda recording: recording.write_import(run, records))

    def add_price(self, price: PriceVersion) -> PriceVersion:
        """Add a version of the price book; its id is given here."""
        return self._call(lambda recording: recording.add_price(price))

    def limit_pages(self, max_page_count: int) -> None:
        """Let the file grow to this many pages of 4096 bytes and no further."""
        self._call(lambda recording: recording.limit_pages(max_page_count))

    def submit(self, record: TickRecord) -> None:
        """Queue one tick. Raises ValueError for a record that does not fit the store, StoreError when closed."""
        check_record(record, self._last_tick_ms)
        with self._wake:
            self._refuse_when_closed()
            self._backlog.append(record)
            self._drop_overflow()
            self._last_tick_ms = record.tick.tick_ms
            self._try_now = True
            self._wake.notify()

    def close(self, timeout_s: float) -> bool:
        """Write what is queued, keep the counters of the run's end, close the file. True: all of it is on the disk."""
        if self._thread is None:
            return True
        with self._wake:
            self._closed = self._try_now = True
            self._wake.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self._backlog and self._problem is None

    def _call(self, work: Callable[[Recording], T]) -> T:
        """Run `work` in the thread and wait. Raises StoreError where SQLite failed."""
        answer: Future[T] = Future()
        with self._wake:
            self._refuse_when_closed()
            self._calls.append((work, answer))
            self._try_now = True
            self._wake.notify()
        return answer.result()

    def _refuse_when_closed(self) -> None:
        if self._thread is None or self._closed:
            raise StoreError(self._problem or f"the store {self._path} is not open")

    # --- the writer's thread --------------------------------------------------------------------------------------

    def _work(self, opened: Future[Opened]) -> None:
        connection: sqlite3.Connection | None = None
        try:
            connection = open_for_writing(self._path)
            recording = Recording(connection, self._retention)
            if self._max_page_count is not None:
                recording.limit_pages(self._max_page_count)
            self._settle(opened, recording.recover)
            if opened.exception() is None:
                self._serve(recording)
        except BaseException as error:
            if opened.done():
                self._problem = f"the writer of {self._path} stopped: {error!r}"
                raise
            opened.set_exception(error)
        finally:
            if connection is not None:
                close_writing(connection)
            with self._wake:
                self._closed = True
                for _, answer in self._calls:
                    answer.set_exception(StoreError(self._problem or f"the store {self._path} is not open"))

    def _serve(self, recording: Recording) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._try_now)
                self._try_now = False
                last_turn = self._closed  # nothing is queued after this
            while self._calls:
                work, answer = self._calls.popleft()
                self._drain(recording)  # what was submitted before the call comes before it
                self._settle(answer, partial(work, recording))
            self._drain(recording)
            if last_turn:
                self._end(recording)
                return

    def _drain(self, recording: Recording) -> None:
        """Write the backlog, oldest first; stop at the first failure and leave the rest for the next submit."""
        while self._backlog:
            with self._wake:
                record = self._backlog.popleft()
            tick_ms = record.tick.tick_ms
            try:
                recording.write(record)
            except (sqlite3.IntegrityError, ValueError, OverflowError) as error:
                # This record will never fit; the next one may.
                self._dropped += 1
                self._problem = f"the store {self._path} refused tick {tick_ms}: {error}"
            except (sqlite3.Error, StoreError) as error:
                self._problem = f"cannot write the store {self._path}: {error}; ticks wait in memory"
                with self._wake:
                    self._backlog.appendleft(record)
                    self._drop_overflow()
                return
            else:
                self._problem, self._cut_to_ms = None, recording.cut_to_ms
                if self._on_commit is not None:
                    self._on_commit(tick_ms)

    def _drop_overflow(self) -> None:
        while len(self._backlog) > BACKLOG_RECORDS:
            oldest, next_one = self._backlog.popleft(), self._backlog.popleft()
            self._backlog.appendleft(merged(oldest, next_one))
            self._merged += 1

    def _end(self, recording: Recording) -> None:
        if self._run is None or self._backlog:
            return
        try:
            recording.end_run(self._run)
        except sqlite3.Error as error:
            self._problem = f"cannot write the end of the run to {self._path}: {error}"

    def _settle(self, answer: Future[T], work: Callable[[], T]) -> None:
        try:
            answer.set_result(work())
        except sqlite3.Error as error:
            explained = StoreError(f"cannot write the store {self._path}: {error}")
            explained.__cause__ = error
            answer.set_exception(explained)
        except BaseException as error:  # noqa: BLE001 - not swallowed: it is raised where the answer is waited for
            answer.set_exception(error)
