"""`[prices]`: what GPUs, electricity and tokens cost, and from when on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from tokwatch.ledger.prices.version import Prices


class PriceSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[prices]`: what a GPU-hour costs, and from when on."""

    currency: str = "USD"
    usd_per_gpu_hour: float | None = None
    gpu: dict[str, float] = {}
    effective_from: datetime | None = None

    def prices(self) -> Prices | None:
        """The price book version it describes; None when it names no price."""
        if self.usd_per_gpu_hour is None and not self.gpu:
            return None
        return Prices(self.currency, self.usd_per_gpu_hour, self.gpu)

    def effective_from_ms(self) -> int | None:
        """Unix milliseconds; a time without a zone is UTC."""
        if self.effective_from is None:
            return None
        aware = self.effective_from if self.effective_from.tzinfo else self.effective_from.replace(tzinfo=UTC)
        return int(aware.timestamp() * 1000)


def problems(section: PriceSection) -> Iterator[tuple[str, str]]:
    """(path, message) of each value that no ledger can work with."""
    prices = {"prices.usd_per_gpu_hour": section.usd_per_gpu_hour}
    prices |= {f'prices.gpu."{gpu}"': price for gpu, price in section.gpu.items()}
    for where, price in prices.items():
        if price is not None and not 0 <= price < 10_000:
            yield where, f"a GPU-hour cannot cost {price}: give a price between 0 and 10 000"
