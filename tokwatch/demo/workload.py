"""What the requests to a simulated server are like → its Load."""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.demo.engine_pages import ITL_EDGES_S, PROMPT_EDGES_TOKENS, REQUEST_EDGES_S, TTFT_EDGES_S
from tokwatch.demo.load import Load, Observed, Pace, Sizes, spread
from tokwatch.demo.tempo import Tempo
from tokwatch.demo.waves import Quantity

_TPOT_SPREAD, _ITL_SPREAD = 0.12, 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Means, each with the relative width of what single requests have where that may be told. How many run and wait
    and what they hold of the KV cache follows: each is there for as long as it takes."""

    prompt_tokens: float
    output_tokens: float
    ttft_s: float
    tpot_s: float
    kv_tokens: int  # room in the KV cache
    tokens_per_step: int  # how many sequences a step decodes
    cached_share: float = 0.0  # of the prompt
    queue_s: float = 0.0  # part of ttft_s
    full_tpot_s: float | None = None  # of a server that does all it can do; None: always tpot_s
    full_queue_s: float | None = None  # … and the queue before it, from where ttft_s is as much more
    prompt_spread: float = 0.6
    output_spread: float = 0.5
    ttft_spread: float = 0.5

    def __post_init__(self) -> None:
        if self.full_tpot_s is not None and not 0 < self.tpot_s < self.full_tpot_s:
            raise ValueError("tpot_s at activity 1 must be longer than with nothing to do, and both above 0")
        if self.full_queue_s is not None and (self.full_tpot_s is None or not 0 < self.queue_s < self.full_queue_s):
            raise ValueError("a queue_s at activity 1 needs a tpot_s for it, and a shorter queue above 0 before")

    def load(self, requests_per_s: Quantity, busy: Quantity) -> Load:
        """What the server counts when so many requests come, and it is so busy (0..1)."""
        prompts = Sizes(spread(self.prompt_tokens, self.prompt_spread))
        tempo = None if self.full_tpot_s is None else Tempo(busy, self.tpot_s, self.full_tpot_s)
        return Load(
            requests_per_s=requests_per_s,
            prompt_tokens=prompts,
            cached_tokens=Sizes([self.cached_share * n for n in spread(self.prompt_tokens, self.prompt_spread)]),
            output_tokens=Sizes(spread(self.output_tokens, self.output_spread)),
            prompt_length=Observed(PROMPT_EDGES_TOKENS, prompts.tokens),
            tokens_per_step=self.tokens_per_step,
            kv_capacity_tokens=self.kv_tokens,
            paces=self._paces(tempo) if tempo else (self._pace(self.tpot_s, self.queue_s),),
            tempo=tempo,
        )

    def _paces(self, tempo: Tempo) -> tuple[Pace, ...]:
        """A queue grows as steeply as this: from pace to pace by one factor."""
        last = tempo.paces() - 1
        growth = 1.0 if self.full_queue_s is None else (self.full_queue_s / self.queue_s) ** (1 / last)
        return tuple(self._pace(tempo.tpot_s(pace), self.queue_s * growth**pace) for pace in range(last + 1))

    def _pace(self, tpot_s: float, queue_s: float) -> Pace:
        ttft_s = self.ttft_s + (queue_s - self.queue_s)
        outputs = spread(self.output_tokens, self.output_spread)
        ttft, tpot = spread(ttft_s, self.ttft_spread), spread(tpot_s, _TPOT_SPREAD)
        e2e = [first + each * tokens for first, each, tokens in zip(ttft, tpot, outputs, strict=True)]
        return Pace(
            queue_s=queue_s,
            prefill_s=self.ttft_s - self.queue_s,
            decode_s=self.output_tokens * tpot_s,
            ttft=Observed(TTFT_EDGES_S, ttft),
            itl=Observed(ITL_EDGES_S, spread(tpot_s, _ITL_SPREAD)),
            tpot=Observed(ITL_EDGES_S, tpot),
            e2e=Observed(REQUEST_EDGES_S, e2e),
            queue=Observed(REQUEST_EDGES_S, [first * queue_s / ttft_s for first in ttft]),
        )
