"""The rows of a report: the accounts of a period, by what was asked for; they close on the whole in dollars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final, Literal, get_args

from tokwatch.exports.money.account import UNOBSERVED, Account, Who, together
from tokwatch.exports.money.gather import Period
from tokwatch.exports.money.report import Statement
from tokwatch.exports.money.statement import Terms, statement
from tokwatch.exports.names import Names

By = Literal["deployment", "model", "tier", "tenant", "gpu", "host"]
EVERY_BY: Final[tuple[By, ...]] = get_args(By)
OF_GPUS: Final = ("gpu", "host")
_BEAR_IDLENESS: Final = ("deployment", "model")  # what their traffic shares and left idle is theirs
_NOT_OF_A_PART = "told of the whole, of hosts and of GPUs"


class Books:
    """The accounts of a period: those that have GPUs, and the tokens of servers that have none."""

    def __init__(self, period: Period, names: Names, at_ms: int) -> None:
        """at_ms: names of GPUs are those of this instant."""
        self._period, self._names, self._at_ms = period, names, at_ms
        placed = {who.deployment for who, account in period.accounts.items() if not account.charges.empty}
        self.accounts = {
            who: each for who, each in period.accounts.items() if who.left_over or who.deployment in placed
        }
        self.without_gpus = {who: each for who, each in period.accounts.items() if who not in self.accounts}

    @property
    def whole(self) -> Account:
        """All GPUs, and what was made on them."""
        whole = together(self.accounts.values())
        whole.unobserved.add(self._period.unobserved)
        return whole

    def by(self, by: By) -> dict[tuple[str, str], Account]:
        """(name, where the tier comes from) → account, what is left over last."""
        grouped: dict[str, Account] = defaultdict(Account)
        sources: dict[str, set[str]] = defaultdict(set)
        members: dict[str, set[Who]] = defaultdict(set)
        for who, gpu, account in self._parts(by):
            name = self._name(who, gpu, by)
            grouped[name].add(account)
            members[name].add(who)
            sources[name] |= {who.tier_source} - {""} if by == "tier" else set()
        for name, account in grouped.items():
            account.allocated = not account.shared_with <= members[name]
        if not self._period.unobserved.empty:
            grouped[UNOBSERVED].unobserved.add(self._period.unobserved)
        order = sorted(grouped, key=lambda name: (name.startswith("("), name == UNOBSERVED, *_dearest(grouped[name])))
        return {(name, "+".join(sorted(sources[name]))): grouped[name] for name in order}

    def statements(self, by: By, terms: Terms) -> tuple[Statement, ...]:
        """Each row with all its figures."""
        return tuple(
            statement(name, account, self.terms(account.charges.gpus if by in OF_GPUS else None, terms), source)
            for (name, source), account in self.by(by).items()
        )

    def terms(self, gpus: Collection[int] | None, terms: Terms) -> Terms:
        """With the provisioned power of GPUs; None: of parts of GPUs, where it is not told."""
        if gpus is None:
            return terms._replace(no_limits=_NOT_OF_A_PART)
        facts = [self._names.gpu(gpu, self._at_ms) for gpu in gpus]
        limits_mw = [each.power_limit_mw for each in facts if each and each.power_limit_mw is not None]
        known = bool(limits_mw) and len(limits_mw) == len(facts)
        return terms._replace(provisioned_kw=sum(limits_mw) / 1e6 if known else None)

    # --- within ---------------------------------------------------------------------------------------------------

    def _parts(self, by: By) -> Iterable[tuple[Who, int, Account]]:
        if by not in OF_GPUS:
            return [(who, 0, account) for who, account in self.accounts.items()]
        of_gpu = self._period.of_gpu.items()
        return [(who, gpu, self._part(who, account)) for (who, gpu), account in of_gpu if who in self.accounts]

    def _part(self, who: Who, of_gpu: Account) -> Account:
        """One GPU's part of an account, with its part of what was made: by its part of the time."""
        every = self.accounts[who]
        share = of_gpu.charges.held_ms / every.charges.held_ms if every.charges.held_ms else 0.0
        return Account(of_gpu.charges, of_gpu.idle, made=every.made if share == 1 else every.made.scaled(share))

    def _name(self, who: Who, gpu: int, by: By) -> str:
        if by in OF_GPUS:
            facts = self._names.gpu(gpu, self._at_ms)
            host = self._names.host(gpu)
            return host if by == "host" else f"{host}/{facts.index if facts else gpu}"
        bearer = str(getattr(who, by))
        return (bearer or who.left_over if by in _BEAR_IDLENESS else who.left_over or bearer) or "(none)"


def _dearest(account: Account) -> tuple[float]:
    return (-(account.charges.total_usd or 0.0),)
