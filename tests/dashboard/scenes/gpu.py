"""The past of the box's GPUs, made up from its state strip: what the GPU screen asks for."""

from __future__ import annotations

import math

from tokwatch.dashboard.charts.state_bar import longest_states
from tokwatch.feeds.questions.gpu_past import GpuPast
from tokwatch.feeds.questions.gpu_reasons import GpuReasons
from tokwatch.feeds.questions.gpu_since import GpuSince
from tokwatch.ledger.gpu_past import GpuHistory
from tokwatch.ledger.throttling import Slowed

_IDLE_W = {"parked": 128.0, "unallocated": 68.0, "loading": 210.0}
_WORK = {"serving": (560.0, 3300.0), "saturated": (690.0, 4200.0)}


def history(question: GpuPast) -> GpuHistory:
    """Of the states on the strip: watts and tokens that go with each, a little uneven, always the same ones."""
    from tests.dashboard.snapshots import STRIP  # which imports the table that this stands in

    spans = STRIP[(question.entity - 10) % len(STRIP)].spans
    to_ms = question.from_ms + question.buckets * question.step_ms
    states = longest_states(spans, question.from_ms, to_ms, question.buckets) if question.buckets else []
    power: list[float | None] = []
    tok_s: list[float | None] = []
    for number, state in enumerate(states):
        watts, rate = _WORK.get(state, (_IDLE_W.get(state), None if state in ("", "unallocated") else 0.0))
        sway = 1 + 0.06 * math.sin(number / 9) + 0.03 * math.sin(number * 2.3)
        power.append(watts and watts * (sway if state in _WORK else 1))
        tok_s.append(rate and rate * sway)
    held = {state: states.count(state) * question.step_ms for state in states}
    return GpuHistory(
        question.from_ms,
        question.step_ms,
        power_w=tuple(power),
        tok_s=tuple(tok_s),
        tok_per_j=tuple(
            None if rate is None or not watts else rate / watts for rate, watts in zip(tok_s, power, strict=True)
        ),
        states=tuple(states),
        state_ms=tuple(sorted(held.items(), key=lambda item: (item[0] == "", -item[1]))),
    )


def reasons(question: GpuReasons) -> tuple[Slowed, ...]:
    """Half an hour at rest, some minutes at its power limit."""
    return (
        Slowed("idle", 0.365, alert=False),
        Slowed("power cap", 0.081, alert=False),
        Slowed("too hot (software)", 0.0, alert=False),
        Slowed("too hot (hardware)", 0.0, alert=True),
        Slowed("hardware slowdown", 0.0, alert=True),
        Slowed("power brake", 0.0, alert=True),
    )


def first_seen(question: GpuSince) -> int:
    """A second after it began."""
    return question.since_ms + 1000
