"""Listens for Xid errors, on a thread of its own: the driver's wait for events takes as long as there are none.

The driver delivers only what happens after a GPU was registered, and each event once.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque

from collectors.labels import clean_label
from collectors.nvml import port
from collectors.nvml.calls import Calls, CallTimes
from collectors.nvml.errors import Code, Refusal
from collectors.nvml.port import Driver, EventSet
from collectors.readings import Probe

WAIT_MS = 1000  # how long a listener that was let go may live on
AFTER_REFUSAL_S = 1.0  # a wait that is refused returns at once
MOST_KEPT = 100  # of one GPU: a dying one can report the same code without end; the oldest go first


class XidInbox:
    """Xid codes on their way from the listener to the next reading of their GPU."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: dict[str, deque[int]] = {}

    def put(self, uuid: str, code: int) -> None:
        with self._lock:
            self._codes.setdefault(uuid, deque(maxlen=MOST_KEPT)).append(code)

    def take(self, uuid: str | None) -> tuple[int, ...]:
        """What came for this GPU since the last call, oldest first."""
        if uuid is None or uuid not in self._codes:
            return ()
        with self._lock:
            return tuple(self._codes.pop(uuid))


class XidListener:
    """Listens from its making until `stop` or the driver's shutdown. Holds the driver open for itself meanwhile."""

    def __init__(self, driver: Driver, times: CallTimes, inbox: XidInbox) -> None:
        self._driver = driver
        self._calls = Calls(driver, times)
        self._inbox = inbox
        self._stopped = threading.Event()
        self._uuids: dict[bytes, str] = {}  # by handle; a GPU that is off the bus does not tell its UUID any more
        self._problem = ""

    def start(self) -> None:
        """Begins on a daemon thread, which nobody ever waits for."""
        threading.Thread(target=self.run, name="nvml-xid", daemon=True).start()

    def stop(self) -> None:
        """Returns at once; the thread ends after its wait."""
        self._stopped.set()

    def probes(self) -> tuple[Probe, ...]:
        """Empty while all is well."""
        if not self._problem:
            return ()
        hint = "Xid errors are not shown here; look for NVRM: Xid lines in dmesg"
        return (Probe("NVIDIA Xid events", False, self._problem, hint),)

    def run(self) -> None:
        """The thread: listen under an own reference to the driver, so that nobody shuts it down under the wait."""
        try:
            self._calls(self._driver.nvmlInit)
        except Refusal as refusal:
            self._problem = _not_listening(refusal)
            return
        try:
            self._listen()
        except Refusal as refusal:
            self._problem = _not_listening(refusal)
            if refusal.code == Code.UNINITIALIZED:  # by now a shutdown would take another's reference
                return
        with contextlib.suppress(Refusal):  # the first refusal is the one to tell
            self._calls(self._driver.nvmlShutdown)

    def _listen(self) -> None:
        event_set = self._calls(self._driver.nvmlEventSetCreate)
        try:
            self._register(event_set)
            while self._uuids and not self._stopped.is_set():
                self._wait(event_set)
        finally:
            with contextlib.suppress(Refusal):  # the driver was shut down, and took the set along
                self._calls(self._driver.nvmlEventSetFree, event_set)

    def _register(self, event_set: EventSet) -> None:
        driver, calls = self._driver, self._calls
        refused: list[str] = []
        for index in range(calls(driver.nvmlDeviceGetCount)):
            try:
                handle = calls(driver.nvmlDeviceGetHandleByIndex, index)
                uuid = clean_label(calls(driver.nvmlDeviceGetUUID, handle))
                if not calls(driver.nvmlDeviceGetSupportedEventTypes, handle) & port.EVENT_XID:
                    raise Refusal("nvmlDeviceGetSupportedEventTypes", Code.NOT_SUPPORTED)
                calls(driver.nvmlDeviceRegisterEvents, handle, port.EVENT_XID, event_set)
                self._uuids[bytes(handle)] = uuid
            except Refusal as refusal:
                refused.append(f"GPU {index} ({refusal.reason})")
        if refused:
            self._problem = f"not told of {', '.join(refused)}"

    def _wait(self, event_set: EventSet) -> None:
        """One wait. Its time is not kept with those of the other calls: waiting is what it is for."""
        try:
            event = self._calls.untimed(self._driver.nvmlEventSetWait_v2, event_set, WAIT_MS)
        except Refusal as refusal:
            if refusal.code == Code.TIMEOUT:
                return
            if refusal.code != Code.GPU_IS_LOST:
                raise
            self._stopped.wait(AFTER_REFUSAL_S)  # one GPU is; the others may still have something to say
            return
        uuid = self._uuids.get(bytes(event.device))
        if uuid is not None and event.eventType == port.EVENT_XID:
            self._inbox.put(uuid, event.eventData)


def _not_listening(refusal: Refusal) -> str:
    return f"not listening: {refusal.call}: {refusal.reason}"
