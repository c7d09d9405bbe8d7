"""One outlet: what is news to it, one at a time, and failures that stop nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.notify.messages import alert, message
from tokwatch.notify.channel import Channel
from tokwatch.notify.message import Message
from tokwatch.notify.outlet import NotifyError


@dataclass
class Recorded:
    """An outlet that keeps what it was sent. `failures`: raised one after the other first."""

    failures: list[Exception] = field(default_factory=list)
    retries_s: Sequence[float] = (2.0, 10.0)
    wants_reminders: bool = False
    gate: asyncio.Event | None = None
    sent: list[tuple[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    closed: bool = False
    name: str = "notify test"

    async def send(self, message: Message) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await (self.gate.wait() if self.gate else asyncio.sleep(0))
            if self.failures:
                raise self.failures.pop(0)
            self.sent.append((message.status, message.alert.severity))
        finally:
            self.at_once -= 1

    async def close(self) -> None:
        self.closed = True


class Told:
    """What a channel told of trouble, by name; and how long it slept."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.slept_s: list[float] = []

    def tell(self, what: str, words: str) -> None:
        assert what == "notify test"
        self.words.append(words)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)


async def sent_of(*messages: Message, floor: str = "info") -> list[tuple[str, str]]:
    outlet, told = Recorded(), Told()
    channel = Channel(outlet, floor, told.tell, told.sleep)
    for each in messages:
        channel.take(each)
    await channel.close(5)
    assert outlet.closed
    assert outlet.most_at_once <= 1
    return outlet.sent


FIRES, IS_OVER = message(), message("resolved")


def resolving(**changes: Any) -> Message:
    return Message("firing", "dgx-03", "USD", 0, alert(status="resolving", **changes))


async def test_an_alert_is_told_once_when_it_fires_and_once_when_it_is_over() -> None:
    assert await sent_of(FIRES, FIRES, resolving(), FIRES, IS_OVER) == [("firing", "warning"), ("resolved", "warning")]


async def test_it_is_told_again_when_it_is_more_severe() -> None:
    rising = [message(severity=severity) for severity in ("info", "warning", "info", "warning", "critical")]
    assert await sent_of(*rising) == [("firing", "info"), ("firing", "warning"), ("firing", "critical")]


async def test_what_is_below_the_floor_is_not_told_until_it_rises_above() -> None:
    low, high = message(severity="info"), message(severity="critical")
    assert await sent_of(low, message("resolved", severity="info"), floor="critical") == []
    assert await sent_of(low, high, message("resolved", severity="info"), floor="critical") == [
        ("firing", "critical"),
        ("resolved", "info"),
    ]


@pytest.mark.parametrize("silence", [{"muted": True}, {"inhibited_by": "lost"}])
async def test_what_is_muted_or_inhibited_never_leaves(silence: dict[str, Any]) -> None:
    muted = [message(**silence), message(severity="critical", **silence), message("resolved", **silence)]
    assert await sent_of(*muted) == []
    assert await sent_of(FIRES, *muted) == [("firing", "warning")]


async def test_a_mute_that_ends_lets_out_what_still_fires() -> None:
    assert await sent_of(message(muted=True), FIRES) == [("firing", "warning")]


async def test_what_an_earlier_recorder_told_is_only_told_to_be_over() -> None:
    outlet, told = Recorded(), Told()
    channel = Channel(outlet, "info", told.tell, told.sleep)
    channel.was_told(alert())
    channel.take(FIRES)
    channel.take(IS_OVER)
    await channel.close(5)
    assert outlet.sent == [("resolved", "warning")]


async def test_reminders_go_to_those_that_want_them_of_what_they_were_told() -> None:
    for wanted in (False, True):
        outlet, told = Recorded(wants_reminders=wanted), Told()
        channel = Channel(outlet, "info", told.tell, told.sleep)
        channel.was_told(alert())
        channel.remind([FIRES, message(key="other"), message(muted=True)])
        await channel.close(5)
        assert outlet.sent == ([("firing", "warning")] if wanted else [])


async def test_a_failure_is_told_tried_again_and_over_when_it_works() -> None:
    outlet, told = Recorded([NotifyError("refused"), NotifyError("refused")]), Told()
    channel = Channel(outlet, "info", told.tell, told.sleep)
    channel.take(FIRES)
    await channel.close(5)
    assert outlet.sent == [("firing", "warning")]
    assert told.slept_s == [2.0, 10.0]
    assert told.words == ["an alert was not told: refused", "an alert was not told: refused", ""]


async def test_what_fails_for_good_does_not_keep_the_next_one() -> None:
    outlet, told = Recorded([NotifyError("refused")], retries_s=()), Told()
    channel = Channel(outlet, "info", told.tell, told.sleep)
    channel.take(FIRES)
    channel.take(IS_OVER)
    await channel.close(5)
    assert outlet.sent == [("resolved", "warning")]
    assert told.words == ["an alert was not told: refused", ""]


async def test_an_outlet_that_breaks_is_told_of_and_the_next_alert_is_tried() -> None:
    outlet, told = Recorded([RuntimeError("a bug")]), Told()
    channel = Channel(outlet, "info", told.tell, told.sleep)
    channel.take(FIRES)
    for _ in range(5):
        await asyncio.sleep(0)
    channel.take(IS_OVER)
    await channel.close(5)
    assert outlet.sent == [("resolved", "warning")]
    assert told.words[0] == "an alert was not told: RuntimeError('a bug')"


async def test_an_outlet_that_hangs_holds_nobody_up_and_its_queue_is_bounded() -> None:
    outlet, told = Recorded(gate=asyncio.Event()), Told()
    channel = Channel(outlet, "info", told.tell, told.sleep)
    for number in range(200):
        channel.take(message(key=f"rule {number}"))
    assert told.words
    assert all(words.endswith("not told, 100 alerts wait before it") for words in told.words)
    await channel.close(0.05)
    assert (outlet.sent, outlet.most_at_once, outlet.closed) == ([], 1, True)
