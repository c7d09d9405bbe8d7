"""What tokens fetch: lists, tiers and their sources, weights, tasks."""

from __future__ import annotations

import pytest

from tokwatch.ledger.economics.revenue import TokenPrices
from tokwatch.ledger.economics.token_cost import EQUAL
from tokwatch.ledger.prices.token_prices import STANDARD, TaskValue, TierOf, TokenPrice, Tokens

R1 = TokenPrice(2.19, 0.55, "r1", cached_input=0.14, cache_write=0.7)
REST = TokenPrice(1.0, 0.5)


def test_a_cached_token_costs_as_much_as_any_unless_told() -> None:
    assert REST.prices == TokenPrices(0.5, 0.5, None, 1.0)


def test_a_model_has_its_own_list_or_that_of_all_models() -> None:
    tokens = Tokens((R1, REST))
    assert tokens.of("r1", STANDARD) == TokenPrices(0.55, 0.14, 0.7, 2.19)
    assert tokens.of("llama", STANDARD) == REST.prices
    assert Tokens((R1,)).of("llama", STANDARD) is None


def test_a_tier_multiplies_the_standard_list_in_every_class() -> None:
    assert Tokens((R1,), {"batch": 0.5}).of("r1", "batch") == TokenPrices(0.275, 0.07, 0.35, 1.095)


def test_a_tier_without_a_multiplier_or_list_has_no_price() -> None:
    assert Tokens((R1,), {"batch": 0.5}).of("r1", "flex") is None


def test_a_models_list_in_a_tier_beats_the_multiplier() -> None:
    batch = TokenPrice(1.5, 0.3, "r1", "batch")
    assert Tokens((R1, batch), {"batch": 0.5}).of("r1", "batch") == batch.prices


def test_a_models_standard_list_beats_a_tiers_list_for_all_models() -> None:
    batch_for_all = TokenPrice(0.4, 0.2, "", "batch")
    tokens = Tokens((R1, REST, batch_for_all), {"batch": 0.5})
    assert tokens.of("r1", "batch") == R1.prices.scaled(0.5)
    assert tokens.of("llama", "batch") == batch_for_all.prices


RULES = (TierOf("night", deployment="d"), TierOf("batch", model="m@batch"), TierOf("gold", tenant="t"))


@pytest.mark.parametrize(
    ("label", "deployment", "model", "tenant", "found"),
    [
        ("flex", "d", "m@batch", "t", ("flex", "gateway")),
        ("", "d", "m@batch", "t", ("gold", "tenant")),
        ("", "d", "m@batch", "u", ("batch", "model")),
        ("", "d", "m", "", ("night", "deployment")),
        ("", "", "m", "", (STANDARD, "assumed")),
    ],
)
def test_a_tier_comes_from_the_most_particular_source(
    label: str, deployment: str, model: str, tenant: str, found: tuple[str, str]
) -> None:
    assert Tokens(tier_of=RULES).tier(label, deployment, "10.0.0.1:8000", model, tenant) == found


def test_a_deployment_may_be_named_by_its_address() -> None:
    tokens = Tokens(tier_of=(TierOf("batch", deployment="10.0.0.1:8000"),))
    assert tokens.tier("", "", "10.0.0.1:8000", "m", "") == ("batch", "deployment")


def test_tokens_weigh_as_they_are_priced_and_alike_without_prices() -> None:
    weights = Tokens((R1,)).weighing(["r1"]).of("r1")
    assert weights.input / weights.output == pytest.approx(0.55 / 2.19)
    assert weights.cached / weights.output == pytest.approx(0.14 / 2.19)
    assert Tokens().weighing(["r1"]).of("r1") == EQUAL


def test_several_models_are_weighed_by_price_only_where_all_have_a_list() -> None:
    mixed = Tokens((R1,)).weighing(["r1", "llama", "qwen"])
    assert mixed.of("r1") == mixed.of("llama") == EQUAL
    assert mixed.why_alike == "no standard price list of llama and 1 more"
    assert Tokens((R1,)).weighing(["r1", "llama"]).why_alike == "no standard price list of llama"
    assert Tokens().weighing(["r1"]).why_alike == "no token prices set"


def test_a_list_of_equal_prices_is_a_list() -> None:
    weighing = Tokens((TokenPrice(1.0, 1.0, "r1", cached_input=1.0),)).weighing(["r1"])
    assert (weighing.of("r1"), weighing.why_alike) == (EQUAL, "")


def test_a_finished_request_is_worth_what_its_user_says() -> None:
    tokens = Tokens(tasks=(TaskValue(0.02, "r1"), TaskValue(0.01)))
    assert (tokens.task_value("r1"), tokens.task_value("llama"), Tokens().task_value("r1")) == (0.02, 0.01, None)
