"""What was asked for: demand by hour of day, and what one request takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tokwatch.ledger.economics.arithmetic import Sums, cost_each, ratio
from tokwatch.ledger.economics.energy import J_PER_KWH, gco2e, wh_per_request
from tokwatch.ledger.economics.token_cost import Tokens, added

HOURS = range(24)


class Asked(NamedTuple):
    """What was served in one stretch of time that lies within one local hour."""

    hour: int  # 0–23, local time
    seconds: float  # observed
    tokens: Tokens
    requests: float | None  # None where no server counts them


@dataclass(frozen=True, slots=True)
class HourOfDay:
    """One hour of the local day, over all the days that were observed."""

    hour: int
    seconds: float
    tokens: Tokens  # amounts
    requests: Sums  # requests over the seconds in which they were counted

    @property
    def tok_per_s(self) -> float | None:
        """Tokens of all classes a second; None for an hour never observed."""
        return ratio(self.tokens.total, self.seconds)

    @property
    def requests_per_s(self) -> float | None:
        """Requests a second; None for an hour in which none were counted."""
        return self.requests.ratio


def demand_curve(stretches: Iterable[Asked]) -> tuple[HourOfDay, ...]:
    """24 hours of the day, each its stretches' sum over their time: days of 23 or 25 hours bend nothing."""
    within: dict[int, list[Asked]] = {hour: [] for hour in HOURS}
    for stretch in stretches:
        within[stretch.hour].append(stretch)
    return tuple(_hour(hour, within[hour]) for hour in HOURS)


def _hour(hour: int, stretches: list[Asked]) -> HourOfDay:
    requests = Sums()
    for stretch in stretches:
        requests = requests.plus(stretch.requests, stretch.seconds)
    seconds = sum(stretch.seconds for stretch in stretches)
    return HourOfDay(hour, seconds, added(stretch.tokens for stretch in stretches), requests)


class PerRequest(NamedTuple):
    """What one request took on average. Infinite: spent, and nothing came of it."""

    prompt_tokens: float | None
    output_tokens: float | None
    usd: float | None
    wh: float | None
    gco2e: float | None


def per_request(
    requests: float | None,
    tokens: Tokens,
    cost_usd: float | None,
    energy_j: float | None,
    g_per_kwh: float | None,
) -> PerRequest:
    """A window's sums ÷ its completed requests, so that failed ones and idle time are paid by those that were served.

    energy_j may be of boards or of the facility: say which. Google's 0.24 Wh and 0.03 gCO2e of a median prompt
    (2025-08) are of the facility.
    """
    kwh = None if energy_j is None else energy_j / J_PER_KWH
    return PerRequest(
        ratio(tokens.prompt, requests),
        ratio(tokens.output, requests),
        cost_each(cost_usd, requests),
        wh_per_request(energy_j, requests),
        cost_each(gco2e(kwh, g_per_kwh), requests),
    )


def cached_prompt_share(tokens: Tokens) -> float | None:
    """Cached ÷ all prompt tokens, 0–1; None without prompt tokens."""
    return ratio(tokens.cached, tokens.prompt)
