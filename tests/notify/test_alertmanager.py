"""Posting to an Alertmanager: ends that are pushed on, and severities that change. A real one is in tests/real."""

from __future__ import annotations

import pytest

from tests.notify.messages import NOON_MS, Received, message, receiver
from tokwatch.notify.alertmanager import Alertmanager, alerts_url
from tokwatch.notify.outlet import NotifyError
from tokwatch.notify.posting import Poster


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://a:9093", "http://a:9093/api/v2/alerts"),
        ("http://a:9093/", "http://a:9093/api/v2/alerts"),
        ("https://a/prefix", "https://a/prefix/api/v2/alerts"),
        ("http://a:9093/api/v2/alerts", "http://a:9093/api/v2/alerts"),
    ],
)
def test_the_address_is_the_base_url_that_prometheus_has(base: str, url: str) -> None:
    assert alerts_url(base) == url


async def test_it_ends_later_with_each_reminder_and_now_when_it_is_over() -> None:
    received = Received()
    async with receiver(received) as base:
        outlet = Alertmanager(Poster(alerts_url(base), None))
        await outlet.send(message())
        await outlet.send(message(at_ms=NOON_MS + 60_000))
        await outlet.send(message("resolved", at_ms=NOON_MS + 90_000))
        await outlet.close()
    assert [[each["endsAt"] for each in body] for body in received.bodies] == [
        ["2026-11-21T12:04:00.000Z"],
        ["2026-11-21T12:05:00.000Z"],
        ["2026-11-21T12:01:30.000Z"],
    ]
    assert {each["startsAt"] for body in received.bodies for each in body} == {"2026-11-21T11:55:00.000Z"}
    assert received.requests[0].path == "/api/v2/alerts"


async def test_a_severity_that_changes_ends_the_alert_of_before() -> None:
    received = Received()
    async with receiver(received) as base:
        outlet = Alertmanager(Poster(alerts_url(base), None))
        await outlet.send(message(severity="info"))
        await outlet.send(message(severity="critical", at_ms=NOON_MS + 1000))
        await outlet.send(message(severity="critical", at_ms=NOON_MS + 2000))
        await outlet.close()
    told = [[(each["labels"]["severity"], each["endsAt"][11:19]) for each in body] for body in received.bodies]
    assert told == [
        [("info", "12:04:00")],
        [("critical", "12:04:01"), ("info", "12:00:01")],
        [("critical", "12:04:02")],
    ]


async def test_a_refusal_is_told_with_the_address() -> None:
    async with receiver(Received(status=400)) as base:
        outlet = Alertmanager(Poster(alerts_url(base), None))
        with pytest.raises(NotifyError, match=r"127\.0\.0\.1:\d+ refused the alert \(HTTP 400\)"):
            await outlet.send(message())
        await outlet.close()
