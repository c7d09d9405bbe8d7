"""How what is known only as a whole is divided: by what tokens weigh, in whole numbers that add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tokwatch.ledger.economics.token_cost import Tokens, Weights, weighted

_SCALE: Final = 1_000_000  # weights are prices of a million tokens: to the millionth of a dollar


def token_weight(tokens: Tokens, weights: Weights) -> int:
    """The weight of some tokens, or of tokens a second, against others that share their GPUs: a whole number.

    `weights` are those of `prices.tokens.weighing(models)`: prices where every model that shares has a list, equal for
    all tokens without.
    """
    return round(weighted(tokens, weights) * _SCALE)


def split_counts(total: int, parts_ms: Sequence[int]) -> tuple[int, ...]:
    """`total` shared in proportion to `parts_ms` in whole numbers that add up to it (largest remainder).

    A longer part never gets less than a shorter one. Parts without any length: all of it goes to the last.
    """
    if len(parts_ms) == 1 or not total:
        return (total,) * len(parts_ms)
    length = sum(parts_ms)
    if length == 0:
        return (*(0 for _ in parts_ms[:-1]), total)
    shares = [divmod(total * part, length) for part in parts_ms]
    left = total - sum(whole for whole, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda index: -shares[index][1])
    rounded_up = set(by_remainder[:left])
    return tuple(whole + (index in rounded_up) for index, (whole, _) in enumerate(shares))
