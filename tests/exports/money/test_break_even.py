"""From which use owning beats renting, and one's own GPUs an API."""

from __future__ import annotations

import pytest

from tests.exports.money.accounts import DEEPSEEK, MODEL, OWN, account, made, rate
from tokwatch.exports.money.account import SHARED_IDLE, Account, Who, together
from tokwatch.exports.money.break_even import api_usd_per_m, rent_or_own, self_or_api
from tokwatch.ledger.capacity.capacity import DeclaredCapacity
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.economics.token_cost import Tokens
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import Own, Rent
from tokwatch.ledger.prices.token_prices import Tokens as TokenList

METERED = Own(server_usd=80_000 * 8760 / 10_000, gpus_per_server=8, years=1)  # 1 $ an hour and GPU
SITE = Facility(pue=1.0, host="ratio", host_ratio=0.0)


def h100(of: Account) -> dict[str, Charges]:
    """An account of GPUs of one model."""
    return {"H100": of.charges}


def test_vector_e_own_against_elastic_rent() -> None:
    found = rent_or_own(h100(account(rate(OWN), busy_hours=1, idle_hours=1)), 2.35)
    assert found.own_fixed_usd_per_gpu_hour.value == pytest.approx(1.92274, abs=5e-6)
    assert found.utilisation.value == pytest.approx(0.8182, abs=5e-5)
    assert found.in_use.value == 0.5
    assert found.assumptions


def test_the_electricity_of_use_is_apart_from_that_of_an_idle_gpu() -> None:
    own = account(rate(METERED, 0.10, SITE), busy_hours=2, watts=600, idle_hours=2, idle_watts=100)
    found = rent_or_own(h100(own), 2.0)
    assert found.own_fixed_usd_per_gpu_hour.value == pytest.approx(1.01)
    assert found.busy_energy_usd_per_gpu_hour.value == pytest.approx(0.05)
    assert found.utilisation.value == pytest.approx(1.01 / 1.95)


def test_an_own_gpu_that_was_never_idle_says_what_was_assumed() -> None:
    found = rent_or_own(h100(account(rate(METERED, 0.10, SITE), busy_hours=2, watts=600)), 2.0)
    assert found.own_fixed_usd_per_gpu_hour.value == pytest.approx(1.0)
    assert found.assumptions[-1].startswith("an own GPU was never idle")


def test_the_rent_is_the_books_elastic_one_unless_it_is_told() -> None:
    whole = together([account(rate(OWN), busy_hours=1), account(rate(Rent(3.0, elastic=True)), busy_hours=1)])
    assert rent_or_own(h100(whole)).rent_usd_per_gpu_hour.value == 3.0
    assert rent_or_own(h100(whole), 2.0).rent_usd_per_gpu_hour.value == 2.0


def test_another_gpus_rent_is_nothing_to_compare_with() -> None:
    of_model = {
        "H100": account(rate(OWN), busy_hours=1).charges,
        "L40S": account(rate(Rent(0.95, elastic=True)), busy_hours=1).charges,
    }
    found = rent_or_own(of_model)
    assert found.utilisation.value is found.rent_usd_per_gpu_hour.value is None
    assert found.utilisation.why == found.rent_usd_per_gpu_hour.why == "no elastic rent of H100: give one with --rent"
    assert rent_or_own(of_model, 2.35).rent_usd_per_gpu_hour.value == 2.35


def test_own_gpus_whose_model_nobody_rents_are_left_out_and_named() -> None:
    both = together([account(rate(OWN), busy_hours=1), account(rate(Rent(3.0, elastic=True)), busy_hours=1)])
    found = rent_or_own(h100(both) | {"A100": account(rate(METERED), busy_hours=9).charges})
    assert found.own_fixed_usd_per_gpu_hour.value == pytest.approx(1.92274, abs=5e-6)
    assert found.assumptions[-1] == "only of H100: no elastic rent of A100: give one with --rent"


def test_without_an_own_gpu_there_is_nothing_to_compare() -> None:
    found = rent_or_own(h100(account(rate(Rent(2.0)), busy_hours=1)), 2.35)
    assert (found.utilisation.value, found.utilisation.why) == (None, "no GPU of one's own in the price book")


def test_vector_e_own_gpus_against_an_api() -> None:
    spent = account(rate(Rent(2.35)), busy_hours=10, made=made(0, 0, 1e9))
    capacity = DeclaredCapacity(tok_s_per_gpu=596.14, source="our benchmark", model="deepseek")
    [found] = self_or_api({MODEL: spent}, DEEPSEEK, 10.0, (capacity,))
    assert found.tok_s.value == pytest.approx(298.07, abs=5e-3)
    assert found.tok_s_had.value == pytest.approx(1e9 / 36_000)
    assert found.utilisation.value == pytest.approx(0.5, rel=1e-4)
    assert found.assumptions[-1] == "capacity as declared: our benchmark"
    [without] = self_or_api({MODEL: spent}, DEEPSEEK, 10.0)
    assert without.utilisation.why == "no capacity within the SLO declared"


def test_the_idle_time_that_a_models_traffic_left_is_in_its_cost() -> None:
    accounts = {
        MODEL: account(rate(Rent(1.0)), busy_hours=1, made=made(0, 0, 1e6)),
        Who("prod", "deepseek", left_over=SHARED_IDLE): account(rate(Rent(1.0)), idle_hours=3),
    }
    [found] = self_or_api(accounts, DEEPSEEK, 1.0)
    assert found.usd_per_hour.value == 4.0


def test_a_model_without_an_api_price_says_so() -> None:
    spent = account(rate(Rent(1.0)), busy_hours=1, made=made(0, 0, 1e6))
    [found] = self_or_api({MODEL: spent}, TokenList(), 1.0)
    assert found.tok_s.why == found.api_usd_per_m_blended.why == found.utilisation.why == "no API price set"
    assert self_or_api({MODEL: Account()}, TokenList(), 1.0) == ()


def test_an_apis_price_of_a_mix_is_its_bill_over_all_tokens() -> None:
    assert api_usd_per_m({MODEL: Tokens(3e6, 0, 1e6)}, DEEPSEEK) == pytest.approx((3 * 0.55 + 2.19) / 4)
    assert api_usd_per_m({MODEL: Tokens(3e6, 0, 1e6)}, TokenList()) is None
    assert api_usd_per_m({}, DEEPSEEK) is None
