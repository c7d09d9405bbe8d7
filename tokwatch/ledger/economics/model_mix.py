"""What another mix of models would cost: a share of the large model's tokens served by the small one."""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.ledger.economics.token_cost import Split, Tokens, usd_of

QUALITY = "quality is outside this tool: whether the small model's answers will do is for you to measure"
AT_PRESENT_COST = "at what each model's tokens cost in this window: GPUs that stay in place cost the same as before"
SAME_LENGTHS = "the small model reads and writes as many tokens, and finds as many of them cached"


@dataclass(frozen=True, slots=True)
class ModelMix:
    """The large model's bill before and after, in dollars of the window."""

    share: float  # 0–1 of the large model's tokens moved to the small one
    usd_before: float | None
    usd_after: float | None
    assumptions: tuple[str, ...] = (QUALITY, AT_PRESENT_COST, SAME_LENGTHS)

    @property
    def usd_saved(self) -> float | None:
        """Before − after; below 0 where the small model's tokens are the dearer ones."""
        return None if self.usd_before is None or self.usd_after is None else self.usd_before - self.usd_after


def model_mix(large_tokens: Tokens, large: Split, small: Split, share: float) -> ModelMix:
    """Δcost = share × Σ_k T_k × (c_k of the large − c_k of the small) ÷ 10⁶, each model at its own split.

    Unknown where a class that has tokens has no cost in either model. ValueError unless 0 ≤ share ≤ 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share of tokens lies between 0 and 1, not at {share}")
    kept = usd_of(large_tokens.scaled(1 - share), large)
    moved = usd_of(large_tokens.scaled(share), small)
    return ModelMix(share, usd_of(large_tokens, large), None if kept is None or moved is None else kept + moved)
