"""The NVIDIA GPUs of this box: the asyncio face of the daemon threads that talk to the driver.

One thread reads, a second listens for Xid errors. Never asyncio's executor: a driver call can
hang for good, and asyncio waits for its executor's threads at exit.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from collectors.nvml.calls import Calls, CallTimes
from collectors.nvml.events import XidInbox, XidListener
from collectors.nvml.port import Driver
from collectors.nvml.session import Poll, Session
from collectors.readings import GpuReading, Probe, Reason, boottime_ns

_SILENCES_S = (0, 3, 10, 60, 600, 3600, 86_400)  # a probe tells these: every change of one is kept
_NEVER_ASKED = Poll((), (Probe("NVIDIA driver", False, "not asked yet"),))


class NvmlCollector:
    """A GpuCollector. `collect` is for one task of one event loop; nothing here ever waits on the driver.

    `driver` is the module pynvml unless given. `patience_s` is how long `collect` waits for an answer, and
    `stall_after_s` how long the driver may be silent before its GPUs are reported as STALLED.
    """

    def __init__(
        self,
        driver: Driver | None = None,
        *,
        now_ns: Callable[[], int] = boottime_ns,
        patience_s: float = 0.8,
        stall_after_s: float = 3.0,
    ) -> None:
        self._driver = driver
        self._now_ns = now_ns
        self._patience_s = patience_s
        self._stall_after_s = stall_after_s
        self._requests: queue.SimpleQueue[asyncio.Future[Poll] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._calls: Calls | None = None  # set by the thread once it has the driver
        self._times = CallTimes()
        self._inbox = XidInbox()
        self._listener: XidListener | None = None  # while the driver is open; set by the thread
        self._pending: asyncio.Future[Poll] | None = None
        self._asked_ns = 0
        self._latest = _NEVER_ASKED
        self._closed = False

    async def collect(self) -> tuple[GpuReading, ...]:
        """One reading of every GPU; nothing new is (). Returns within the patience, whatever the driver does.

        The patience counts from when the driver was asked, so one call waits for a silent driver, not every call.
        """
        if self._closed:
            return ()
        late = self._take_answer()
        pending = self._pending or self._ask()
        await asyncio.wait({pending}, timeout=max(self._patience_s - self._silent_s(), 0))
        answer = self._take_answer() or late
        if answer is not None:
            return self._with_xids(answer.readings)
        return self._with_xids(self._stalled_readings()) if self._stalled() else ()

    def probes(self) -> tuple[Probe, ...]:
        listener = self._listener
        if not self._stalled():
            return self._latest.probes + (listener.probes() if listener else ())
        silent_s = self._silent_s()
        found, hint = self._stalled_words(f"more than {max(s for s in _SILENCES_S if s <= silent_s or s == 0)} s")
        return (Probe("NVIDIA driver", False, found, hint),)

    def call_durations(self) -> dict[str, tuple[int, float, float]]:
        """Per driver function: calls so far, mean µs, longest µs."""
        return self._times.durations()

    async def close(self) -> None:
        """Lets the threads go; they shut the driver down if the driver lets them."""
        self._closed = True
        self._requests.put(None)

    # --- on the event loop --------------------------------------------------------------------------------------

    def _ask(self) -> asyncio.Future[Poll]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="nvml", daemon=True)
            self._thread.start()
        self._pending = asyncio.get_running_loop().create_future()
        self._asked_ns = self._now_ns()
        self._requests.put(self._pending)
        return self._pending

    def _take_answer(self) -> Poll | None:
        if self._pending is None or not self._pending.done():
            return None
        answered, self._pending = self._pending, None
        self._latest = answered.result()
        return self._latest

    def _with_xids(self, readings: tuple[GpuReading, ...]) -> tuple[GpuReading, ...]:
        """Here, where readings leave: a code may come while the driver is silent, and that may be why."""
        codes = [self._inbox.take(reading.facts.uuid) for reading in readings]
        return tuple(replace(r, xids=xids) if xids else r for r, xids in zip(readings, codes, strict=True))

    def _silent_s(self) -> float:
        return 0.0 if self._pending is None else (self._now_ns() - self._asked_ns) / 1e9

    def _stalled(self) -> bool:
        return self._silent_s() >= self._stall_after_s

    def _stalled_words(self, how_long: str) -> tuple[str, str]:
        call = self._calls.under_way if self._calls else None
        found = f"the NVIDIA driver has not answered {call or 'us'} for {how_long}"
        return found, "readings resume when it does; if it never does, see Xid lines in dmesg and reboot"

    def _stalled_readings(self) -> tuple[GpuReading, ...]:
        text = ": ".join(self._stalled_words(f"{self._silent_s():.0f} s"))
        return tuple(
            GpuReading(reading.facts, self._now_ns(), problem=Reason.STALLED, problem_text=text)
            for reading in self._latest.readings
        )

    # --- on the driver's thread ---------------------------------------------------------------------------------

    def _serve(self) -> None:
        session: Session | None = None
        while (request := self._requests.get()) is not None:
            try:
                session = session or self._open_session()
                deliver = partial(request.set_result, session.poll())
                self._listen(while_open=session)
            except Exception as error:  # noqa: BLE001 - not the driver's but our own defect: collect() raises it
                deliver = partial(request.set_exception, error)
            try:
                request.get_loop().call_soon_threadsafe(deliver)
            except RuntimeError:  # the loop was closed while the driver was busy: nobody waits for this any more
                break
        if self._listener is not None:
            self._listener.stop()
        if session is not None:
            session.close()

    def _open_session(self) -> Session:
        self._driver = self._driver or _binding()
        self._calls = Calls(self._driver, self._times)
        return Session(self._driver, self._calls, self._now_ns)

    def _listen(self, while_open: Session) -> None:
        """One listener for each initialisation of the driver: handles die with it."""
        if self._listener is not None and not while_open.is_open:
            self._listener.stop()
            self._listener = None
        if self._listener is None and while_open.is_open and self._driver is not None:
            self._listener = XidListener(self._driver, self._times, self._inbox)
            self._listener.start()


def _binding() -> Driver:
    import pynvml  # here, so that hosts without NVIDIA GPUs do not pay for it

    driver: Driver = pynvml
    return driver
