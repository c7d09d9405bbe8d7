"""The same GPUs and tokens at each way to pay for them: reserved rent, own servers, elastic rent, an API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tokwatch.ledger.economics.arithmetic import cost_each, ratio
from tokwatch.ledger.economics.token_cost import usd_per_million

Kind = Literal["rent", "own", "elastic rent", "API"]
GPU_KINDS: tuple[Kind, ...] = ("rent", "own", "elastic rent")


class Spent(NamedTuple):
    """What GPUs that are paid for in one way cost in a period, their electricity included."""

    usd: float
    gpu_hours: float


class Way(NamedTuple):
    """One way to pay, and where it begins to win. None is unknown, or does not apply."""

    kind: Kind
    in_use: bool  # GPUs of the period were paid for so
    usd_per_gpu_hour: float | None
    usd_per_m_output: float | None  # infinite: paid for, and no token came of it
    wins_above_busy: float | None = None  # own: over elastic rent, in shares of the hours that GPUs are in use
    wins_below_usd_per_gpu_hour: float | None = None  # elastic rent of unknown price: over what is paid now
    loses_above_load: float | None = None  # API: to these GPUs, in shares of the load that there was


@dataclass(frozen=True, slots=True)
class Paid:
    """A period: what its GPUs cost by how they are paid for, how much of it they were in use, and what came of it."""

    spent: Mapping[Kind, Spent]
    in_use: float | None  # share of the GPU-hours that was not idle
    output_tokens: float
    api_usd: float | None  # what an API asks for all its tokens
    own_wins_above_busy: float | None = None  # see break_even.rent_or_own
    one_gpu_model: bool = True  # so that the rate of some GPUs can be applied to all

    @property
    def usd(self) -> float | None:
        """Of all its GPUs; None where none has a price."""
        return sum(each.usd for each in self.spent.values()) if self.spent else None

    @property
    def gpu_hours(self) -> float:
        """Of all its GPUs."""
        return sum(each.gpu_hours for each in self.spent.values())


def ways_to_pay(paid: Paid) -> tuple[Way, ...]:
    """Each way that has a price, and for the others what is known of them.

    A rate of some of the GPUs is applied to the hours of all, where all are of one model; elastic rent to the hours in
    use only, as if GPUs were given back whenever they are idle and came back at once.
    """
    every = [_of_gpus(kind, paid) for kind in GPU_KINDS]
    return (*(way for way in every if way is not None), _of_api(paid))


def _of_gpus(kind: Kind, paid: Paid) -> Way | None:
    elastic = kind == "elastic rent"
    spent = paid.spent.get(kind)
    if spent is None:
        below = ratio(cost_each(paid.usd, paid.gpu_hours), paid.in_use)
        return Way(kind, False, None, None, wins_below_usd_per_gpu_hour=below) if elastic and below else None
    rate = cost_each(spent.usd, spent.gpu_hours)
    share = paid.in_use if elastic else 1.0
    usd = None if rate is None or share is None or not paid.one_gpu_model else rate * paid.gpu_hours * share
    if len(paid.spent) == 1:
        usd = spent.usd  # what was paid, not what a rate says
    wins_above = paid.own_wins_above_busy if kind == "own" else None
    return Way(kind, True, rate, usd_per_million(usd, paid.output_tokens), wins_above_busy=wins_above)


def _of_api(paid: Paid) -> Way:
    each = usd_per_million(paid.api_usd, paid.output_tokens)
    return Way("API", False, None, each, loses_above_load=ratio(paid.usd, paid.api_usd))
