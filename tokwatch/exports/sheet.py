"""How a table is written: which one, by which periods, in which format, and what its files are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

import msgspec

from tokwatch.exports.formats import Format, write_bytes
from tokwatch.exports.periods import Grain
from tokwatch.exports.tables import By, TableKind


@dataclass(frozen=True, slots=True)
class Sheet:
    kind: TableKind
    by: By
    grain: Grain
    zone: str
    format: Format

    @property
    def name(self) -> str:
        """Of the table: gpu_hour."""
        return f"{self.by}_{self.grain}"

    @property
    def stem(self) -> str:
        """What its files begin with: gpu-hour."""
        return f"{self.by}-{self.grain}"

    @property
    def suffix(self) -> str:
        """What its files end in."""
        return "md" if self.format == "markdown" else self.format

    def write(self, rows: Iterable[msgspec.Struct], out: IO[bytes]) -> int:
        """Write rows as they come, and say how many."""
        return write_bytes(rows, self.kind.row, self.format, out, self.kind.renamed(self.grain))
