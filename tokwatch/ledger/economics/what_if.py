"""What-if: the economics of a window, and what they would be at another price, tariff, PUE or load."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tokwatch.ledger.economics.energy import facility_kwh
from tokwatch.ledger.economics.revenue import TokenPrices, margin, profit_usd, revenue_usd
from tokwatch.ledger.economics.token_cost import Split, Tokens, Weights, split, usd_per_million

ASSUMPTIONS = (
    "the fixed cost does not follow load",
    "energy above the idle floor grows with tokens",
    "the mix of tokens and what buyers take stay as they are",
    "whether the SLO still holds at the new load is not asked",
)


@dataclass(frozen=True, slots=True)
class Economics:
    """Quantities and prices of one window; None where unknown."""

    fixed_usd: float | None  # rent, or capital, opex and space: what the GPUs cost however busy
    board_kwh: float | None
    board_floor_kwh: float | None  # what the boards would have drawn idle, part of board_kwh
    host_kwh: float | None
    pue: float | None
    usd_per_kwh: float | None  # 0 where the fixed cost holds electricity
    tokens: Tokens
    prices: TokenPrices

    @property
    def facility_kwh(self) -> float | None:
        """(boards + hosts) × PUE."""
        return facility_kwh(self.board_kwh, self.host_kwh, self.pue)

    @property
    def energy_usd(self) -> float | None:
        """Dollars of electricity; 0 where it is in the fixed cost, whatever was drawn."""
        if self.usd_per_kwh is None:
            return None
        if not self.usd_per_kwh:
            return 0.0
        return None if self.facility_kwh is None else self.facility_kwh * self.usd_per_kwh

    @property
    def cost_usd(self) -> float | None:
        """Fixed cost + electricity."""
        return None if self.fixed_usd is None or self.energy_usd is None else self.fixed_usd + self.energy_usd

    @property
    def usd_per_m(self) -> float | None:
        """$ per 10⁶ tokens of all classes."""
        return usd_per_million(self.cost_usd, self.tokens.total)

    @property
    def usd_per_m_output(self) -> float | None:
        """$ per 10⁶ output tokens, all of the cost charged to them."""
        return usd_per_million(self.cost_usd, self.tokens.output)

    @property
    def usd_per_m_marginal(self) -> float | None:
        """$ of electricity per 10⁶ tokens of all classes."""
        return usd_per_million(self.energy_usd, self.tokens.total)

    @property
    def revenue_usd(self) -> float | None:
        """Revenue at the token prices."""
        return revenue_usd(self.tokens, self.prices)

    @property
    def profit_usd(self) -> float | None:
        """Revenue − cost."""
        return profit_usd(self.revenue_usd, self.cost_usd)

    @property
    def margin(self) -> float | None:
        """Profit ÷ revenue."""
        return margin(self.revenue_usd, self.cost_usd)

    def split(self, weights: Weights) -> Split:
        """The cost divided among the classes."""
        return split(self.cost_usd, self.tokens, weights)


def what_if(
    now: Economics,
    *,
    gpu_price: float = 1.0,
    token_price: float = 1.0,
    tariff: float = 1.0,
    pue: float | None = None,
    utilisation: float = 1.0,
) -> Economics:
    """The same window at other terms: factors on $/GPU-h, token prices, $/kWh and load, and another PUE (a value, not
    a factor). What is left out stays as it is. `ASSUMPTIONS` says what stays the same.

    Load: tokens × factor; boards draw floor + (drawn − floor) × factor, unknown where the floor is. ValueError for a
    factor below 0 and a PUE below 1, which no site has.
    """
    factors = {"gpu_price": gpu_price, "token_price": token_price, "tariff": tariff, "utilisation": utilisation}
    for name, factor in factors.items():
        if factor < 0:
            raise ValueError(f"{name}: a factor is 0 or more, not {factor}")
    if pue is not None and pue < 1:
        raise ValueError(f"pue: the site draws at least what its computers draw, so 1 or more, not {pue}")
    return replace(
        now,
        fixed_usd=_times(now.fixed_usd, gpu_price),
        board_kwh=_at_load(now.board_kwh, now.board_floor_kwh, utilisation),
        pue=now.pue if pue is None else pue,
        usd_per_kwh=_times(now.usd_per_kwh, tariff),
        tokens=now.tokens.scaled(utilisation),
        prices=now.prices.scaled(token_price),
    )


def _times(amount: float | None, factor: float) -> float | None:
    return None if amount is None else amount * factor


def _at_load(drawn_kwh: float | None, floor_kwh: float | None, factor: float) -> float | None:
    if factor == 1:
        return drawn_kwh  # no floor is needed, and no rounding: nothing changed is the same record
    if drawn_kwh is None or floor_kwh is None:
        return None
    return floor_kwh + (drawn_kwh - floor_kwh) * factor
