"""What the names in formulas of the whole box stand for."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.ledger.explain.quantity import Quantity, sum_of
from tokwatch.ledger.explain.subject import Subject


class OfTotals(Subject):
    """The whole box."""

    @property
    def servers(self) -> Sequence[int]:
        return [server for server, _ in self.ground.moment.servers if self.ground.moment.counted(server)]

    @property
    def gpus(self) -> Sequence[int]:
        return [entry.entity for _, entry in self.ground.moment.gpus]

    @property
    def _placed(self) -> list[int]:
        accounts = self.ground.accounts
        return [server for server in self.servers if accounts.gpus_of(accounts.of_server(server))]

    def output_tok_s(self) -> Quantity | None:
        return self.ground.rate(self.servers, "output_tokens")

    def prompt_tok_s(self) -> Quantity | None:
        return self.ground.rate(self.servers, "prompt_tokens") or Quantity("prompt, not told", 0.0, "tok/s")

    def finished_s(self) -> Quantity | None:
        return self.ground.rate(self.servers, "finished")

    def placed_tok_s(self) -> Quantity | None:
        return self.ground.rate(self._placed, "output_tokens")

    def placed_all_tok_s(self) -> Quantity | None:
        found = [self.ground.rate(self._placed, field) for field in ("prompt_tokens", "output_tokens")]
        parts = tuple(rate for rate in found if rate is not None)
        return sum_of("prompt and output", "tok/s", parts) if parts else None

    def unplaced_output_tok_s(self) -> Quantity | None:
        placed, elsewhere = self._placed, self.ground.accounts.elsewhere
        unplaced = [each for each in self.servers if each not in placed and not elsewhere(each, "output_tokens")]
        return self.ground.rate(unplaced, "output_tokens")

    def drawn_w(self) -> Quantity | None:
        rows = {row.entity: row for row in self.ground.snapshot.gpus}
        return self.ground.weighed(
            "watts",
            "W",
            [(gpu, 1.0) for gpu in rows],
            lambda gpu: self.ground.watts(gpu, list(rows[gpu].servers or self._placed)),
        )

    def busy_usd_per_hour(self) -> Quantity | None:
        rows = {row.entity: row for row in self.ground.snapshot.gpus if not row.idle}
        return self.ground.weighed(
            "price",
            "$/h",
            [(gpu, 1.0) for gpu in rows],
            lambda gpu: self.ground.price(gpu, list(rows[gpu].servers)),
        )
