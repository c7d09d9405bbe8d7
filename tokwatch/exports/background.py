"""What quarter rows are read against to become hours: names, prices, and which runs were simulated."""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.exports.names import Names
from tokwatch.exports.rent import Rent

SCHEMA_VERSION = 1  # of the hourly tables: raised when a column changes its meaning


@dataclass(frozen=True, slots=True)
class Background:
    names: Names
    rent: Rent
    simulated: frozenset[int]  # runs
