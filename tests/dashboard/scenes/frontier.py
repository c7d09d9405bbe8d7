"""The box's Qwen3-32B over six hours: 357 minutes of it, two of its own benchmarks, always the same."""

from __future__ import annotations

import random
from typing import Final

from msgspec.structs import replace

from tokwatch.feeds.questions.operating_points import OperatingPoints
from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.capacity.looking_back import OperatingPast, time_in_box
from tokwatch.ledger.capacity.operating_point import Throughput
from tokwatch.ledger.capacity.references import Reference
from tokwatch.ledger.capacity.row import CapacityRow, PointRow
from tokwatch.ledger.economics.token_cost import usd_per_million
from tokwatch.ledger.figure import Figure

MINUTE_MS: Final = 60_000
ENTITY: Final = 2  # the server of the box that has GPUs 0–3
USD_PER_GPU_HOUR: Final = 2.35
MIX: Final = "50-75"
CONFIGURED: Final = Box(tok_s_per_user_at_least=40, usd_per_m_output_at_most=0.50)
REFERENCES: Final = (
    Reference("bench 2 Nov", 26, 3_400, 1_330, 640, source="mine.csv"),
    Reference("bench 9 Nov, no cache", 61, 2_600, 980, source="mine.csv"),
)


def minute(to_ms: int, tok_s: float | None, tok_s_per_user: float | None, box: Box = CONFIGURED) -> PointRow:
    """One minute by its output per GPU and its interactivity."""
    usd = usd_per_million(USD_PER_GPU_HOUR, None if tok_s is None else tok_s * 3600)
    per_mw = None if tok_s is None else tok_s / (250 + tok_s / 4) * 1e6
    return PointRow(
        from_ms=to_ms - MINUTE_MS,
        to_ms=to_ms,
        gpus=4,
        tok_s_per_user=tok_s_per_user,
        per_token=False,
        output_tok_s_per_gpu=tok_s,
        total_tok_s_per_gpu=None if tok_s is None else tok_s * 4.7,
        output_tok_s_per_board_mw=per_mw,
        total_tok_s_per_board_mw=None if per_mw is None else per_mw * 4.7,
        prompt_share=0.61,
        running=None if tok_s is None or not tok_s_per_user else 4 * tok_s / tok_s_per_user,
        slo_met_at_least=0.979,
        usd_per_m_output=usd,
        profit_usd_per_hour=None,
        side=box.side(tok_s_per_user, usd),
        mix=MIX,
        cached_share=0.48,
    )


def minutes(to_ms: int, number: int = 357, box: Box = CONFIGURED) -> tuple[PointRow, ...]:
    """As load comes and goes in waves: the more of it, the more tokens and the slower each user's."""
    dice = random.Random(7)
    points = []
    for i in range(number):
        load = 0.5 + 0.45 * (1 - 2 * abs((i / 170) % 1 - 0.5)) * (1 if i % 3 else dice.random()) - 0.3 * (i > 330)
        load = min(0.97, max(0.05, load + dice.gauss(0, 0.06)))
        user = 112 - 96 * load
        best = 2_230 * (1 - ((user - 12) / 106) ** 1.35) if user > 12 else 2_230
        points.append(minute(to_ms - (number - 1 - i) * MINUTE_MS, best * (1 - abs(dice.gauss(0, 0.13))), user, box))
    points[-2] = minute(to_ms - MINUTE_MS, 1_420, 44.1, box)
    points[-1] = minute(to_ms, 1_551, 46.5, box)
    return tuple(points)


def operating_past(
    at_ms: int, span_ms: int = 6 * 60 * MINUTE_MS, box: Box | None = None, number: int = 357
) -> OperatingPast:
    """What the store says of it at a moment."""
    box = CONFIGURED if box is None else box
    points = minutes(at_ms // MINUTE_MS * MINUTE_MS, number, box)[-max(1, span_ms // MINUTE_MS) :]
    frontier: list[PointRow] = []
    for point in sorted(points, key=lambda each: -(each.tok_s_per_user or 0)):
        if not frontier or (point.output_tok_s_per_gpu or 0) > (frontier[-1].output_tok_s_per_gpu or 0):
            frontier.append(replace(point, frontiers=tuple(each.value for each in Throughput)))
    inside = [point for point in frontier if point.side in ("inside", "")]
    return OperatingPast(
        entity=ENTITY,
        from_ms=at_ms - span_ms,
        to_ms=at_ms,
        mix=MIX,
        box=box,
        points=points,
        frontier=tuple(frontier),
        best=max(inside, key=lambda point: point.output_tok_s_per_gpu or 0, default=None),
        time=time_in_box(points) if box.set else None,
        prompt_per_output=3.7,
        coverage=0.99,
        usd_per_gpu_hour=USD_PER_GPU_HOUR,
        references=REFERENCES,
    )


def capacity(at_ms: int) -> tuple[CapacityRow, ...]:
    """The rows of a Snapshot: a deployment of four GPUs at work, and one that has not had a whole minute yet."""
    at_work = CapacityRow(
        entity=ENTITY,
        servers=(2,),
        models=("Qwen/Qwen3-32B",),
        deployment="",
        gpus=4,
        mix=MIX,
        now=minutes(at_ms // MINUTE_MS * MINUTE_MS)[-1],
        gap=Figure(0.08),
        box=CONFIGURED,
    )
    return (at_work, CapacityRow(3, (3,), ("openai/gpt-oss-120b",), "", 1, "", box=CONFIGURED))


def answer(question: OperatingPoints) -> OperatingPast | None:
    """What FakeFeed is told."""
    if question.entity != ENTITY:
        return replace(
            operating_past(question.at_ms, number=2),
            entity=question.entity,
            points=(),
            frontier=(),
            best=None,
            time=None,
        )
    return operating_past(question.at_ms, question.span_ms, question.box)
