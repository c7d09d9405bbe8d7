"""How the GPUs of a stretch were paid for, how much they were in use, and what an API would have asked instead."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokwatch.feeds.questions.cost_past import background
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.economics.ways_to_pay import Kind, Paid, Spent
from tokwatch.ledger.prices.book import MS_PER_HOUR
from tokwatch.ledger.prices.electricity import QUARTER_MS
from tokwatch.ledger.prices.gpu_terms import Own, Rent

if TYPE_CHECKING:
    from tokwatch.feeds.history import History


@dataclass(frozen=True, slots=True)
class PaidPast:
    """The quarter hours of (end_ms − length_ms, end_ms]."""

    end_ms: int
    length_ms: int

    def answer(self, past: History) -> Paid | None:
        """The sums behind `tokwatch money`; None where nothing is stored of the stretch."""
        from tokwatch.exports.hours import HOUR_MS  # in the asking thread: the screen opens without them
        from tokwatch.exports.money.account import together
        from tokwatch.exports.money.break_even import api_usd_per_m, rent_or_own
        from tokwatch.exports.money.gather import Gathering
        from tokwatch.exports.money.rows import Books
        from tokwatch.exports.selection import Selection, stretches

        selection = Selection(past.ids, (self.end_ms - self.length_ms) // QUARTER_MS * QUARTER_MS, self.end_ms)
        gathering = Gathering(background(past, selection.from_ms, selection.to_ms), selection.to_ms)
        for quarters, hours in stretches(past.reader, selection):
            gathering.take(quarters, hours)
        books = Books(gathering.period, gathering.background.names, selection.to_ms)
        whole = together(books.accounts.values())
        if whole.charges.empty:
            return None
        tokens = whole.made.all_tokens
        token_list = gathering.background.token_list((selection.to_ms - 1) // HOUR_MS * HOUR_MS)
        api = api_usd_per_m(whole.made.tokens, token_list)
        return Paid(
            spent=spent_by_kind(whole.charges),
            in_use=Charges(busy=whole.charges.busy).held_ms / whole.charges.held_ms if whole.charges.held_ms else None,
            output_tokens=tokens.output,
            api_usd=None if api is None else api * tokens.total / 1e6,
            own_wins_above_busy=rent_or_own(gathering.period.of_gpu_model).utilisation.value,
            one_gpu_model=len(gathering.period.of_gpu_model) == 1,
        )


def spent_by_kind(charges: Charges) -> dict[Kind, Spent]:
    """Charges by how their GPUs are paid for; what has no price is left out."""
    of_kind: dict[Kind, Charges] = defaultdict(Charges)
    for idle, booked in ((False, charges.busy), (True, charges.idle)):
        for rate, amount in booked.items():
            if rate.terms is not None:
                of_kind[_kind(rate.terms)].book(rate, amount, idle=idle)
    return {kind: Spent(of.total_usd or 0.0, of.held_ms / MS_PER_HOUR) for kind, of in of_kind.items() if of.held_ms}


def _kind(terms: Rent | Own) -> Kind:
    if isinstance(terms, Own):
        return "own"
    return "elastic rent" if terms.elastic else "rent"
