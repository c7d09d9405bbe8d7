"""The capacity of one deployment at a moment, as a Snapshot tells it. Shapes only; amounts are in its currency.

Throughput of capacity is of computed tokens: prompt tokens that the prefix cache did not hold, and output.
"""

from __future__ import annotations

import msgspec

from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.figure import UNMEASURED, Figure


class PointRow(msgspec.Struct, frozen=True, gc=False):
    """One window of the deployment on the chart. None is unknown."""

    from_ms: int
    to_ms: int
    gpus: int
    tok_s_per_user: float | None  # interactivity
    per_token: bool  # … of the gaps between tokens, for want of times per request: long answers weigh more
    output_tok_s_per_gpu: float | None
    total_tok_s_per_gpu: float | None  # prompt (cached included) + output
    output_tok_s_per_board_mw: float | None
    total_tok_s_per_board_mw: float | None
    prompt_share: float | None  # of the computed tokens
    running: float | None  # mean requests
    slo_met_at_least: float | None  # share of its requests
    usd_per_m_output: float | None  # at present prices
    profit_usd_per_hour: float | None
    side: str  # of the box: "inside" | "too slow" | "too dear" | "too slow and too dear" | "unknown" | "" no box set
    frontiers: tuple[str, ...] = ()  # that it is on, in words
    mix: str = ""  # the quarter that prompt_share is in, as in LearntRow
    cached_share: float | None = None  # of its prompt tokens


class LearntRow(msgspec.Struct, frozen=True, gc=False):
    """The best five minutes of one mix that met the SLO."""

    mix: str  # per cent of the computed tokens that are prompt: "75-100"; "" where prompts are not counted
    tok_s_per_gpu: float
    from_ms: int
    to_ms: int


class CapacityRow(msgspec.Struct, frozen=True, gc=False):
    """One deployment: the servers that have GPUs together."""

    entity: int  # the owner of the GPUs
    servers: tuple[int, ...]
    models: tuple[str, ...]
    deployment: str  # its name, where one was given
    gpus: int
    mix: str  # the present one
    capacity_tok_s_per_gpu: Figure = UNMEASURED  # K
    capacity_source: str = ""  # "declared" | "learnt" | ""
    capacity_words: str = ""  # declared: the user's own
    capacity_to_ms: int | None = None  # learnt: the end of its five minutes
    learnt: tuple[LearntRow, ...] = ()
    computed_tok_s: Figure = UNMEASURED
    utilisation: Figure = UNMEASURED  # actual ÷ (K × GPUs), 0..1 and beyond
    headroom_tok_s: Figure = UNMEASURED
    load_factor: Figure = UNMEASURED  # mean ÷ peak of the last 24 whole hours, 0..1
    now: PointRow | None = None
    frontier: tuple[PointRow, ...] = ()  # of the present mix, trailing seven days
    best: PointRow | None = None
    gap: Figure = UNMEASURED  # how far output tok/s per GPU is below the frontier at this interactivity, 0..1
    box: Box = Box()
