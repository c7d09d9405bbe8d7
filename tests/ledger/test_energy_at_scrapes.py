"""Tokens per joule: tokens and energy are read at different instants, and still set against the same stretch of time.

The board draws in long bursts and makes tokens only in them, so the true ratio of a stretch depends on where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.readings import Moves
from tests.ledger.box import Box, placed, restored, value
from tests.ledger.readings import flow, gpu, page
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.prices import PriceBook
from tokwatch.ledger.snapshot import Snapshot

IDLE_W, BUSY_W = 100, 600
TOKENS_PER_S = 2000


@dataclass(frozen=True)
class Bursts:
    """Busy for the first `busy_s` of each period: 600 W and 2000 tokens/s; else 100 W and none."""

    period_s: float
    busy_s: float

    def busy_until_s(self, second: float) -> float:
        whole, rest_s = divmod(second, self.period_s)
        return whole * self.busy_s + min(rest_s, self.busy_s)

    def energy_mj(self, second: float) -> int:
        return round((IDLE_W * second + (BUSY_W - IDLE_W) * self.busy_until_s(second)) * 1000)

    def tokens(self, second: float) -> int:
        return round(TOKENS_PER_S * self.busy_until_s(second))


def recorded(bursts: Bursts, seconds: range, skew_s: float, *, moves: Moves = Moves.LIVE) -> Box:
    """Ticks with the GPU read at the tick, and the page that much before it."""
    box = Box()
    for second in seconds:
        at_s = second - skew_s
        reading = flow(output_tokens=bursts.tokens(at_s), prompt_tokens=0)
        box.turn(
            second,
            [gpu(second, energy_mj=10_000_000 + bursts.energy_mj(second))],
            [page(at_s, reading, facts=placed(0), moves=moves)],
        )
    return box


def truth(bursts: Bursts, from_s: float, to_s: float) -> float:
    joules = (bursts.energy_mj(to_s) - bursts.energy_mj(from_s)) / 1000
    return (bursts.tokens(to_s) - bursts.tokens(from_s)) / joules


def naive(bursts: Bursts, from_s: float, to_s: float, skew_s: float) -> float:
    """The quotient of what came to hand in the same ticks."""
    joules = (bursts.energy_mj(to_s) - bursts.energy_mj(from_s)) / 1000
    return (bursts.tokens(to_s - skew_s) - bursts.tokens(from_s - skew_s)) / joules


def test_a_page_read_long_before_the_gpu_is_set_against_the_energy_of_its_own_time() -> None:
    bursts = Bursts(period_s=40, busy_s=13)
    skew_s, last_s = 0.7, 13  # the first burst ends between the page and the reading of the GPU
    shown = value(recorded(bursts, range(1, last_s + 1), skew_s).snapshot().gpus[0].tok_per_j)
    exact = truth(bursts, 1 - skew_s, last_s - skew_s)
    assert shown == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("moves", [Moves.LIVE, Moves.AT_END])
def test_skewed_clocks_cost_less_than_a_hundredth_where_a_join_on_ticks_costs_more_than_five(moves: Moves) -> None:
    bursts, skew_s = Bursts(period_s=97, busy_s=12), 0.9
    errors, naive_errors = [], []
    for last_s in range(97, 97 + 14):
        window_s = 300 if moves is Moves.AT_END else 60
        box = recorded(bursts, range(max(0, last_s - window_s) + 1, last_s + 1), skew_s, moves=moves)
        from_s = max(0, last_s - window_s) + 1
        exact = truth(bursts, from_s - skew_s, last_s - skew_s)
        if not exact:
            continue
        errors.append(abs(value(box.snapshot().gpus[0].tok_per_j) / exact - 1))
        naive_errors.append(abs(naive(bursts, from_s, last_s, skew_s) / exact - 1))
    assert max(errors) < 0.01
    assert max(naive_errors) > 0.05
