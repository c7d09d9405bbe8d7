"""Prefill against decode: what each side of a deployment draws and costs."""

from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard.scenes.servers import DISAGGREGATED, SERVING
from tests.ledger.box import value
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.phase_split import phase_split


def test_each_side_has_the_power_and_the_money_of_its_own_gpus() -> None:
    split = phase_split(DISAGGREGATED, DISAGGREGATED.deployments[0])
    assert split is not None
    assert (split.prefill.gpus, split.decode.gpus) == ((0, 1), (2, 3))
    assert value(split.prefill.power_w) == 612 + 598
    assert value(split.decode.usd_per_hour) == 2 * 2.35
    assert value(split.prefill.power_share) + value(split.decode.power_share) == 1
    assert value(split.decode.usd_per_m) == 0.21


def test_a_deployment_that_does_both_in_one_has_no_split() -> None:
    assert all(phase_split(SERVING, deployment) is None for deployment in SERVING.deployments)


def test_a_gpu_that_does_both_cannot_be_split() -> None:
    prefill, decode = DISAGGREGATED.servers
    shared = replace(DISAGGREGATED, servers=(prefill, replace(decode, gpus=(1, 2))))
    assert phase_split(shared, shared.deployments[0]) is None


def test_an_unknown_power_makes_the_shares_unknown_and_leaves_the_money() -> None:
    lost = tuple(replace(row, power_w=Figure(None, "lost")) if row.index == 1 else row for row in DISAGGREGATED.gpus)
    split = phase_split(replace(DISAGGREGATED, gpus=lost), DISAGGREGATED.deployments[0])
    assert split is not None
    assert split.prefill.power_w.why == "lost"
    assert split.decode.power_share.value is None
    assert value(split.prefill.usd_share) == 0.5
