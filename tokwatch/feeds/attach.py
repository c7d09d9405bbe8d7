"""The live feed of this box: record and show, or follow the recorder that is there already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from tokwatch.config import Config
from tokwatch.feeds.alerting import Alerting, keep_muted
from tokwatch.feeds.clock import Clock, SystemClock
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History, stored_price
from tokwatch.feeds.live import Follower, RecorderView
from tokwatch.feeds.recorder import Recorder, Seer
from tokwatch.feeds.start import Begun
from tokwatch.feeds.timeline import Timeline
from tokwatch.feeds.told import ToldStore, keep_priced
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.store.errors import StoreError
from tokwatch.store.lock import RecorderLock
from tokwatch.store.writer import Writer

_FLUSH_S = 5.0


@dataclass(frozen=True, slots=True)
class Recordable:
    """A store and how to begin recording into it."""

    store: Path
    begin: Callable[[], Begun]  # blocks; raises StoreError
    open_sources: Callable[[], Seer]  # on the event loop
    interval_s: float
    notes: tuple[tuple[str, str], ...] = ()  # (what, words) to show among the recorder's own problems
    show_kept: Callable[[Snapshot], None] | None = None  # takes the last stored moment, before the first new one
    close: Callable[[], Awaitable[None]] | None = None  # what else ends with it
    alerts: Config | None = None  # whose alerts on figures and outlets it has; None: what it shows is made up


async def record_and_show(wanted: Recordable, lock: RecorderLock, clock: Clock | None = None) -> Timeline:
    """Begin to record, and the feed that shows it; closing the feed ends the recording and flushes it."""
    clock = clock or SystemClock()
    begun = await asyncio.to_thread(wanted.begin)
    if wanted.show_kept is not None and begun.view.tick is not None:
        wanted.show_kept(snapshot(begun.view, mode="live"))
    view = RecorderView(begun.view)
    recorder = Recorder(
        wanted.open_sources(), begun.bookkeeper, begun.writer, clock, interval_s=wanted.interval_s, notes=wanted.notes
    )
    recorder.listen(view.take)
    alerting = None
    if wanted.alerts is not None:
        alerting = Alerting(wanted.alerts, wanted.store, recorder, begun.bookkeeper, view)
    told = ToldStore(wanted.store, clock, recorder.tell)
    keep_muted(told, begun.bookkeeper)
    keep_priced(told, begun.bookkeeper, wanted.store, begun.run, view)
    recorder.listen(told.tick)
    stop = asyncio.Event()
    recording = asyncio.create_task(recorder.run(stop))
    pricing: set[asyncio.Task[None]] = set()
    one_price = asyncio.Lock()

    async def take_price(price: float) -> None:
        try:
            async with one_price:
                await set_price(view, begun.writer, price)
                begun.bookkeeper.book = view.book
        except StoreError as error:
            recorder.tell("price", f"the price was not set: {error}")

    def on_price(price: float) -> None:
        task = asyncio.create_task(take_price(price))
        pricing.add(task)
        task.add_done_callback(pricing.discard)

    async def on_close() -> None:
        stop.set()
        await asyncio.wait(
            {recording, *pricing}
        )  # if one failed, snapshots() has said so: what was recorded is flushed
        await told.close()
        if alerting is not None:
            await alerting.close()
        await asyncio.to_thread(begun.writer.close, _FLUSH_S)
        lock.release()
        if wanted.close is not None:
            await wanted.close()

    timeline = Timeline(
        lambda: Cursor(History(wanted.store, begun.run)),
        clock,
        now=view,
        first_ms=begun.first_tick_ms,
        on_price=on_price,
        on_close=on_close,
    )
    recording.add_done_callback(timeline.end_with)
    return timeline


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


async def follow(store: Path, clock: Clock | None = None) -> Timeline:
    """Show what another process records into `store`."""
    clock = clock or SystemClock()
    thread = ThreadPoolExecutor(1, "tokwatch-follow")
    cursor = await asyncio.get_running_loop().run_in_executor(thread, lambda: Cursor(History(store)))
    follower = Follower(cursor, thread, clock)
    following = asyncio.create_task(follower.run())

    async def on_close() -> None:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(thread, cursor.close)
        thread.shutdown(wait=False)

    span = await asyncio.get_running_loop().run_in_executor(thread, cursor.span_ms)
    timeline = Timeline(
        lambda: Cursor(History(store)), clock, now=follower, first_ms=span[0] if span else None, on_close=on_close
    )
    following.add_done_callback(timeline.end_with)
    return timeline
