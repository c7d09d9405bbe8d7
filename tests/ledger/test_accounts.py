"""Whose the watts and the dollars of a shared GPU are, at one moment: by tokens, marked, and closing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collectors.readings import FlowReading, Layer, MigInstance, Moves, Reason, ServerFacts, ServerReading
from tests.ledger.box import PRICE, Box, placed, priced, value, work
from tests.ledger.readings import flow, gpu, gpu_facts, page
from tokwatch.ledger.accounts import SHARED_IDLE, UNASSIGNED, Accounts
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.snapshot import Figure, Snapshot

A, B = "127.0.0.1:8000", "b:1"


class Fleet:
    """30 s of servers on GPUs that draw 300 W each: (facts, output tokens/s, prompt tokens/s)."""

    def __init__(self, gpus: int, *servers: tuple[ServerFacts, int, int], seconds: int = 30, **changes: Any) -> None:
        box = Box()
        for second in range(seconds):
            pages = [self.page(second, *server) for server in servers]
            box.turn(second, [gpu(second, n, **changes) for n in range(gpus)], pages)
        view = box.view(PriceBook((priced(PRICE),)))
        self.moment = Moment(view)
        self.accounts = Accounts(self.moment)
        self.shown: Snapshot = snapshot(view, mode="live")
        self._by_address = {body.address: entity for entity, body in self.moment.servers}

    @staticmethod
    def page(second: int, facts: ServerFacts, out_s: int, prompt_s: int) -> ServerReading:
        return page(second, flow(output_tokens=second * out_s, prompt_tokens=second * prompt_s), facts=facts)

    def __getitem__(self, address: str) -> int:
        return self._by_address[address]

    def usd_per_hour(self, address: str) -> Figure:
        return self.accounts.usd_per_hour(self.accounts.of_server(self[address]))

    def watts(self, address: str) -> Figure:
        return self.accounts.watts(self.accounts.of_server(self[address]))


def test_a_shared_gpu_is_divided_by_prompt_and_output_tokens_and_every_part_says_so() -> None:
    fleet = Fleet(1, (placed(0), 100, 500), (placed(0, address=B), 100, 1700))
    assert (value(fleet.usd_per_hour(A)), value(fleet.usd_per_hour(B))) == pytest.approx((PRICE / 4, PRICE * 3 / 4))
    assert (value(fleet.watts(A)), value(fleet.watts(B))) == pytest.approx((75, 225))
    cost = fleet.accounts.usd_per_m_output(fleet[A])
    assert value(cost) == pytest.approx(PRICE / 4 / (100 * 0.0036))
    for figure in (fleet.usd_per_hour(A), fleet.watts(B), cost):
        assert figure.marks == ("allocated",)


def test_every_figure_that_contains_a_shared_gpu_is_marked() -> None:
    shown = Fleet(2, (placed(0), 100, 500), (placed(0, address=B), 100, 1700)).shown
    shared, alone = shown.gpus
    totals = shown.totals
    for figure in (shared.tok_per_j, shared.usd_per_m_output, totals.tok_per_j, totals.usd_per_m_output):
        assert "allocated" in figure.marks
    assert "allocated" not in (*shared.tok_s.marks, *shared.power_w.marks, *alone.usd_per_hour.marks)


def test_tokens_per_watt_of_a_server_that_shares_are_told_per_gpu_only() -> None:
    fleet = Fleet(1, (placed(0), 100, 0), (placed(0, address=B), 100, 0))
    assert fleet.accounts.tok_per_j(fleet[A]).why == "shares its GPUs: tokens per watt are told per GPU only"
    assert value(fleet.shown.gpus[0].tok_per_j) == pytest.approx(200 / 300)


def test_processors_without_a_watt_meter_are_the_first_reason_and_are_not_called_gpus() -> None:
    servers = (placed(0), 100, 0), (placed(0, address=B), 100, 0)
    package = gpu_facts(kind="package")
    metered = Fleet(1, *servers, facts=package)
    assert metered.accounts.tok_per_j(metered[A]).why == "shares its CPUs: tokens per watt are told per CPU only"
    reasons = (("energy_mj", Reason.UNSUPPORTED),)
    unmetered = Fleet(1, *servers, facts=package, energy_mj=None, power_w=None, reasons=reasons)
    assert unmetered.accounts.tok_per_j(unmetered[A]).why == "unsupported"


def test_a_server_alone_is_neither_divided_nor_marked() -> None:
    fleet = Fleet(2, (placed(0, 1), 600, 0))
    assert fleet.usd_per_hour(A) == Figure(2 * PRICE)
    assert fleet.accounts.tok_per_j(fleet[A]) == Figure(1.0, coverage=29 / 60)
    assert value(fleet.accounts.usd_per_m_output(fleet[A])) == pytest.approx(2 * PRICE / (600 * 0.0036))


def test_what_is_shared_and_without_tokens_is_nobodys() -> None:
    fleet = Fleet(1, (placed(0), 0, 0), (placed(0, address=B), 0, 0))
    assert fleet.accounts.usd_per_hour(SHARED_IDLE) == Figure(PRICE)
    assert fleet.accounts.usd_per_m_output(fleet[A]).value is None
    assert fleet.usd_per_hour(A).why


def test_a_gpu_that_serves_nothing_is_unassigned() -> None:
    fleet = Fleet(3, (placed(0), 100, 0))
    assert fleet.accounts.usd_per_hour(UNASSIGNED) == Figure(2 * PRICE)


def test_a_server_on_no_gpu_costs_nothing_that_is_known() -> None:
    fleet = Fleet(1, (placed(0), 100, 0), (replace(placed(address=B), gpus=(), pids=()), 100, 0))
    assert fleet.accounts.usd_per_m_output(fleet[B]) == Figure(None, "placed on no GPU")
    assert fleet.accounts.tok_per_j(fleet[B]) == Figure(None, "placed on no GPU")


def test_mig_instances_share_the_watts_of_their_gpu() -> None:
    instances = (MigInstance("MIG-aaaa0000-1", "1g.10gb"), MigInstance("MIG-bbbb0000-2", "2g.20gb"))
    on_instance = [
        replace(placed(address=address), gpus=None, pids=(), visible_devices=instance.uuid)
        for address, instance in zip((A, B), instances, strict=True)
    ]
    fleet = Fleet(1, (on_instance[0], 100, 0), (on_instance[1], 300, 0), processes=None, mig_instances=instances)
    assert (value(fleet.watts(A)), value(fleet.watts(B))) == pytest.approx((75, 225))
    assert fleet.shown.totals.power_w == Figure(300.0)  # the parent's, once


# --- deployments of several servers -----------------------------------------------------------------------------------


def pair() -> Fleet:
    """Prefill on GPU 0, decode on GPUs 1 and 2: the prefill server counts one token a request, too."""
    prefill, decode = replace(placed(0), role="prefill"), replace(placed(1, 2, address=B), role="decode")
    return Fleet(3, (prefill, 10, 3000), (decode, 900, 3000))


def test_trap_28_tokens_per_watt_and_dollars_are_those_of_prefill_and_decode_together() -> None:
    fleet = pair()
    for address in (A, B):
        assert value(fleet.accounts.tok_per_j(fleet[address])) == pytest.approx(900 / 900)
        assert value(fleet.accounts.usd_per_m_output(fleet[address])) == pytest.approx(3 * PRICE / (900 * 0.0036))
    for row in fleet.shown.gpus:
        assert value(row.tok_s) == pytest.approx(300)
        assert value(row.tok_per_j) == pytest.approx(1.0)
        assert row.usd_per_m_output.marks == ()
        assert value(row.usd_per_m_output) == pytest.approx(3 * PRICE / (900 * 0.0036))


def test_each_half_counts_its_tokens_and_the_total_has_them_once() -> None:
    shown = pair().shown
    assert (value(shown.totals.tok_s), value(shown.totals.tok_s_all)) == pytest.approx((900, 3900))
    assert value(shown.totals.tok_per_j) == pytest.approx(1.0)
    assert value(shown.servers[0].prompt_tok_s) == 3000
    assert [row.serves for row in shown.gpus] == ["Qwen3-32B prefill", "Qwen3-32B decode", "Qwen3-32B decode"]


def test_a_pair_that_shares_a_gpu_with_another_server_pays_its_part_of_that_gpu() -> None:
    prefill, decode = replace(placed(0), role="prefill"), replace(placed(1, address=B), role="decode")
    other = placed(1, address="c:1", model="llama")
    box = Box()
    for second in range(30):
        of_other = page(second, FlowReading("llama", output_tokens=100 * second), facts=other)
        halves = [Fleet.page(second, prefill, 0, 200), Fleet.page(second, decode, 100, 0)]
        box.turn(second, [gpu(second), gpu(second, 1)], [*halves, of_other])
    moment = Moment(box.view(PriceBook((priced(PRICE),))))
    accounts = Accounts(moment)
    first = next(entity for entity, body in moment.servers if body.address == A)
    assert value(accounts.usd_per_hour(accounts.of_server(first))) == pytest.approx(PRICE + PRICE * 3 / 4)


# --- each token once --------------------------------------------------------------------------------------------------


def test_a_gateways_tokens_are_on_its_row_and_not_in_the_totals() -> None:
    box = Box()
    for second in range(30):
        facts = placed(address="g:1", engine="litellm")
        gateway = work(second, facts, layer=Layer.GATEWAY, moves=Moves.AT_END)
        box.turn(second, [gpu(second)], [work(second, placed(0)), gateway])
    shown = box.snapshot(PRICE)
    assert {row.address: value(row.tok_s) for row in shown.servers} == {A: 1200, "g:1": 1200}
    assert (value(shown.totals.tok_s), value(shown.totals.tok_per_j)) == (1200, 4.0)
    assert shown.totals.tok_s.marks == shown.totals.tok_per_j.marks == ()  # not "long", as the gateway's would be
    assert [rate for rate in shown.totals.tok_s_spark if rate is not None][-1] == pytest.approx(1200)
