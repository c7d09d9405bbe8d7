"""Figures that others have published or that were worked out by hand, to the digits given."""

from __future__ import annotations

import pytest

from tokwatch.ledger.economics.arithmetic import cost_each, ratio
from tokwatch.ledger.economics.break_even import rent_or_own, self_or_api
from tokwatch.ledger.economics.energy import (
    J_PER_KWH,
    facility_kwh,
    gco2e,
    j_per_token,
    tok_per_j,
    tok_s_per_mw,
    wh_per_request,
)
from tokwatch.ledger.economics.revenue import (
    TokenPrices,
    blended_usd_per_m,
    margin,
    profit_usd,
    revenue_usd,
)
from tokwatch.ledger.economics.token_cost import Tokens, by_role, split, usd_of, usd_per_million, weighted
from tokwatch.ledger.economics.what_if import Economics
from tokwatch.ledger.prices.book import MS_PER_HOUR, cost
from tokwatch.ledger.prices.token_prices import TokenPrice
from tokwatch.ledger.prices.token_prices import Tokens as PriceList

HOUR_S = 3600.0

# --- InferenceX, 2025-10-09: gpt-oss-120b, all tokens, provisioned all-in power ---------------------------------------


@pytest.mark.parametrize(
    ("tok_s_mw", "kw", "tok_s_gpu", "j_tok", "hourly", "per_m"),
    [
        pytest.param(900_000, 1.73, 1557.0, 1.1111, (1.30, 1.69, 1.30), (0.2319, 0.3015, 0.2319), id="H100"),
        pytest.param(2_800_000, 2.17, 6076.0, 0.3571, (1.95, 2.34, 2.90), (0.0891, 0.1070, 0.1326), id="B200"),
        pytest.param(750_000, 1.79, 1342.5, 1.3333, (1.12, 1.40, 1.55), (0.2317, 0.2897, 0.3207), id="MI300X"),
        pytest.param(2_550_000, 2.65, 6757.5, 0.3922, (1.48, 1.90, 2.10), (0.0608, 0.0781, 0.0863), id="MI355X"),
    ],
)
def test_inferencex_four_chips_agree_with_themselves(
    tok_s_mw: float,
    kw: float,
    tok_s_gpu: float,
    j_tok: float,
    hourly: tuple[float, float, float],
    per_m: tuple[float, float, float],
) -> None:
    assert tok_s_mw * kw / 1000 == pytest.approx(tok_s_gpu, abs=0.05)
    assert tok_s_per_mw(tok_s_gpu, kw * 1000) == pytest.approx(tok_s_mw)
    assert j_per_token(kw * 1000, tok_s_gpu) == pytest.approx(j_tok, abs=5e-5)
    costs = [usd_per_million(usd, tok_s_gpu * HOUR_S) for usd in hourly]
    assert costs == pytest.approx(per_m, abs=5e-5)


@pytest.mark.parametrize(
    ("usd_per_hour", "usd_per_m", "tok_s_gpu", "within"),
    [
        pytest.param(1.95, 0.56, 967.3, 0.05, id="B200 at 50 tok/s/user"),
        pytest.param(1.95, 4.0, 135.4, 0.05, id="B200 at 125 tok/s/user"),
        pytest.param(1.95, 0.02, 27_083, 0.5, id="B200 at its cheapest"),
        pytest.param(2.652, 2.35, 313.5, 0.05, id="GB300"),
        pytest.param(2.652, 0.11, 6697, 0.5, id="GB300 with MTP"),
        pytest.param(1.41, 0.226, 1733, 0.5, id="H200 input"),
        pytest.param(1.41, 2.955, 132.5, 0.05, id="H200 output"),
    ],
)
def test_a_price_and_an_hourly_cost_tell_the_throughput_behind_them(
    usd_per_hour: float, usd_per_m: float, tok_s_gpu: float, within: float
) -> None:
    assert self_or_api(usd_per_hour, usd_per_m).tok_per_s == pytest.approx(tok_s_gpu, abs=within)


