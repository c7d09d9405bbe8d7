"""The live feed of this box: record and show, or follow the recorder that is there already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec.structs import replace

from tokwatch.feeds.clock import Clock, SystemClock
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History, stored_price
from tokwatch.feeds.live import Follower, RecorderView
from tokwatch.feeds.live_recording import LiveRecording, Notes, Recordable
from tokwatch.feeds.start import Begun
from tokwatch.feeds.takeover import Heir, Takeover
from tokwatch.feeds.timeline import Timeline
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import TickRecord
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.errors import StoreError
from tokwatch.store.lock import RecorderLock
from tokwatch.store.writer import Writer

_FLUSH_S = 5.0


async def record_and_show(wanted: Recordable, lock: RecorderLock, clock: Clock | None = None) -> Timeline:
    """Begin to record, and the feed that shows it; closing the feed ends the recording and flushes it."""
    clock = clock or SystemClock()
    begun = await _begin(wanted, lock)
    if wanted.show_kept is not None and begun.view.tick is not None:
        wanted.show_kept(snapshot(begun.view, mode="live"))
    here = RecordingHere(wanted, begun, lock, clock)
    timeline = Timeline(
        wanted.store,
        lambda: Cursor(History(wanted.store, begun.run)),
        clock,
        now=here.view,
        first_ms=begun.first_tick_ms,
        on_price=here.take_price,
        on_close=here.close,
    )
    here.task.add_done_callback(timeline.end_with)
    return timeline


async def follow(store: Path, clock: Clock | None = None, *, heir: Heir | None = None) -> Timeline:
    """Show what another process records into `store`; when it has gone, `heir` says how to record on."""
    clock = clock or SystemClock()
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, "tokwatch-follow")
    cursor = await loop.run_in_executor(thread, lambda: Cursor(History(store)))
    follower = Follower(cursor, thread)
    takeover = Takeover(store, follower, clock, heir)
    here: RecordingHere | None = None

    async def follow_and_record_on() -> None:
        nonlocal here
        while here is None:
            heritage = await takeover.follow()
            try:
                begun = await _begin(heritage.wanted, heritage.lock)
            except StoreError as error:
                takeover.failed(error)
            else:
                here = RecordingHere(heritage.wanted, begun, heritage.lock, clock, notes=heritage.notes)
        follower.hand_over_to(here.view)
        timeline.take_prices_with(here.take_price)
        await here.task

    async def on_close() -> None:
        if here is None:
            following.cancel()
            await asyncio.wait({following})
        else:
            await here.close()
        await loop.run_in_executor(thread, cursor.close)
        thread.shutdown(wait=False)

    span = await loop.run_in_executor(thread, cursor.span_ms)
    timeline = Timeline(
        store,
        lambda: Cursor(History(store)),
        clock,
        now=follower,
        first_ms=span[0] if span else None,
        on_close=on_close,
    )
    following = asyncio.create_task(follow_and_record_on())
    following.add_done_callback(timeline.end_with)
    return timeline


async def _begin(wanted: Recordable, lock: RecorderLock) -> Begun:
    try:
        return await asyncio.to_thread(wanted.begin)
    except BaseException:
        lock.release()
        raise


class RecordingHere:
    """A recording that is shown in this process, from now until `close`."""

    def __init__(
        self, wanted: Recordable, begun: Begun, lock: RecorderLock, clock: Clock, *, notes: Notes = ()
    ) -> None:
        self.view = RecorderView(begun.view)
        self._wanted, self._begun, self._lock = wanted, begun, lock
        self._recording = LiveRecording(wanted, begun, clock, view=self.view, notes=notes)
        self._stop = asyncio.Event()
        self.task = asyncio.create_task(self._recording.run(self._stop))
        self._pricing: set[asyncio.Task[None]] = set()
        self._one_price = asyncio.Lock()

    def listen(self, listener: Callable[[TickRecord], None]) -> None:
        """Call `listener` with every record, when `view` has taken it."""
        self._recording.recorder.listen(listener)

    def take_price(self, usd_per_gpu_hour: float) -> None:
        """Set on the screen: in force from the next tick on, as soon as it is stored."""
        task = asyncio.create_task(self._take_price(usd_per_gpu_hour))
        self._pricing.add(task)
        task.add_done_callback(self._pricing.discard)

    async def _take_price(self, usd_per_gpu_hour: float) -> None:
        try:
            async with self._one_price:
                await set_price(self.view, self._begun.writer, usd_per_gpu_hour)
                self._begun.bookkeeper.book = self.view.book
        except StoreError as error:
            self._recording.recorder.tell("price", f"the price was not set: {error}")

    async def close(self) -> None:
        """End the recording, flush it, and let the next recorder begin."""
        self._stop.set()
        # If one failed, snapshots() has said so: what was recorded is flushed.
        await asyncio.wait({self.task, *self._pricing})
        await self._recording.close()
        await asyncio.to_thread(self._begun.writer.close, _FLUSH_S)
        self._lock.release()
        if self._wanted.close is not None:
            await self._wanted.close()


async def set_price(view: RecorderView, writer: Writer, price: float) -> None:
    """The price set on the screen: in force from the tick after the one that is shown. One at a time.

    Raises StoreError where it cannot be stored; it is not in force then.
    """
    shown_ms = view.last_tick_ms
    if shown_ms is None:
        return
    before = view.book
    in_force = before.at(shown_ms)
    version = PriceVersion(
        max((each.id for each in before.versions), default=0) + 1,  # the store's next, as far as is known here
        shown_ms + 1,
        shown_ms,
        "set by you",
        (in_force.prices if in_force else Prices()).rented_at(price),
    )
    # At once: a tick that comes while the disk is at work falls under the new price already, as in a replay.
    view.book = before.with_version(version)
    try:
        stored = await asyncio.to_thread(writer.add_price, stored_price(version))
    except StoreError:
        view.book = _without(view.book, version)
        raise
    if stored.id != version.id:  # another process told the store a price at the same time
        view.book = _without(view.book, version).with_version(replace(version, id=stored.id))


def _without(book: PriceBook, version: PriceVersion) -> PriceBook:
    return PriceBook(tuple(each for each in book.versions if each != version), book.closed)
