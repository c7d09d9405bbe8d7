"""Another mix of models: each class at each model's own cost, and quality said to be outside."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.ledger.economics.amounts import SHARES, SPLITS, TOKENS
from tokwatch.ledger.economics.model_mix import QUALITY, model_mix
from tokwatch.ledger.economics.token_cost import NO_SPLIT, Split, Tokens

LARGE, SMALL = Split(0.40, 0.04, 2.0), Split(0.05, 0.01, 0.20)
MILLION_EACH = Tokens(1e6, 1e6, 1e6)


def test_a_tenth_of_the_large_models_tokens_on_the_small_one() -> None:
    mix = model_mix(MILLION_EACH, LARGE, SMALL, 0.10)
    assert mix.usd_before == pytest.approx(2.44)
    assert mix.usd_saved == pytest.approx(0.10 * (2.44 - 0.26))


def test_quality_is_said_to_be_outside_the_tool() -> None:
    mix = model_mix(MILLION_EACH, LARGE, SMALL, 0.10)
    assert mix.assumptions[0] == QUALITY
    assert "quality is outside this tool" in QUALITY


@given(TOKENS, SPLITS, SPLITS)
def test_moving_nothing_changes_nothing_and_moving_all_costs_what_the_small_model_does(
    tokens: Tokens, large: Split, small: Split
) -> None:
    nothing = model_mix(tokens, large, small, 0.0)
    assert nothing.usd_after == nothing.usd_before
    everything = model_mix(tokens, large, small, 1.0)
    assert everything.usd_after == model_mix(tokens, small, small, 0.0).usd_before


@given(TOKENS, SPLITS, SPLITS, SHARES)
def test_the_saving_is_in_proportion_to_the_share(tokens: Tokens, large: Split, small: Split, share: float) -> None:
    part, whole = model_mix(tokens, large, small, share), model_mix(tokens, large, small, 1.0)
    if part.usd_saved is None or whole.usd_saved is None:
        return
    scale = abs(part.usd_before or 0) + abs(whole.usd_after or 0)
    assert part.usd_saved == pytest.approx(share * whole.usd_saved, abs=1e-9 * scale)


def test_a_small_model_of_unknown_cost_leaves_the_answer_open() -> None:
    mix = model_mix(MILLION_EACH, LARGE, NO_SPLIT, 0.5)
    assert mix.usd_before == pytest.approx(2.44)
    assert (mix.usd_after, mix.usd_saved) == (None, None)


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan")])
def test_more_than_all_tokens_cannot_be_moved(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        model_mix(MILLION_EACH, LARGE, SMALL, share)
