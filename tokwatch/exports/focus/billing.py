"""What a FOCUS table is asked to be: its version, who bills whom, and whether own GPUs are billed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tokwatch.config.focus import FocusSection
from tokwatch.exports.focus.columns import FocusVersion

Billed = Literal["cost", "zero"]


@dataclass(frozen=True, slots=True)
class Billing:
    section: FocusSection
    version: FocusVersion = "1.2"
    billed: Billed = "cost"  # "zero": BilledCost of own GPUs is 0, as no invoice exists

    def provider(self, basis: str) -> str:
        """Who provides GPUs paid for in this way."""
        return self.section.rented_from if basis == "rent" and self.section.rented_from else self.section.operator


SELF_HOSTED: Final = Billing(FocusSection())
