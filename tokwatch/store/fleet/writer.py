"""The one thread that writes a recorded fleet. The event loop never waits for it: what is to be written queues."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from tokwatch.ledger.entries import Run
from tokwatch.ledger.fleet.host_quarters import HostQuarter
from tokwatch.store.connection import close_writing, open_for_writing
from tokwatch.store.errors import StoreError
from tokwatch.store.fleet.frames import Frame
from tokwatch.store.fleet.recording import FleetRecording
from tokwatch.store.retention import Retention

_HOSTS_AT_ONCE: Final = 32  # in one transaction: 5 ms of eight GPUs each
# Between two of them, so that 2000 hosts' quarter hours take some seconds and not the interpreter from the loop.
_PAUSE_S: Final = 0.03
_MOST_QUARTERS: Final = 400_000  # host quarter hours that wait for a full disk to be cleared
_MOST_FRAMES: Final = 60


class FleetWriter:
    """`open`, `begin` and `close` wait for the thread (call them off the event loop); `put…` never does."""

    def __init__(self, path: Path, retention: Retention | None = None) -> None:
        """retention: how long frames are kept, and how large the store may get."""
        self._path = path
        self._retention = retention
        self._wake = threading.Condition()
        self._quarters: deque[HostQuarter] = deque(maxlen=_MOST_QUARTERS)
        self._frames: deque[Frame] = deque(maxlen=_MOST_FRAMES)
        self._is_closing = False
        self._thread: threading.Thread | None = None
        self.problem: str | None = None  # what keeps rows from the disk, in words; None while all is well
        self.dropped = 0  # frames and quarter hours that the store refused

    def begin(self, run: Run) -> Run:
        """Create or migrate the store, begin a run and start the thread. Raises StoreError."""
        begun: Future[Run] = Future()
        # A daemon: a disk that hangs must not keep the process from ending. `close` is what flushes.
        self._thread = threading.Thread(target=self._work, args=(run, begun), name="tokwatch-fleet-store", daemon=True)
        self._thread.start()
        return begun.result()

    def put_quarters(self, quarters: Iterable[HostQuarter]) -> None:
        """Quarter hours that are over, or go on and may be put again."""
        self._quarters.extend(quarters)

    def put_frame(self, frame: Frame) -> None:
        self._frames.append(frame)
        with self._wake:
            self._wake.notify()

    @property
    def waiting(self) -> int:
        """What is queued."""
        return len(self._quarters) + len(self._frames)

    def close(self, timeout_s: float) -> bool:
        """Write what is queued and close the file. True: all of it is on the disk."""
        if self._thread is None:
            return True
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self.waiting and not self.dropped

    # --- the thread -------------------------------------------------------------------------------------------------

    def _work(self, run: Run, begun: Future[Run]) -> None:
        connection: sqlite3.Connection | None = None
        try:
            connection = open_for_writing(self._path)
            recording = FleetRecording(connection, self._retention)
            begun.set_result(recording.begin_run(run))
            self._serve(recording)
        except BaseException as error:
            if begun.done():
                self.problem = f"the writer of {self._path} stopped: {error!r}"
                raise
            if isinstance(error, sqlite3.Error):
                begun.set_exception(StoreError(f"cannot write the store {self._path}: {error}"))
            else:
                begun.set_exception(error)
        finally:
            if connection is not None:
                close_writing(connection)

    def _serve(self, recording: FleetRecording) -> None:
        while True:
            with self._wake:
                is_last = self._wake.wait_for(lambda: self._is_closing, timeout=0 if self.waiting else 1.0)
            while self.waiting and self._write_some(recording):
                if not self._is_closing:
                    time.sleep(_PAUSE_S)
            if is_last:
                return

    def _write_some(self, recording: FleetRecording) -> bool:
        """Whether to go on at once: what is queued stays so while the disk is full."""
        taken = [self._quarters.popleft() for _ in range(min(_HOSTS_AT_ONCE, len(self._quarters)))]
        quarters = [*{(each.host, each.quarter_ms): each for each in taken}.values()]  # the newest of each
        frame = None if quarters or not self._frames else self._frames.popleft()
        try:
            if quarters:
                recording.write_quarters(quarters)
            elif frame is not None:
                recording.write_frame(frame)
        except (sqlite3.IntegrityError, ValueError, OverflowError) as error:
            self.dropped += len(quarters) + (frame is not None)  # they will never fit; the next ones may
            self.problem = f"the store {self._path} refused what was measured: {error} ({self.dropped} so far)"
        except (sqlite3.Error, StoreError) as error:
            self.problem = f"cannot write the store {self._path}: {error}; what was measured waits in memory"
            self._quarters.extendleft(reversed(quarters))
            if frame is not None:
                self._frames.appendleft(frame)
            return False
        else:
            if not self.dropped:
                self.problem = None
        return True
