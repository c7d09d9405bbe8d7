"""The tables of `export hourly`: what each is made by, and what of it a manifest sums up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, Protocol, get_args

import msgspec

from tokwatch.exports.background import SCHEMA_VERSION, Background
from tokwatch.exports.focus.billing import Billing
from tokwatch.exports.focus.columns import row_type
from tokwatch.exports.focus_table import FocusTable
from tokwatch.exports.gpu_hour import GpuPeriod, GpuTable
from tokwatch.exports.manifest import Summed
from tokwatch.exports.model_hour import ModelPeriod
from tokwatch.exports.model_hours import ModelTable
from tokwatch.exports.periods import Grain, Period, Periods
from tokwatch.store.quarters import Quarters

By = Literal["gpu", "model", "focus"]
BYS: Final[tuple[By, ...]] = get_args(By)


class Table(Protocol):
    """Takes the quarter rows of whole UTC hours, stretch by stretch, and gives the rows of periods that are over."""

    def take(self, quarters: Quarters, hours: Iterable[int] = ()) -> None: ...

    def over(self, before_ms: int | None = None) -> Sequence[tuple[Period, msgspec.Struct]]: ...


@dataclass(frozen=True, slots=True)
class TableKind:
    """One of the tables."""

    row: type[msgspec.Struct]
    make: Callable[[Background, Periods, Period], Table]
    summed: Summed
    traffic: bool  # it needs the rows of flows
    schema_version: str = str(SCHEMA_VERSION)

    def renamed(self, grain: Grain) -> dict[str, str]:
        """Columns that are named after the grain: nobody adds up days for hours."""
        return {f"period_{edge}": f"{grain}_{edge}" for edge in ("start", "end")}


_AMOUNTS: Final = ("cost_total_usd", "cost_idle_usd", "cost_energy_usd", "cost_unobserved_usd")
_ENERGY: Final = ("energy_board_j", "energy_facility_kwh", "gco2e", "unpriced_s", "unpriced_kwh")
_TRAFFIC: Final = ("tokens_in_uncached", "tokens_in_cached", "tokens_out", "requests_completed")

_BY_GPU: Final = TableKind(GpuPeriod, GpuTable, Summed(("observed_s", *_ENERGY), _AMOUNTS), traffic=False)
_BY_MODEL: Final = TableKind(
    ModelPeriod, ModelTable, Summed(("gpu_hours", *_TRAFFIC, *_ENERGY), (*_AMOUNTS, "revenue_usd")), traffic=True
)
_FOCUS_SUMS: Final = Summed(
    quantities=(
        "x_EnergyBoardJ",
        "x_EnergyKwh",
        "x_Gco2e",
        "x_TokensInput",
        "x_TokensCachedInput",
        "x_TokensOutput",
        "x_Requests",
    ),
    amounts=("BilledCost", "EffectiveCost", "x_CostEnergy", "x_RevenueAmount"),
    currency="BillingCurrency",
    coverage="x_Coverage",
    price_version="x_PriceVersion",
)


def table_kind(by: By, billing: Billing) -> TableKind:
    """billing: what the FOCUS table is asked to be."""
    if by == "focus":
        return TableKind(
            row_type(billing.version),
            partial(FocusTable, billing=billing),
            _FOCUS_SUMS,
            traffic=True,
            schema_version=f"FOCUS {billing.version}",
        )
    return _BY_GPU if by == "gpu" else _BY_MODEL
