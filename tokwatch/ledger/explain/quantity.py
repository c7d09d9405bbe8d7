"""Quantities: numbers with their units, and how each was made of others, down to what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from tokwatch.ledger.explain.formula import formula

_INLINE_SUM = 4  # terms of a sum that are written out in a line
_DIGITS = 12


class Quantity(msgspec.Struct, frozen=True):
    """`formula` over the names of `parts`; "sum" adds them all; "" is a number that was measured or set."""

    words: str
    value: float
    unit: str = ""
    formula: str = ""
    parts: tuple[tuple[str, Quantity], ...] = ()

    def computed(self) -> float:
        """What the numbers it is made of come to, from the measured ones up."""
        if not self.parts:
            return self.value
        values = {name: part.computed() for name, part in self.parts}
        return sum(values.values()) if self.formula == "sum" else _value(self.formula, values)

    def written(self, depth: int = 1) -> str:
        """Its formula with the numbers put in, and those made of others in turn down to `depth` formulas."""
        if not self.parts or depth <= 0:
            return number(self.value, self.unit)
        if self.formula == "sum":
            if len(self.parts) > _INLINE_SUM:
                return f"{number(self.value, self.unit)} [sum of {len(self.parts)}]"
            return " + ".join(part.written(depth - 1) for _, part in self.parts)
        if self.renamed:
            return self.parts[0][1].written(depth)
        return formula(self.formula).written({name: part.bracketed(depth - 1) for name, part in self.parts})

    @property
    def renamed(self) -> bool:
        """It is another quantity by another name."""
        return self.formula not in ("", "sum") and formula(self.formula).bare

    def bracketed(self, depth: int) -> str:
        """As `written`, in brackets where it is more than one number."""
        if self.renamed:
            return self.parts[0][1].bracketed(depth)
        single = not self.parts or depth <= 0 or (self.formula == "sum" and len(self.parts) > _INLINE_SUM)
        return self.written(depth) if single else f"({self.written(depth)})"

    def steps(self, depth: int = 0) -> Iterator[tuple[int, str, Quantity]]:
        """(how deep, its name in the formula above, the quantity) of everything it is made of, in order."""
        for name, part in self.parts:
            yield depth, name, part
            yield from part.steps(depth + 1)


def made_of(words: str, unit: str, text: str, **parts: Quantity) -> Quantity:
    """A quantity by a formula over others."""
    values = {name: part.value for name, part in parts.items()}
    return Quantity(words, _value(text, values), unit, text, tuple(parts.items()))


def sum_of(words: str, unit: str, parts: tuple[Quantity, ...]) -> Quantity:
    """A sum; of one term that term itself."""
    if len(parts) == 1:
        return parts[0]
    named = tuple((f"part {i}", part) for i, part in enumerate(parts, 1))
    return Quantity(words, sum(part.value for part in parts), unit, "sum", named)


def exact(value: float, digits: int = _DIGITS) -> str:
    """Every digit that counts, with thin groups before the point and never an exponent."""
    if math.isinf(value):
        return "∞"
    text = format(Decimal(f"{value:.{digits}g}"), ",f").replace(",", " ")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−", 1)


def number(value: float, unit: str) -> str:
    """A number and its unit; money has its sign before it."""
    if unit.startswith("$"):
        return f"${exact(value)}{unit[1:]}"
    return f"{exact(value)} {unit}".rstrip()


def _value(text: str, values: Mapping[str, float]) -> float:
    """Infinite for cost without tokens."""
    try:
        return formula(text).value(values)
    except ZeroDivisionError:
        return math.inf
