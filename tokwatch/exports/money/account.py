"""What one row of the report adds up: charges of GPUs, and what their servers made. Nothing is divided here."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from tokwatch.ledger.charges import Charges
from tokwatch.ledger.economics.token_cost import Tokens, added
from tokwatch.ledger.figures import WARMING_UP
from tokwatch.ledger.slo import NO_REQUEST, NO_SLO, Good

UNASSIGNED = "(unassigned)"
SHARED_IDLE = "(shared, idle)"
UNOBSERVED = "(unobserved)"


_NOTHING_TO_JUDGE = frozenset({NO_REQUEST, NO_SLO, WARMING_UP})


class Who(NamedTuple):
    """Whose money it is; `left_over` where no traffic bears it, with the deployment and model that it is beside."""

    deployment: str = ""
    model: str = ""
    tier: str = ""
    tier_source: str = ""
    tenant: str = ""
    left_over: str = ""


@dataclass(slots=True)
class Made:
    """Tokens and requests of one model, tenant and tier, or of several: adds up, and may be divided by a factor."""

    tokens: dict[Who, Tokens] = field(default_factory=dict)
    prompt_counted: bool = False  # by a server at least
    output_counted: bool = False
    cached_known: bool = True  # of all that count prompt tokens
    finished: float | None = None  # None: no server counts them
    unfinished: float = 0.0
    accepted: float = 0.0  # draft tokens
    drafted: float = 0.0
    good: Good | None = None
    not_judged: set[str] = field(default_factory=set)  # why requests could not be held against their SLO
    revenue_usd: float | None = None
    unpriced_tokens: float = 0.0
    task_value_usd: float | None = None
    divided: bool = False  # among the GPUs of a deployment, by their time

    def add(self, other: Made) -> None:
        """Add all of it."""
        for who, tokens in other.tokens.items():
            self.tokens[who] = added((self.tokens[who], tokens)) if who in self.tokens else tokens
        self.prompt_counted |= other.prompt_counted
        self.output_counted |= other.output_counted
        self.cached_known &= other.cached_known
        self.finished = plus(self.finished, other.finished)
        self.unfinished += other.unfinished
        self.accepted += other.accepted
        self.drafted += other.drafted
        if other.good is not None:
            self.good = other.good if self.good is None else self.good + other.good
        self.not_judged |= other.not_judged
        self.revenue_usd = plus(self.revenue_usd, other.revenue_usd)
        self.unpriced_tokens += other.unpriced_tokens
        self.task_value_usd = plus(self.task_value_usd, other.task_value_usd)
        self.divided |= other.divided

    def scaled(self, factor: float) -> Made:
        """A part of it; whether requests were good is not told of parts."""
        return Made(
            tokens={who: tokens.scaled(factor) for who, tokens in self.tokens.items()},
            prompt_counted=self.prompt_counted,
            output_counted=self.output_counted,
            cached_known=self.cached_known,
            finished=_times(self.finished, factor),
            unfinished=self.unfinished * factor,
            accepted=self.accepted * factor,
            drafted=self.drafted * factor,
            not_judged={PART_OF_A_DEPLOYMENT},
            revenue_usd=_times(self.revenue_usd, factor),
            unpriced_tokens=self.unpriced_tokens * factor,
            task_value_usd=_times(self.task_value_usd, factor),
            divided=True,
        )

    @property
    def all_tokens(self) -> Tokens:
        """Those of all flows."""
        return added(self.tokens.values())

    @property
    def judged_in_part(self) -> bool:
        """Some requests that ended could not be held against their SLO."""
        return bool(self.not_judged - _NOTHING_TO_JUDGE)

    @property
    def why_not_judged(self) -> str:
        """The first reason that says more than that there was nothing to judge."""
        return next(iter(sorted(self.not_judged - _NOTHING_TO_JUDGE) or sorted(self.not_judged)), NO_REQUEST)


PART_OF_A_DEPLOYMENT = "requests are judged by deployment, not by GPU"


@dataclass(slots=True)
class Account:
    """The charges of some GPUs, or of parts of them, and what was made on them."""

    charges: Charges = field(default_factory=Charges)
    idle: dict[int, Charges] = field(default_factory=dict)  # State → its part of charges.idle
    unobserved: Charges = field(default_factory=Charges)
    made: Made = field(default_factory=Made)
    shared_with: set[Who] = field(default_factory=set)  # among whom GPUs were divided by tokens, itself included
    allocated: bool = False  # rests on such a division

    def book(
        self, charges: Charges, idle: Iterable[tuple[int, Charges]] = (), shared_with: AbstractSet[Who] = frozenset()
    ) -> None:
        """Add charges, and which idle states a part of them is of."""
        self.charges.add(charges)
        for state, part in idle:
            self.idle.setdefault(state, Charges()).add(part)
        self.shared_with |= shared_with

    def add(self, other: Account) -> None:
        """Add all of it."""
        self.book(other.charges, other.idle.items(), other.shared_with)
        self.unobserved.add(other.unobserved)
        self.made.add(other.made)


def together(accounts: Iterable[Account]) -> Account:
    """The sum of accounts."""
    whole = Account()
    for account in accounts:
        whole.add(account)
    return whole


def plus(one: float | None, other: float | None) -> float | None:
    """The sum of what is known; unknown where nothing is."""
    if other is None:
        return one
    return other if one is None else one + other


def _times(amount: float | None, factor: float) -> float | None:
    return None if amount is None else amount * factor
