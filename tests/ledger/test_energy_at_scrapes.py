"""Tokens per joule: tokens and energy are read at different instants, and still set against the same stretch of time.

The board makes tokens only in bursts, and draws more in them, so the true ratio depends on where a stretch ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.readings import Moves
from tests.ledger.box import NO_PRICE, Box, placed, restored
from tests.ledger.readings import flow, gpu, page
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.view import View

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

    def tokens_per_joule(self, tokens_s: tuple[float, float], energy_s: tuple[float, float]) -> float:
        """Mean tokens/s over one stretch by mean watts over another."""
        (t0, t1), (e0, e1) = tokens_s, energy_s
        watts = (self.energy_mj(e1) - self.energy_mj(e0)) / 1000 / (e1 - e0)
        return (self.tokens(t1) - self.tokens(t0)) / (t1 - t0) / watts


def recorded(bursts: Bursts, seconds: int, skew_s: float, *, moves: Moves = Moves.LIVE, page_every_s: int = 1) -> Box:
    """Ticks with the GPU read at the tick, and a page that was read `skew_s` before it."""
    box = Box()
    for second in range(1, seconds + 1):
        at_s = second - skew_s
        tokens = flow(output_tokens=bursts.tokens(at_s), prompt_tokens=0)
        server = page(at_s, tokens, facts=placed(0), moves=moves)
        box.turn(
            second,
            [gpu(second, energy_mj=10_000_000 + bursts.energy_mj(second))],
            [server] if second % page_every_s == 0 else [],
            known=[server.server],
        )
    return box


def shown(box: Box, from_s: int) -> Iterator[tuple[int, float]]:
    """(second, tokens per joule of the GPU) on the screen, from a second on; seconds without tokens are left out."""
    view = View(box.run, NO_PRICE)
    for second, record in enumerate(box.records, start=1):
        view.apply(record)
        ratio = snapshot(view, mode="live").gpus[0].tok_per_j if second >= from_s else None
        if ratio is not None and ratio.value is not None:
            yield second, ratio.value


@pytest.mark.parametrize(
    ("bursts", "window_s", "moves", "page_every_s"),
    [
        (Bursts(97, 12), 60, Moves.LIVE, 1),
        (Bursts(57, 7), 60, Moves.LIVE, 15),
        (Bursts(330, 17), 300, Moves.AT_END, 20),
    ],
    ids=["a page a second", "pages further apart", "at-end counters over five minutes"],
)
def test_clocks_that_differ_cost_nothing_where_a_join_on_ticks_is_off_by_more_than_five_percent(
    bursts: Bursts, window_s: int, moves: Moves, page_every_s: int
) -> None:
    skew_s = 0.9
    errors, naive_errors = [], []
    box = recorded(bursts, window_s + 300, skew_s, moves=moves, page_every_s=page_every_s)
    for second, ratio in shown(box, window_s + page_every_s + 1):
        pages_s = [at_s - skew_s for at_s in range(0, second + 1, page_every_s) if at_s - skew_s > second - window_s]
        covered = (pages_s[0] - page_every_s, pages_s[-1])
        exact = bursts.tokens_per_joule(covered, covered)
        naive = bursts.tokens_per_joule(covered, (second - window_s, second))
        errors.append(abs(ratio / exact - 1))
        naive_errors.append(abs(naive / exact - 1))
    assert max(errors) < 0.01
    assert max(naive_errors) > 0.05


@settings(max_examples=8, deadline=None)
@given(
    bursts=st.builds(Bursts, st.integers(20, 90), st.integers(3, 15)),
    skew_s=st.floats(0, 0.95),
    moves=st.sampled_from([Moves.LIVE, Moves.AT_END]),
    page_every_s=st.sampled_from([1, 7, 60]),
)
def test_a_replay_interpolates_to_the_same_figure(
    bursts: Bursts, skew_s: float, moves: Moves, page_every_s: int
) -> None:
    box = recorded(bursts, 370, skew_s, moves=moves, page_every_s=page_every_s)
    again = snapshot(restored(box.records, box.run, NO_PRICE), mode="live")
    assert again.gpus == box.snapshot().gpus
    assert again.totals == box.snapshot().totals
