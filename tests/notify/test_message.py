"""What leaves: labels, annotations, environment variables."""

from __future__ import annotations

import msgspec

from tests.notify.messages import NOON_MS, message
from tokwatch.ledger.figure import Figure
from tokwatch.notify.message import alert_annotations, alert_labels, variables


def test_labels_identify_an_alert_and_hold_no_list_that_changes() -> None:
    assert alert_labels(message()) == {
        "alertname": "TokwatchParked",
        "instance": "dgx-03",
        "job": "tokwatch",
        "severity": "warning",
        "state": "parked",
    }
    assert alert_labels(message(gpus=(1,), usd_so_far=Figure(9.0))) == alert_labels(message())


def test_an_alert_about_no_state_goes_by_its_rules_name() -> None:
    labels = alert_labels(message(key="dear tokens", state="", gpus=()))
    assert labels["alertname"] == "dear tokens"
    assert "state" not in labels


def test_annotations_tell_gpus_models_and_money() -> None:
    assert alert_annotations(message()) == {
        "summary": "parked on GPU 3, 5 of dgx-03: loaded, no request",
        "gpus": "3,5",
        "models": "org/Qwen3-32B",
        "usd_per_hour": "4.70",
        "usd_so_far": "0.78",
        "usd_per_day": "112.80",
        "currency": "USD",
        "since": "2026-11-21T11:50:00.000Z",
    }


def test_what_is_unknown_is_left_out_and_never_0() -> None:
    told = alert_annotations(message(usd_per_hour=Figure(None, "no price set")))
    assert "usd_per_hour" not in told
    assert variables(message(usd_per_hour=Figure(None)))["TOKWATCH_ALERT_USD_PER_HOUR"] == ""


def test_muted_gpus_are_not_named_beside_others() -> None:
    assert message(muted_gpus=(3,)).gpus == (5,)
    assert message(muted_gpus=(3, 5)).gpus == (3, 5)


def test_environment_variables_have_one_prefix_and_are_always_the_same_ones() -> None:
    told = variables(message())
    assert set(told) == set(variables(message("resolved", key="x", state="", gpus=(), models=(), text="")))
    assert {name.removeprefix("TOKWATCH_ALERT_").lower(): told[name] for name in told}["status"] == "firing"
    assert told["TOKWATCH_ALERT_SINCE"] == "2026-11-21T11:50:00.000Z"
    assert told["TOKWATCH_ALERT_FIRED"] == "2026-11-21T11:55:00.000Z"


def test_as_json_it_holds_the_row_of_the_snapshot() -> None:
    told = msgspec.json.decode(msgspec.json.encode(message()))
    assert (told["status"], told["host"], told["at_ms"]) == ("firing", "dgx-03", NOON_MS)
    assert told["alert"]["usd_so_far"]["value"] == 0.7833
