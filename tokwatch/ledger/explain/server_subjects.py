"""What the names in formulas of servers and of their capacity stand for."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.ledger.accounts import Account
from tokwatch.ledger.capacity.row import CapacityRow
from tokwatch.ledger.explain.measured import leaf
from tokwatch.ledger.explain.quantity import Quantity
from tokwatch.ledger.explain.subject import OfAccount
from tokwatch.ledger.snapshot import ServerRow


class OfServer(OfAccount):
    """One server: its own page's counters, and its deployment's watts and money."""

    row: ServerRow

    @property
    def account(self) -> Account:
        return self.ground.accounts.of_server(self.row.entity)

    @property
    def servers(self) -> Sequence[int]:
        return self.account.servers if self.field in ("tok_per_j", "usd_per_m_output") else (self.row.entity,)

    def _counted(self, field: str, name: str) -> Quantity | None:
        rate = self.ground.server_rate(self.row.entity, field)
        return None if rate is None else dict(rate.parts).get(name)

    def output_tokens(self) -> Quantity | None:
        return self._counted("output_tokens", "output_tokens")

    def prompt_tokens(self) -> Quantity | None:
        return self._counted("prompt_tokens", "prompt_tokens")

    def cached_tokens(self) -> Quantity | None:
        return self._counted("cached_tokens", "cached_tokens")

    def finished(self) -> Quantity | None:
        return self._counted("finished", "finished")

    def covered_s(self) -> Quantity | None:
        fields = {"tok_s": "output_tokens", "prompt_tok_s": "prompt_tokens", "cached_tok_s": "cached_tokens"}
        return self._counted(fields.get(self.field, "finished"), "covered_s")

    def kv_permyriad(self) -> Quantity | None:
        entry = self.ground.moment.view.servers[self.row.entity]
        return None if entry.kv_permyriad is None else leaf("kv_permyriad", entry.kv_permyriad)


class OfCapacity(OfAccount):
    """A deployment's use of what it could do."""

    row: CapacityRow

    @property
    def account(self) -> Account:
        return Account(self.row.servers)
