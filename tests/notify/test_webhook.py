"""The webhook: Alertmanager's payload version 4, as Alertmanager would send it."""

from __future__ import annotations

from tests.notify.messages import Received, message, receiver
from tokwatch.notify.posting import Poster
from tokwatch.notify.webhook import Webhook, fingerprint, payload


async def test_a_receiver_of_alertmanagers_webhooks_gets_what_it_knows() -> None:
    received = Received()
    async with receiver(received) as base:
        webhook = Webhook(Poster(f"{base}/hook?key=1", None))
        await webhook.send(message())
        await webhook.send(message("resolved"))
        await webhook.close()
    firing, resolved = received.bodies
    assert (firing["version"], firing["status"], firing["truncatedAlerts"]) == ("4", "firing", 0)
    assert firing["groupLabels"] == {"alertname": "TokwatchParked", "instance": "dgx-03"}
    assert firing["groupKey"] == '{}:{alertname="TokwatchParked", instance="dgx-03"}'
    assert firing["commonLabels"] == firing["alerts"][0]["labels"]
    assert firing["alerts"][0]["startsAt"] == "2026-11-21T11:55:00.000Z"
    assert firing["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert (resolved["status"], resolved["alerts"][0]["status"]) == ("resolved", "resolved")
    assert resolved["alerts"][0]["endsAt"] == "2026-11-21T12:00:00.000Z"
    assert received.requests[0].content_type == "application/json"
    assert received.requests[0].query_string == "key=1"


def test_the_fingerprint_is_that_of_prometheus() -> None:
    # model.LabelSet{}.Fingerprint() and FNV-1a's own offset basis.
    assert fingerprint({}) == "cbf29ce484222325"
    assert fingerprint({"a": "b", "c": "d"}) == fingerprint({"c": "d", "a": "b"})


def test_a_rules_name_may_hold_anything() -> None:
    told = payload(message(key='a "quoted" 名', state="", gpus=()))
    assert told["groupKey"] == '{}:{alertname="a \\"quoted\\" 名", instance="dgx-03"}'