def test_inferencex_margins_are_83_and_45_percent() -> None:
    assert margin(1.35, 0.226) == pytest.approx(0.833, abs=5e-4)
    assert margin(5.40, 2.955) == pytest.approx(0.453, abs=5e-4)


# --- LMSYS, 2025-05-05: DeepSeek on 96 H100 ---------------------------------------------------------------------------


def test_lmsys_decode_node_makes_a_million_tokens_for_20_cents() -> None:
    assert usd_per_million(16.0, 22_300 * HOUR_S) == pytest.approx(0.1993, abs=5e-5)


def test_lmsys_prefill_node_reads_a_million_tokens_for_8_cents() -> None:
    assert usd_per_million(16.0, 52_300 * HOUR_S) == pytest.approx(0.0850, abs=5e-5)


def test_the_price_of_output_leaves_the_prefill_nodes_out_and_the_roles_together_do_not() -> None:
    hour = Tokens(52_300 * HOUR_S, 0, 22_300 * HOUR_S)
    assert by_role(16.0, 16.0, hour) == pytest.approx((0.0850, 0.1993), abs=5e-5)
    assert usd_per_million(32.0, hour.output) == pytest.approx(2 * 0.1993, abs=1e-4)


# --- DeepSeek, 2025-02-27/28: 24 hours of V3 and R1 -------------------------------------------------------------------

DEEPSEEK = Tokens(uncached=266e9, cached=342e9, output=168e9)
R1_PRICES = TokenPrices(input=0.55, cached_input=0.14, cache_write=None, output=2.19)
GPU_SECONDS = 226.75 * 8 * 24 * HOUR_S
DEEPSEEK_USD = 87_072.0


def test_deepseeks_day_costs_87072_dollars() -> None:
    assert cost(2.0, round(GPU_SECONDS * 1000)) == pytest.approx(DEEPSEEK_USD, abs=1e-6)


def test_deepseeks_day_earns_562100_dollars_at_r1_prices() -> None:
    assert revenue_usd(DEEPSEEK, R1_PRICES) == pytest.approx(562_100.0, abs=1e-6)


def test_deepseeks_margin_is_545_percent_of_its_cost() -> None:
    assert ratio(profit_usd(562_100.0, DEEPSEEK_USD), DEEPSEEK_USD) == pytest.approx(5.4556, abs=5e-5)


def test_deepseeks_gpu_hour_leaves_10_dollars_91() -> None:
    profit = profit_usd(562_100.0, DEEPSEEK_USD)
    assert profit is not None
    assert profit / (GPU_SECONDS / HOUR_S) == pytest.approx(10.911, abs=5e-4)


def test_deepseeks_million_tokens_cost_11_cents_blended_and_52_of_output_alone() -> None:
    assert usd_per_million(DEEPSEEK_USD, DEEPSEEK.total) == pytest.approx(0.1122, abs=5e-5)
    assert usd_per_million(DEEPSEEK_USD, DEEPSEEK.output) == pytest.approx(0.5183, abs=5e-5)


def test_deepseeks_cost_splits_by_price_and_adds_up() -> None:
    price_list = PriceList(prices=(TokenPrice(input=0.55, cached_input=0.14, output=2.19),))
    weights = price_list.weighing(["R1"]).of("R1")
    assert weighted(DEEPSEEK, weights) / 2.19 == pytest.approx(256.667e9, rel=5e-6)
    classes = split(DEEPSEEK_USD, DEEPSEEK, weights)
    assert classes.output == pytest.approx(0.33924, abs=5e-6)
    assert classes.input == pytest.approx(0.08520, abs=5e-6)
    assert classes.cached == pytest.approx(0.02169, abs=5e-6)
    assert classes == pytest.approx((0.085198, 0.021687, 0.339242), abs=5e-7)
    assert usd_of(DEEPSEEK, classes) == pytest.approx(DEEPSEEK_USD, abs=1e-6)


# --- a bought server of 320 000 $ with 8 GPUs: 4 years, 10 % a year, its own electricity ------------------------------

OWN_CAPITAL_AND_OPEX = 1.37296 + 0.22831


