"""Subject: what a formula's names stand for. A name is a method, of one row of the Snapshot or of the box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokwatch.ledger.accounts import Account
from tokwatch.ledger.explain.measured import Ground
from tokwatch.ledger.explain.quantity import Quantity, made_of


class Subject:
    """One row, and which of its figures is asked for. `servers` and `gpus`: whose readings are behind the figure."""

    def __init__(self, ground: Ground, row: Any, field: str) -> None:
        self.ground, self.row, self.field = ground, row, field

    @property
    def servers(self) -> Sequence[int]:
        return ()

    @property
    def gpus(self) -> Sequence[int]:
        return ()


class OfAccount(Subject):
    """The servers that make their tokens together, and their GPUs."""

    @property
    def account(self) -> Account:
        raise NotImplementedError

    @property
    def servers(self) -> Sequence[int]:
        return self.account.servers

    @property
    def gpus(self) -> Sequence[int]:
        return self.ground.accounts.gpus_of(self.account)

    def output_tok_s(self) -> Quantity | None:
        return self.ground.rate(self.account.servers, "output_tokens")

    def uncached_tok_s(self) -> Quantity | None:
        prompt = self.ground.rate(self.account.servers, "prompt_tokens")
        cached = self.ground.rate(self.account.servers, "cached_tokens")
        if prompt is None or cached is None:
            return prompt
        return made_of(
            "uncached prompt", "tok/s", "prompt_tok_s - cached_tok_s", prompt_tok_s=prompt, cached_tok_s=cached
        )

    def drawn_w(self) -> Quantity | None:
        return self.ground.account_watts(self.account)

    def own_usd_per_hour(self) -> Quantity | None:
        return self.ground.account_price(self.account)
