"""Mutes: what they cover, how long, and that they hide nothing from the books."""

from __future__ import annotations

import pytest

from tests.ledger.alerts.stepping import HOST, PARKED, SERVING, Alerts
from tokwatch.ledger.alerts import AlertPolicy, Watched
from tokwatch.ledger.alerts.conditions import Bounds, FigureName, parse_condition
from tokwatch.ledger.alerts.mutes import Mute, Subject
from tokwatch.ledger.alerts.rules import FigureRule

GPU = Subject(HOST, 3, "GPU-abc", ("qwen", "llama"))


def mute(until_s: float = 10_000, *, state: str = "", gpu: str = "", host: str = "", model: str = "") -> Mute:
    until_ms = round(until_s * 1000)
    return Mute(made_ms=0, until_ms=until_ms, reason="on purpose", state=state, gpu=gpu, host=host, model=model)


@pytest.mark.parametrize(
    ("muted", "covers"),
    [
        (mute(state="parked"), True),
        (mute(state="held"), False),
        (mute(gpu="3"), True),
        (mute(gpu="GPU-abc"), True),
        (mute(gpu="33"), False),
        (mute(host=HOST), True),
        (mute(host="dgx-04"), False),
        (mute(model="llama"), True),
        (mute(model="lla"), False),
        (mute(state="parked", gpu="3", host=HOST, model="qwen"), True),
        (mute(state="parked", gpu="4"), False),
    ],
)
def test_all_that_is_named_must_fit(muted: Mute, covers: bool) -> None:
    assert muted.covers("parked", GPU) is covers


def test_a_gpu_without_an_index_or_uuid_is_named_by_neither() -> None:
    assert not mute(gpu="None").covers("parked", Subject(HOST))


def test_it_holds_from_when_it_was_made_until_it_expires() -> None:
    found = [mute(10).in_force(at_ms) for at_ms in (-1, 0, 9_999, 10_000)]
    assert found == [False, True, True, False]


def test_a_muted_alert_goes_on_is_marked_and_does_not_leave() -> None:
    alerts = Alerts(mutes=[mute(state="parked")])
    body = alerts.fired(300, PARKED)
    assert (body.status, body.muted, body.leaves) == ("firing", True, False)
    assert (body.mute_reason, body.muted_until_ms, body.muted_gpus) == ("on purpose", 10_000_000, (1,))
    assert body.members == ((1, 0),)  # it costs on


def test_it_leaves_when_the_mute_expires() -> None:
    alerts = Alerts(mutes=[mute(400, gpu="0")])
    assert alerts.fired(300, PARKED).muted
    body = alerts.at(400, PARKED)
    assert body is not None
    assert (body.muted, body.muted_until_ms, body.mute_reason, body.leaves) == (False, None, "", True)


def test_an_alert_is_muted_when_all_of_its_gpus_are() -> None:
    alerts = Alerts(mutes=[mute(gpu="0")])
    body = alerts.fired(300, PARKED, PARKED)
    assert (body.muted, body.muted_gpus) == (False, (1,))
    alerts.tracker.mutes = (mute(gpu="0"), mute(500, gpu="1"))
    body = alerts.fired(302, PARKED, PARKED)
    assert (body.muted, body.muted_until_ms) == (True, 500_000)  # the first that ends
    joined = alerts.fired(400, PARKED, PARKED, PARKED)
    assert not joined.muted


def test_a_mute_of_another_state_changes_nothing() -> None:
    assert not Alerts(mutes=[mute(state="held")]).fired(300, PARKED).muted


def test_a_rule_on_a_figure_is_muted_by_its_name_host_gpu_or_model() -> None:
    figure = FigureName("power_w", "gpu", "0")
    rules = (
        FigureRule("hot", parse_condition("power_w{gpu=0} > 650"), 0, "warning"),
        FigureRule("slow", parse_condition('tok_s{model="qwen"} < 9'), 0, "warning"),
    )
    figures = {figure: (Bounds(700, 700),), FigureName("tok_s", "model", "qwen"): (Bounds(1, 1),)}
    for told, muted in [
        (mute(state="hot"), {"hot"}),
        (mute(gpu="0"), {"hot"}),
        (mute(model="qwen"), {"slow", "hot"}),
        (mute(host=HOST), {"slow", "hot"}),
        (mute(gpu="1"), set()),
    ]:
        alerts = Alerts(AlertPolicy(states=(), figures=rules), mutes=[told])
        for second in (1, 2):
            alerts.step(second, {1: SERVING}, Watched(figures=figures))
        assert {key for key, body in alerts.bodies.items() if body.muted} == muted
