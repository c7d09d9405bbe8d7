"""From ticks to outlets: what a live recorder tells, and what it goes on telling after a restart."""

from __future__ import annotations

from collections.abc import Iterable

from tests.ledger.box import Box, priced, serve, work
from tests.ledger.readings import gpu
from tests.notify.test_channel import Recorded, Told
from tokwatch.ledger.entries import TickRecord
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.view import View
from tokwatch.notify.channel import Channel
from tokwatch.notify.notifier import Notifier


async def notified(
    view: View, records: Iterable[TickRecord], *, wants_reminders: bool = False
) -> list[tuple[str, str]]:
    """What an outlet was sent while these ticks came by."""
    outlet, told = Recorded(wants_reminders=wants_reminders), Told()
    notifier = Notifier(lambda: view, [Channel(outlet, "info", told.tell, told.sleep)])
    for record in records:
        view.apply(record)
        notifier.take(record)
    await notifier.close()
    assert outlet.closed
    assert told.words == [""] * len(outlet.sent)
    return outlet.sent


def empty(box: Box) -> View:
    return View(box.run, PriceBook((priced(2.0),)))


async def test_a_free_gpu_is_told_of_when_its_alert_fires_and_when_it_works_again() -> None:
    box = serve(Box(), range(1000), free=1)
    for second in range(1000, 1200):
        box.turn(second, [gpu(second), gpu(second, 1), gpu(second, 2)], [work(second)])
    assert await notified(empty(box), box.records) == [("firing", "info"), ("resolved", "info")]


async def test_what_is_only_pending_is_nobodys_news() -> None:
    box = serve(Box(), range(300), free=1)
    assert await notified(empty(box), box.records) == []


async def test_after_a_restart_it_is_not_told_again() -> None:
    box = serve(Box(), range(1000), free=1)
    view = empty(box)
    for record in box.records:
        view.apply(record)
    later = len(box.records)
    box.restart(1010)
    serve(box, range(1010, 1030), free=1)
    assert await notified(view, box.records[later:]) == []


async def test_after_a_restart_those_that_want_reminders_get_one_at_once() -> None:
    box = serve(Box(), range(1000), free=1)
    view = empty(box)
    for record in box.records:
        view.apply(record)
    later = len(box.records)
    box.restart(1010)
    serve(box, range(1010, 1012), free=1)
    assert await notified(view, box.records[later:], wants_reminders=True) == [("firing", "info")]
