"""What the requests to a simulated server are like → its Load."""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.demo.engine_pages import ITL_EDGES_S, PROMPT_EDGES_TOKENS, REQUEST_EDGES_S, TTFT_EDGES_S
from tokwatch.demo.load import Load, Observed, Sizes, spread
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
    prompt_spread: float = 0.6
    output_spread: float = 0.5
    ttft_spread: float = 0.5

    def load(self, requests_per_s: Quantity) -> Load:
        """What the server counts when so many requests come."""
        prompts = spread(self.prompt_tokens, self.prompt_spread)
        outputs = spread(self.output_tokens, self.output_spread)
        sizes = Sizes(prompts)
        ttft, tpot = spread(self.ttft_s, self.ttft_spread), spread(self.tpot_s, _TPOT_SPREAD)
        e2e = [first + each * tokens for first, each, tokens in zip(ttft, tpot, outputs, strict=True)]
        return Load(
            requests_per_s=requests_per_s,
            prompt_tokens=sizes,
            cached_tokens=Sizes([self.cached_share * tokens for tokens in prompts]),
            output_tokens=Sizes(outputs),
            queue_s=self.queue_s,
            prefill_s=self.ttft_s - self.queue_s,
            decode_s=self.output_tokens * self.tpot_s,
            tokens_per_step=self.tokens_per_step,
            kv_capacity_tokens=self.kv_tokens,
            ttft=Observed(TTFT_EDGES_S, ttft),
            itl=Observed(ITL_EDGES_S, spread(self.tpot_s, _ITL_SPREAD)),
            tpot=Observed(ITL_EDGES_S, tpot),
            e2e=Observed(REQUEST_EDGES_S, e2e),
            queue=Observed(REQUEST_EDGES_S, [first * self.queue_s / self.ttft_s for first in ttft]),
            prompt_length=Observed(PROMPT_EDGES_TOKENS, sizes.tokens),
        )
