"""The last hour of one server of the box: what its charts ask for."""

from __future__ import annotations

import math

from tokwatch.feeds.questions.server_past import ServerPast
from tokwatch.ledger.server_trail import ServerTrail

_SPECULATES = 3  # entity of the server that does


def server_past(question: ServerPast) -> ServerTrail:
    """An hour in which the queue grew towards its end; ten minutes of it nobody watched."""

    def wave(base: float, swing: float) -> tuple[float | None, ...]:
        return tuple(
            None if 40 <= i < 60 else base + swing * math.sin(i / 9) + swing / 3 * math.sin(i / 2.3)
            for i in range(question.buckets)
        )

    waiting = tuple(None if 40 <= i < 60 else max(0.0, i - 105.0) * 2.5 for i in range(question.buckets))
    return ServerTrail(
        from_ms=question.to_ms - question.buckets * question.step_ms,
        step_ms=question.step_ms,
        tok_s=wave(5400, 1200),
        running=wave(90, 30),
        waiting=waiting,
        kv_usage=wave(0.6, 0.2),
        drafted_tokens=1_000_000 if question.server == _SPECULATES else None,
        accepted_tokens=712_000 if question.server == _SPECULATES else None,
    )
