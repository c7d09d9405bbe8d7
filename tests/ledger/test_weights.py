"""What is known only as a whole is divided by weight, and the parts add up to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.economics.token_cost import EQUAL, Tokens, Weights
from tokwatch.ledger.weights import split_counts, token_weight

parts = st.lists(st.integers(0, 10**9), min_size=1, max_size=8)


@given(st.integers(0, 2**60), parts)
def test_the_parts_of_a_count_add_up_to_it(total: int, parts_ms: list[int]) -> None:
    split = split_counts(total, parts_ms)
    assert len(split) == len(parts_ms)
    assert sum(split) == total
    assert min(split) >= 0


@given(st.integers(0, 2**40), parts)
def test_a_longer_part_never_gets_less(total: int, parts_ms: list[int]) -> None:
    split = split_counts(total, parts_ms)
    for length, share in zip(parts_ms, split, strict=True):
        assert all(share <= other for longer, other in zip(parts_ms, split, strict=True) if longer > length)


def test_a_part_differs_from_its_exact_share_by_less_than_one() -> None:
    assert split_counts(10, [1, 1, 1]) == (4, 3, 3)
    assert split_counts(7, [0, 500, 500]) == (0, 4, 3)
    assert split_counts(1, [100, 899]) == (0, 1)


def test_without_any_length_all_goes_to_the_last_part() -> None:
    assert split_counts(5, [0, 0]) == (0, 5)
    assert split_counts(5, [0]) == (5,)


def test_tokens_weigh_what_their_class_is_priced_at() -> None:
    deepseek = Weights(0.55, 0.14, 2.19)
    assert token_weight(Tokens(266e9, 342e9, 168e9), deepseek) == round(562_100e12)
    assert token_weight(Tokens(1, 1, 1), EQUAL) == 3 * token_weight(Tokens(0, 0, 1), EQUAL)


def test_a_trickle_of_tokens_a_second_still_weighs_something() -> None:
    assert token_weight(Tokens(0.001, 0, 0), EQUAL) == 1000