def test_a_bought_gpus_hour_costs_1_dollar_74_on_its_own_electricity() -> None:
    hour = Economics(
        fixed_usd=OWN_CAPITAL_AND_OPEX,
        board_kwh=1.275,
        board_floor_kwh=None,
        host_kwh=0.0,
        pue=1.3,
        usd_per_kwh=0.085,
        tokens=Tokens(0, 0, 0),
        prices=R1_PRICES,
    )
    assert hour.energy_usd == pytest.approx(0.14089, abs=5e-6)
    assert hour.cost_usd == pytest.approx(1.74215, abs=1.1e-5)  # its parts are rounded to 5 digits


def test_owning_beats_rent_of_2_dollars_35_when_used_82_percent_of_the_time() -> None:
    colocated = 1.92274
    assert rent_or_own(colocated, 2.35).utilisation == pytest.approx(0.8182, abs=5e-5)


def test_a_gpu_of_2_dollars_35_beats_an_api_of_2_dollars_19_at_298_tokens_a_second() -> None:
    even = self_or_api(2.35, 2.19)
    assert even.mtok_per_hour == pytest.approx(1.0731, abs=5e-5)
    assert even.tok_per_s == pytest.approx(298.07, abs=5e-3)


# --- energy -----------------------------------------------------------------------------------------------------------


def test_ml_energys_eighth_of_a_joule_is_eight_million_tokens_a_second_a_megawatt() -> None:
    assert tok_per_j(1.0, 0.12) == pytest.approx(8.333, abs=5e-4)
    assert tok_s_per_mw(1.0, 0.12) == pytest.approx(8.333e6, abs=500)
    kwh = 0.12 * 1e6 / J_PER_KWH
    assert kwh == pytest.approx(0.0333, abs=5e-5)
    assert kwh * 0.085 == pytest.approx(0.00283, abs=5e-6)


def test_inferencex_h100_tokens_take_two_and_a_half_cents_of_electricity_a_million() -> None:
    kwh = (j_per_token(1730.0, 1557.0) or 0) * 1e6 / J_PER_KWH
    assert kwh * 0.085 == pytest.approx(0.02623, abs=6e-6)  # 0.026235


def test_googles_median_prompt_takes_864_joules_and_125_grams_a_kilowatt_hour() -> None:
    assert wh_per_request(864.0, 1) == pytest.approx(0.24)
    assert gco2e(0.24e-3, 125.0) == pytest.approx(0.03)


def test_a_query_of_2048_tokens_at_inferencex_h100_power_takes_two_thirds_of_a_watt_hour() -> None:
    assert wh_per_request(2048 * 1.1111, 1) == pytest.approx(0.632, abs=5e-4)


def test_boards_of_a_kilowatt_take_more_at_the_meter() -> None:
    assert facility_kwh(1.0, 0.43, 1.3) == pytest.approx(1.859)


# --- idle -------------------------------------------------------------------------------------------------------------


def test_eight_gpus_parked_for_three_hours_cost_56_dollars_40() -> None:
    assert cost(8 * 2.35, 3 * MS_PER_HOUR) == pytest.approx(56.40, abs=1e-9)


def test_21_idle_gpus_of_a_hundred_are_49_dollars_35_an_hour_and_21_percent_of_the_burn() -> None:
    idle = cost(12 * 2.35, MS_PER_HOUR) + cost(9 * 2.35, MS_PER_HOUR)
    assert idle == pytest.approx(49.35, abs=1e-9)
    assert ratio(idle, cost(100 * 2.35, MS_PER_HOUR)) == pytest.approx(0.21)


def test_aegaeons_rarely_used_models_cost_13_times_the_mean_a_request() -> None:
    assert cost_each(0.177, 0.0135) == pytest.approx(13.1, abs=0.05)


# --- price lists ------------------------------------------------------------------------------------------------------


def test_deepseeks_tokens_sell_for_72_cents_a_million() -> None:
    assert blended_usd_per_m(DEEPSEEK, R1_PRICES) == pytest.approx(562_100 / 776_000)
